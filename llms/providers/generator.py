"""What makes answers that are no text, images or audio, on behalf of a provider."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from llms.kernel.errors import ConfigError, ProviderError
from llms.kernel.types import Chat, Context, Model
from llms.providers import bodies, replies
from llms.providers.http import Exchange, HttpClient
from llms.providers.key import laid_over, missing_key, own_key
from llms.providers.processing import Resolve, processed
from llms.providers.summary import summary


class GeneratorBase:
    """A generator, attached to a provider as one of its `modalities`.

    By the configuration, where `modalities.<name>.npm` is its `sdk`; it is then made from its entry laid over that of
    the provider. Or by a provider, in its own constructor: `self.modalities["image"] = MyGenerator(**kwargs)`.

    A class overrides `chat`, which is asked for a completion with `message.images` or `message.audios`, and may share
    its ways of asking and answering with others: `get_headers`, `process_chat`, `response_json`, `to_response`.
    """

    sdk: ClassVar[str | None] = None
    default_content: str = "Here is what you asked for."  # where a model wrote no text beside what it made
    http: HttpClient  # set by the registry
    resolve: Resolve | None = None  # set by the registry

    def __init__(self, **kwargs: Any) -> None:
        self.id: str = kwargs.get("id") or ""
        self.name: str = kwargs.get("name") or self.id
        self.api: str = (kwargs.get("api") or "").strip("/")
        self.env: list[str] = list(kwargs.get("env") or [])
        self.api_key = own_key(kwargs)
        self.headers: dict[str, str] = laid_over({"Content-Type": "application/json"}, kwargs.get("headers") or {})
        self.chat_url: str = kwargs.get("chat_url") or f"{self.api}/chat/completions"
        self.default_content = kwargs.get("default_content") or self.default_content

    def validate(self, **_: Any) -> str | None:
        """Why this generator cannot be used, or None."""
        return None if self.api_key else missing_key(self.name, self.env)

    def test(self, **kwargs: Any) -> bool:
        return self.validate(**kwargs) is None

    async def load(self) -> None:
        """Once after construction. Nothing to fetch."""

    def serves(self, model: str, facts: Model | None) -> bool:
        """Whether this generator makes what is asked of `model`, the vendor's own id; else the model has to do it."""
        return True

    async def chat(self, chat: Chat, provider: Any = None, context: Context | None = None) -> Any:
        """The completion that `chat` asks for. `provider` is the one that this generator works for."""
        message = {"role": "assistant", "content": "Not Implemented"}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    def to_response(self, response: Any, chat: Chat, started_at: float, context: Context | None = None) -> Any:
        """The completion in a vendor's answer. May be async: every class calls its own."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read an answer. Give it a `to_response`.")

    def get_headers(self, provider: Any = None, chat: Chat | None = None) -> dict[str, str]:
        """A copy of `headers` with the key of `provider`, or else one's own, as a bearer token."""
        key = getattr(provider, "api_key", None) or self.api_key
        return laid_over(self.headers, {"Authorization": f"Bearer {key}"} if key else {})

    async def process_chat(self, chat: Chat, provider_id: str | None = None) -> Chat:
        """A deep copy of `chat` as a vendor can be asked: no tools, no stream. To process it again changes nothing."""
        return await processed(chat, self.resolve, without=_NOT_OURS)

    async def response_json(self, response: aiohttp.ClientResponse) -> Any:
        """The JSON in the body. Raises ProviderError where the answer says that it failed, or is no JSON."""

        def failure(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
            return replies.failure(status, headers, body, provider=self.name)

        return await bodies.json_body(response, provider=self.name, error_from=failure)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Exchange:
        """`async with` this: the vendor's response. As `HttpClient.post`."""
        if not hasattr(self, "http"):
            raise ConfigError(f"Generator '{self.name}' is not registered. Attach it to a provider as a modality.")
        return self.http.post(url, headers=headers, body=body, provider=self.name)

    async def mocked(self) -> Any:
        """With the variable `MOCK=1`, the JSON of the file that stands for the vendor's answer; else None.

        The file lies in the folder `MOCK_DIR`: `openrouter-image.json` for `openrouter/image`. Raises ConfigError
        where it cannot be read.
        """
        if os.environ.get("MOCK") != "1":
            return None
        file = Path(os.environ.get("MOCK_DIR") or ".", f"{(self.sdk or self.id).replace('/', '-')}.json")
        try:
            return replies.decode_any(await asyncio.to_thread(file.read_bytes), provider=str(file))
        except OSError as exc:
            raise ConfigError(f"{file} cannot be read: {exc.strerror}. Write it, or unset MOCK.") from exc

    def chat_summary(self, chat: Any) -> str:
        """`chat` as JSON for a log: inline data as `prefix,(length)`, a long string as `(length)`."""
        return summary(chat)

    def gen_summary(self, gen: Any) -> str:
        """As `chat_summary`, for what was made."""
        return summary(gen)


_NOT_OURS = ("tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options")
