"""The OpenAI Chat Completions dialect, which most vendors copy: the one others bend.

https://platform.openai.com/docs/api-reference/chat
"""

import asyncio
import contextlib
import copy
import time
from collections.abc import AsyncGenerator, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import aiohttp
import msgspec
from yarl import URL

from llms.kernel.errors import ConfigError, ProviderError
from llms.kernel.limits import Limits
from llms.kernel.types import Chat, Chunk, Completion, Context, Json, Model
from llms.providers import bodies, embeddings, modality, replies, shapes
from llms.providers.answers import wrong
from llms.providers.assembler import StreamAssembler
from llms.providers.calls import CallPlaces
from llms.providers.embeddings import OPENAI_EMBEDDINGS, EmbeddingDialect
from llms.providers.events import StreamEvent, as_events
from llms.providers.forms import Asking
from llms.providers.http import Exchange, HttpClient
from llms.providers.key import laid_over, missing_key, own_key
from llms.providers.leftovers import Leftovers
from llms.providers.models import ModelTable
from llms.providers.processing import Resolve, processed
from llms.providers.reading import EventReader
from llms.providers.settings import RequestSettings
from llms.providers.signatures import settled
from llms.providers.stream_setting import setting_too
from llms.providers.summary import summary
from llms.providers.tidy import is_plain, tidy_chunk, tidy_completion
from llms.providers.writer import StreamWriter

_encode = msgspec.json.Encoder().encode
_NOT_STREAMED = ("application/json", "text/html")  # asked for a stream, answered whole, or by some web page


class InvalidProvider(ConfigError, ValueError):
    """A provider entry lacks what it cannot do without."""


class OpenAiCompatible(RequestSettings):
    """A provider that speaks OpenAI's dialect at `<api>/chat/completions`.

    Built from the keys of its llms.json entry laid over its catalogue entry; `id` and `api` are required. Without an
    `api_key`, the first variable of `env` that is set has it. A request setting of the entry (`temperature`, …) is a
    default: the caller's own value wins.
    """

    sdk: ClassVar[str] = "@ai-sdk/openai-compatible"
    default_api: ClassVar[str | None] = None
    http: HttpClient  # set by the registry
    resolve: Resolve | None = None  # set by the registry
    replays: frozenset[str] = frozenset()  # fields of earlier messages that the vendor wants to see again
    reads: tuple[str, ...] = ("application/pdf",)  # media types, or their beginnings, that it takes as files
    streams: bool = True  # the entry's `stream`: whether chats that do not say are streamed
    # What a class does in its own way of what older ones bend. Known beforehand, so that other classes are not slowed.
    _bends_requests: ClassVar[bool] = False
    _bends_answers: ClassVar[bool] = False
    _bends_streams: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(stream := vars(cls).get("stream"), bool):
            del cls.stream
            cls.streams = stream
        elif isinstance(stream, FunctionType):
            cls.stream = setting_too(stream)  # type: ignore[method-assign]
        cls._bends_requests = cls._bends("init_chat", "process_chat")
        cls._bends_answers = cls._bends("response_json", "to_response")
        cls._bends_streams = cls._bends("handle_stream_response")

    @classmethod
    def _bends(cls, *names: str) -> bool:
        return any(getattr(cls, name) is not getattr(OpenAiCompatible, name) for name in names)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kwargs)
        self.id: str = _required(kwargs, "id")
        self.api: str = (kwargs.get("api") or self.default_api or _required(kwargs, "api")).strip("/")
        self.name: str = kwargs.get("name") or self.id.replace("-", " ").replace("_", " ").title()
        self.env: list[str] = list(kwargs.get("env") or [])
        self.api_key = own_key(kwargs)
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        if self.api_key:
            self.headers["Authorization"] = f"Bearer {self.api_key}"
        self.headers = laid_over(self.headers, kwargs.get("headers") or {})
        self.chat_url = f"{self.api}/chat/completions"
        self.modalities: dict[str, Any] = dict(kwargs.get("modalities") or {})
        self.check: Chat | None = kwargs.get("check")
        self.server_tools: list[str] = list(kwargs.get("server_tools") or [])
        self.leftovers = Leftovers(self.name, refuse=kwargs.get("unsupported") == "error")
        if kwargs.get("stream") is not None:
            self.streams = bool(kwargs["stream"])
        self.map_models: dict[str, str] = {}
        self.include_models: str | None = None
        self.exclude_models: str | None = None
        self.set_models(**kwargs)

    # -- which models ------------------------------------------------------------------------------------------

    def set_models(self, **kwargs: Any) -> None:
        """Takes over `models`, narrowed by `map_models`, `include_models` and `exclude_models`.

        Of these three, one that is not given stays as it was.
        """
        self.map_models = kwargs.get("map_models", self.map_models) or {}
        self.include_models = kwargs.get("include_models", self.include_models)
        self.exclude_models = kwargs.get("exclude_models", self.exclude_models)
        self._offer(kwargs.get("models") or {})

    def _offer(self, models: dict[str, Model]) -> None:
        self.table = ModelTable(
            models, map_models=self.map_models, include=self.include_models, exclude=self.exclude_models
        )

    @property
    def models(self) -> dict[str, Model]:
        return self.table.offered

    if not TYPE_CHECKING:  # a class that derives from this one may have a property without a setter

        @models.setter
        def models(self, models: dict[str, Model]) -> None:
            self._offer(models)

    def provider_model(self, model: str) -> str | None:
        """This provider's own id for `model`, or None if it does not offer it."""
        return self.table.upstream(model)

    def model_info(self, model: str) -> Model | None:
        return self.table.facts(model)

    def model_cost(self, model: str) -> Json | None:
        facts = self.table.facts(model)
        return None if facts is None else facts.get("cost")

    def validate(self, **_: Any) -> str | None:
        """Why this provider cannot be used, or None."""
        return None if self.api_key else missing_key(self.name, self.env)

    def test(self, **kwargs: Any) -> bool:
        return self.validate(**kwargs) is None

    async def load(self) -> None:
        """Once after construction. Nothing to fetch: the catalogue knows the models, and no start needs the network."""

    # -- the dialect: no I/O -----------------------------------------------------------------------------------

    def addressed(self, chat: Chat) -> Chat:
        """A copy of `chat` that calls the model as the vendor does, the settings of the entry in it."""
        own = {**self.settings, **chat}
        own["model"] = self.provider_model(chat["model"]) or chat["model"]
        return cast(Chat, own)

    def build_request(self, chat: Chat, *, stream: bool) -> bytes:
        """The body to send for `chat`, which stays as it is. Raises RequestError for what the vendor cannot be told."""
        return _encode(self.request_body(chat, stream=stream))

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        """As `build_request`, before it is encoded: a new dict, in which parts of `chat` may stand."""
        body: Json = {**chat, "stream": stream}
        body.pop("metadata", None)
        if isinstance(body.get("provider"), str):  # names one of ours; OpenRouter's own `provider` is an object
            del body["provider"]
        if stream:
            # Asked for always, because cost needs it; the caller gets it only if the caller asked.
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        else:
            del body["stream"]
            body.pop("stream_options", None)
        return body

    def parse_response(self, body: bytes) -> Completion:
        """The completion in `body`, its message in OpenAI's words."""
        return self._completion(replies.decode(body, provider=self.name))

    def _completion(self, data: Json) -> Completion:
        if error := replies.failure_inside(data, provider=self.name):
            raise error
        choices = data.get("choices")
        if not isinstance(choices, list):
            raise ProviderError(f"{self.name} answered without `choices`. Check its `api` URL.", provider=self.name)
        shapes.check(data, provider=self.name)
        completion = cast(Completion, data)
        tidy_completion(completion)
        return completion

    def parse_event(self, data: bytes) -> StreamEvent:
        """The event in `data`. Raises ProviderError for an error inside the stream."""
        chunk = replies.decode(data, provider=self.name)
        one_line = b"\n" not in data  # otherwise it cannot be relayed as it is
        if is_plain(chunk) and one_line:
            return StreamEvent(cast(Chunk, chunk), data, plain=True)
        if error := replies.failure_inside(chunk, provider=self.name):
            raise _in_own_words(self, error, replies.error_inside(chunk))
        shapes.check(chunk, provider=self.name)
        changed = tidy_chunk(cast(Chunk, chunk))
        return StreamEvent(cast(Chunk, chunk), data if one_line and not changed else None)

    def reader(self) -> EventReader:
        """What reads one stream."""
        calls = CallPlaces()

        def parse(data: bytes) -> StreamEvent:
            event = self.parse_event(data)
            return event if event.plain or not calls.tell(event.chunk) else StreamEvent(event.chunk)

        return EventReader(parse, provider=self.name)

    def is_stream(self, response: aiohttp.ClientResponse) -> bool:
        """Whether the vendor answers with a stream, as it was asked to."""
        return response.content_type not in _NOT_STREAMED and response.status < 300

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[str | URL, Mapping[str, str]]:
        """The URL that `body`, made for `chat`, is posted to, and the headers that go with it."""
        return self._url, self.headers

    # -- the wire ----------------------------------------------------------------------------------------------

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer to `chat`. One that is no text is made by the generator of its modality."""
        if (generator := modality.generator_for(chat, self)) is not None:
            return await modality.generated(generator, self, chat, context)
        started_at = time.time()
        chat = await self._bent(chat, stream=False) if self._bends_requests else self.addressed(chat)
        async with await self._post(chat, stream=False) as response:
            if self._bends_answers:
                return await self._read_whole(response, chat, started_at, context)
            if response.status >= 300:
                await bodies.raise_failure(response, self.error_from)
            completion = self.parse_response(await response.read())
        if context is not None:
            context["providerResponse"] = cast(Json, completion)
        return completion

    @setting_too
    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        """The answer as it comes. Ends after `[DONE]`, or at the end of a stream that told a finish reason."""
        if self._is_answered_whole(chat):
            yield as_events(await OpenAiCompatible.chat(self, chat, context))
            return
        started_at = time.time()
        as_stream = True
        if self._bends_requests:
            chat = await self._bent(chat, stream=True)
            as_stream = chat.get("stream", True)
        else:
            chat = self.addressed(chat)
        async with await self._post(chat, stream=as_stream) as response:
            if not self.is_stream(response):
                yield as_events(await self._read_whole(response, chat, started_at, context))
                return
            if self._bends_streams:
                read = self.handle_stream_response(response, chat, started_at, context=context)
                yield as_events(await settled(read))
                return
            reader = self.reader()
            async for data in response.content.iter_any():
                if events := reader.feed(data):
                    yield events
                if reader.over:
                    break
            if events := reader.finish():
                yield events
            reader.check()
            await _read_to_end(response)

    async def embed(self, request: Json) -> Json:
        """The embeddings of the request's `input`, both in OpenAI's words. Raises as `chat` does."""
        return await embeddings.embed(self, request)

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        """How `model` is asked for embeddings."""
        return OPENAI_EMBEDDINGS

    async def embedding_destination(self, model: str, body: bytes) -> tuple[str | URL, Mapping[str, str]]:
        """As `destination`, for embeddings by `model`."""
        return self.embedding_dialect(model).at(self.api, model), self.headers

    def _is_answered_whole(self, chat: Chat) -> bool:
        """Whether a stream of the answer to `chat` is one delta: a generator makes it, or somebody wants it whole."""
        if modality.generator_for(chat, self) is not None:
            return True
        return not (self.streams or chat.get("stream")) or (self._bends_answers and not self._bends_streams)

    async def _post(self, chat: Chat, *, stream: bool) -> Exchange:
        if not hasattr(self, "http"):
            raise InvalidProvider(f"Provider '{self.id}' is not registered. Put it into ctx.get_providers().")
        with Asking(self.name):
            body = self.build_request(chat, stream=stream)
        url, headers = await self.destination(chat, body, stream=stream)
        return self.http.post(url, headers=headers, body=body, provider=self.name)

    @property
    def _url(self) -> URL:
        cached: tuple[str, URL] | None = self.__dict__.get("_parsed_url")
        if cached is None or cached[0] != self.chat_url:
            cached = self.__dict__["_parsed_url"] = (self.chat_url, self._parsed(self.chat_url))
        return cached[1]

    def _parsed(self, url: str) -> URL:
        try:
            return URL(url)
        except ValueError as exc:
            raise InvalidProvider(f"Provider '{self.name}' has an invalid URL: {exc}. Correct its `api`.") from exc

    def error_from(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return replies.failure(status, headers, body, provider=self.name)

    # -- what classes made for older versions bend, or call from a `chat` of their own ---------------------------

    def init_chat(self, chat: Chat) -> Chat:
        """Writes the settings of the entry into `chat`, where it does not say otherwise."""
        for name, value in self.settings.items():
            cast(Json, chat).setdefault(name, value)
        return chat

    async def process_chat(self, chat: Chat, provider_id: str | None = None) -> Chat:
        """A copy of `chat` as it can be sent, which says whether to stream. To process it again changes nothing."""
        own = await processed(chat, self.resolve)
        own.setdefault("stream", False)
        return own

    async def response_json(self, response: aiohttp.ClientResponse) -> Any:
        """The JSON in the body. Raises ProviderError where the answer says that it failed, or is no JSON."""
        return await bodies.json_body(response, provider=self.name, error_from=self.error_from)

    def to_response(self, response: Any, chat: Chat, started_at: float, context: Context | None = None) -> Any:
        """The completion in an answer's JSON, with `metadata.duration` (ms) and `metadata.pricing`."""
        if not isinstance(response, dict):
            response = {}
        completion = self._completion(response)
        given = completion.get("metadata")
        metadata = completion["metadata"] = {**given} if isinstance(given, dict) else {}
        metadata["duration"] = round((time.time() - started_at) * 1000)
        prices = self.model_cost(chat.get("model") or "") or {}
        if prices.get("input") is not None and prices.get("output") is not None:
            metadata["pricing"] = f"{prices['input']}/{prices['output']}"
        if context is not None:
            context["providerResponse"] = cast(Json, completion)
        return completion

    async def handle_stream_response(
        self, response: aiohttp.ClientResponse, chat: Chat, started_at: float, context: Context | None = None
    ) -> Any:
        """The whole answer that a stream brings, told to `stream_writer` while it grows."""
        if not self.is_stream(response):
            return await self._read_whole(response, chat, started_at, context)
        reader = self.reader()
        assembler, writer = StreamAssembler(model=chat.get("model") or ""), self.stream_writer(context)
        try:
            async for data in response.content.iter_any():
                assembler.feed_all(reader.feed(data))
                if writer.is_due:
                    await writer.write(assembler.message())
                if reader.over:
                    break
            assembler.feed_all(reader.finish())
            reader.check()
        finally:
            await writer.write(assembler.message())
            await writer.flush()
        return await settled(self.to_response(assembler.so_far(), chat, started_at, context=context))

    def stream_writer(self, context: Context | None = None) -> StreamWriter:
        """Tells an answer that grows to the async function `checkpoint` of the context, where there is one."""
        tell = cast(Json, context or {}).get("checkpoint")
        limits = self.http.limits if hasattr(self, "http") else Limits()
        return StreamWriter(tell, interval=limits.stream_checkpoint_interval)

    def stream_error_message(self, error: Any, default: str | None = None) -> str:
        """What to say of an error told inside a stream; `default` is what is said otherwise."""
        return default or replies.error_text(error) or str(error)

    def chat_summary(self, chat: Any) -> str:
        """`chat` as JSON for a log: inline data as `prefix,(length)`, a long string as `(length)`."""
        return summary(chat)

    async def _bent(self, chat: Chat, *, stream: bool) -> Chat:
        """What to send for `chat` as a class wants it that has an `init_chat` or `process_chat` of its own."""
        own = copy.deepcopy(chat)
        own["stream"] = stream
        own["model"] = self.provider_model(own["model"]) or own["model"]
        own = self.init_chat(own) or own  # some edit in place, and return nothing
        own = await settled(self.process_chat(own, provider_id=self.id)) or own
        if not isinstance(own, dict) or not isinstance(own.get("messages"), list):
            raise wrong(self.id, "process_chat", own, "a chat")
        return own

    async def _read_whole(
        self, response: aiohttp.ClientResponse, chat: Chat, started_at: float, context: Context | None
    ) -> Completion:
        """The answer in a body that is no stream; raises where it says that it failed."""
        if not self._bends_answers:
            await bodies.raise_failure(response, self.error_from)
            return self.parse_response(await response.read())
        data = await settled(self.response_json(response))
        completion: Completion = await settled(self.to_response(data, chat, started_at, context=context))
        return completion


class GroqProvider(OpenAiCompatible):
    sdk = "@ai-sdk/groq"
    default_api = "https://api.groq.com/openai/v1"


class XaiProvider(OpenAiCompatible):
    sdk = "@ai-sdk/xai"
    default_api = "https://api.x.ai/v1"


class CodestralProvider(OpenAiCompatible):
    sdk = "codestral"
    default_api = "https://codestral.mistral.ai/v1"


def _in_own_words(provider: OpenAiCompatible, error: ProviderError, inside: Any) -> ProviderError:
    """`error` in the words of a class that has its own."""
    error.args = (str(provider.stream_error_message(inside, str(error)) or error),)
    return error


def _required(kwargs: Mapping[str, Any], key: str) -> str:
    value = kwargs.get(key)
    if not value or not isinstance(value, str):
        name = kwargs.get("id") or "?"
        raise InvalidProvider(f"Provider '{name}' has no `{key}`. Add it to llms.json.")
    return value


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    """Reads what follows `[DONE]`, nearly always nothing, so that the connection can be used again.

    A vendor that keeps it open has not even sent that: our caller, who waits for its own `[DONE]`, is worth more.
    """
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(0.01):
            async for _ in response.content.iter_any():
                pass
