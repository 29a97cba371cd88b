"""The OpenAI Chat Completions dialect, which most vendors copy: the one others bend.

https://platform.openai.com/docs/api-reference/chat
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, cast

import aiohttp
import msgspec
from yarl import URL

from llms.kernel.errors import ConfigError, ProviderError
from llms.kernel.types import Chat, Chunk, Completion, Context, Json, Model
from llms.providers import replies, shapes
from llms.providers.events import StreamEvent, as_events
from llms.providers.http import HttpClient
from llms.providers.key import find_key
from llms.providers.models import ModelTable
from llms.providers.reading import EventReader
from llms.providers.tidy import is_plain, tidy_chunk, tidy_completion

REQUEST_SETTINGS = (
    *("frequency_penalty", "presence_penalty", "temperature", "top_p"),
    *("max_completion_tokens", "n", "seed", "top_logprobs"),
    *("parallel_tool_calls", "store", "enable_thinking"),
    *("prompt_cache_key", "reasoning_effort", "safety_identifier", "service_tier", "stop", "verbosity"),
)
_encode = msgspec.json.Encoder().encode
_NARROWING = ("map_models", "include_models", "exclude_models")
_NOT_STREAMED = ("application/json", "text/html")  # asked for a stream, answered whole, or by some web page


class InvalidProvider(ConfigError, ValueError):
    """A provider entry lacks what it cannot do without."""


class OpenAiCompatible:
    """A provider that speaks OpenAI's dialect at `<api>/chat/completions`.

    Built from the keys of its llms.json entry laid over its catalogue entry; `id` and `api` are required. Without an
    `api_key`, the first variable of `env` that is set has it. A request setting of the entry (`temperature`, …) is a
    default: the caller's own value wins.
    """

    sdk: ClassVar[str] = "@ai-sdk/openai-compatible"
    default_api: ClassVar[str | None] = None
    http: HttpClient  # set by the registry

    def __init__(self, **kwargs: Any) -> None:
        self.id: str = _required(kwargs, "id")
        self.api: str = (kwargs.get("api") or self.default_api or _required(kwargs, "api")).strip("/")
        self.name: str = kwargs.get("name") or self.id.replace("-", " ").replace("_", " ").title()
        self.env: list[str] = list(kwargs.get("env") or [])
        key: str | None = kwargs["api_key"] if "api_key" in kwargs else find_key(kwargs, os.environ)
        self.api_key = key.strip() if key else None  # read from a file, it ends with a line end
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        if self.api_key:
            self.headers["Authorization"] = f"Bearer {self.api_key}"
        self.headers = _laid_over(self.headers, kwargs.get("headers") or {})
        self.chat_url = f"{self.api}/chat/completions"
        self.modalities: dict[str, Any] = dict(kwargs.get("modalities") or {})
        self.check: Chat | None = kwargs.get("check")
        self.server_tools: list[str] = list(kwargs.get("server_tools") or [])
        self.settings: Json = {key: kwargs[key] for key in REQUEST_SETTINGS if kwargs.get(key) is not None}
        self.narrowing: Json = {key: kwargs.get(key) for key in _NARROWING}
        self.set_models(**kwargs)

    # -- which models ------------------------------------------------------------------------------------------

    def set_models(self, **kwargs: Any) -> None:
        """Takes over `models`, narrowed by `map_models`, `include_models` and `exclude_models`."""
        self.table = ModelTable(
            kwargs.get("models") or {},
            map_models=kwargs.get("map_models"),
            include=kwargs.get("include_models"),
            exclude=kwargs.get("exclude_models"),
        )

    @property
    def models(self) -> dict[str, Model]:
        return self.table.offered

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
        if self.api_key:
            return None
        return f"Provider '{self.name}' requires API Key {', '.join(self.env) or 'api_key'}"

    def test(self, **kwargs: Any) -> bool:
        return self.validate(**kwargs) is None

    async def load(self) -> None:
        """Once after construction. Nothing to fetch: the catalogue knows the models, and no start needs the network."""

    # -- the dialect: no I/O -----------------------------------------------------------------------------------

    def build_request(self, chat: Chat, *, stream: bool) -> bytes:
        """The body to send for `chat`, which stays as it is."""
        body: Json = {**self.settings, **chat, "stream": stream}
        body["model"] = self.provider_model(chat["model"]) or chat["model"]
        body.pop("metadata", None)
        if isinstance(body.get("provider"), str):  # names one of ours; OpenRouter's own `provider` is an object
            del body["provider"]
        if stream:
            # Asked for always, because cost needs it; the caller gets it only if the caller asked.
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        else:
            del body["stream"]
            body.pop("stream_options", None)
        return _encode(body)

    def parse_response(self, body: bytes) -> Completion:
        """The completion in `body`, its message in OpenAI's words."""
        data = replies.decode(body, provider=self.name)
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
            raise error
        shapes.check(chunk, provider=self.name)
        changed = tidy_chunk(cast(Chunk, chunk))
        return StreamEvent(cast(Chunk, chunk), data if one_line and not changed else None)

    # -- the wire ----------------------------------------------------------------------------------------------

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer to `chat`."""
        body = self.build_request(chat, stream=False)
        async with self._post(body) as response:
            await self._raise_failure(response)
            completion = self.parse_response(await response.read())
        if context is not None:
            context["providerResponse"] = cast(Json, completion)
        return completion

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        """The answer as it comes. Ends after `[DONE]`, or at the end of a stream that told a finish reason."""
        body = self.build_request(chat, stream=True)
        async with self._post(body) as response:
            await self._raise_failure(response)
            if response.content_type in _NOT_STREAMED:
                yield as_events(self.parse_response(await response.read()))
                return
            reader = EventReader(self.parse_event, provider=self.name)
            async for data in response.content.iter_any():
                if events := reader.feed(data):
                    yield events
                if reader.over:
                    break
            if events := reader.finish():
                yield events
            reader.check()
            await _read_to_end(response)

    def _post(self, body: bytes) -> Any:
        return self.http.post(self._url, headers=self.headers, body=body, provider=self.name)

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

    async def _raise_failure(self, response: aiohttp.ClientResponse) -> None:
        if response.status < 300:
            return
        raise self.error_from(response.status, response.headers, await _beginning(response))

    def error_from(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return replies.failure(status, headers, body, provider=self.name)


class GroqProvider(OpenAiCompatible):
    sdk = "@ai-sdk/groq"
    default_api = "https://api.groq.com/openai/v1"


class XaiProvider(OpenAiCompatible):
    sdk = "@ai-sdk/xai"
    default_api = "https://api.x.ai/v1"


class CodestralProvider(OpenAiCompatible):
    sdk = "codestral"
    default_api = "https://codestral.mistral.ai/v1"


def _required(kwargs: Mapping[str, Any], key: str) -> str:
    value = kwargs.get(key)
    if not value or not isinstance(value, str):
        name = kwargs.get("id") or "?"
        raise InvalidProvider(f"Provider '{name}' has no `{key}`. Add it to llms.json.")
    return value


def _laid_over(headers: dict[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """`headers` with `given` in place of those of the same name, in whatever case."""
    names = {name.lower() for name in given}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **given}


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    """Reads what follows `[DONE]`, nearly always nothing, so that the connection can be used again.

    A vendor that keeps it open has not even sent that: our caller, who waits for its own `[DONE]`, is worth more.
    """
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(0.01):
            async for _ in response.content.iter_any():
                pass


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """As much of an error's body as tells what is wrong. Its status counts even where the body breaks off."""
    body = b""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async for data in response.content.iter_any():
            body += data
            if len(body) > 64 * 1024:
                break
    return body
