"""The models on this machine as a provider: an OpenAI dialect behind each model's own socket."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

from llms.api import (
    Chat,
    Completion,
    Context,
    HttpClient,
    Limits,
    Model,
    OpenAiCompatible,
    StreamAssembler,
    StreamEvent,
)

from . import runtime
from .engine import Engine
from .models import DEMO_ID, LocalModel, fingerprint, installed_models

_LOOK_SECONDS = 1.0
"""A request asks for the models several times; a folder may be on a slow disk."""

log = logging.getLogger("llms.local")


class LocalProvider(OpenAiCompatible):
    """Answers with the `.gguf` files in `folder`.

    Always there, with no models until the runtime and a file are: so a running server notices an installation.
    `limits` gives those in force, as they may change while the server runs.
    """

    sdk: ClassVar[str] = "local"
    takes_its_time: ClassVar[bool] = True  # it loads a model and reads the prompt before it says anything

    def __init__(self, folder: Path, limits: Callable[[], Limits]) -> None:
        self._folder = folder
        self._limits = limits
        self._engines: dict[str, Engine] = {}
        self._seen: object = None  # the folder's fingerprint; None without runtime
        self._next_look = 0.0
        self._complaints: set[str] = set()  # what the last look complained of
        self._gone: list[Engine] = []  # of files that changed or went; each stops when idle, or with us
        super().__init__(id="local", name="Local", api="http://local/v1")

    def validate(self, **_: Any) -> str | None:
        return None

    # -- which models ------------------------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Model]:
        self._look_now_and_then()
        return super().models

    def provider_model(self, model: str) -> str | None:
        self._look_now_and_then()
        return super().provider_model(model)

    def look(self) -> None:
        """Takes over what was installed, changed or taken away since the last look."""
        self._next_look = time.monotonic() + _LOOK_SECONDS
        seen = fingerprint(self._folder) if runtime.is_installed() else None
        if seen != self._seen:
            self._seen = seen
            self._take([] if seen is None else self._found())

    def _look_now_and_then(self) -> None:
        if time.monotonic() >= self._next_look:
            self.look()

    def _found(self) -> list[LocalModel]:
        """The models in the folder. A file that is still being written is complained of once, not at every look."""
        problems: list[str] = []
        found = installed_models(self._folder, tell=problems.append)
        for problem in problems:
            if problem not in self._complaints:
                log.warning("%s", problem)
        self._complaints = set(problems)
        return found

    def _take(self, found: list[LocalModel]) -> None:
        known = {engine.model: engine for engine in (*self._gone, *self._engines.values())}
        self._engines = {model.id: known.pop(model, Engine(model)) for model in found}
        self._gone = [engine for engine in known.values() if not engine.is_at_rest]
        self.set_models(models={model.id: _facts(model) for model in found})

    # -- answering ---------------------------------------------------------------------------------------------

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer. Streamed all the same: only so can it be stopped while the prompt is being read."""
        assembler = StreamAssembler(model=chat["model"])
        async with aclosing(self.stream(chat, context)) as batches:
            async for events in batches:
                for event in events:
                    assembler.feed(event.chunk)
        return assembler.so_far()

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        model = self.provider_model(chat["model"]) or chat["model"]
        asked = _guided(chat) if model == DEMO_ID else chat
        async with self._wire(model) as wire, aclosing(wire.stream(asked, context)) as batches:
            async for events in batches:
                if told := [event for event in events if "prompt_progress" not in event.chunk]:
                    yield told

    @asynccontextmanager
    async def _wire(self, model: str) -> AsyncIterator["Wire"]:
        """The dialect at the model's endpoint, which stays up while the block runs."""
        async with self._engines[model].use() as endpoint:
            http = HttpClient(self._limits(), socket=str(endpoint.socket) if endpoint.socket else None)
            try:
                wire = Wire(id="local", name="The local model", api=f"{endpoint.url}/v1", api_key=endpoint.api_key)
                wire.http = http
                yield wire
            finally:
                await http.close()

    async def stop(self) -> None:
        """Ends every running model."""
        for engine in (*self._engines.values(), *self._gone):
            await engine.stop()


class Wire(OpenAiCompatible):
    """llama.cpp's server. With `return_progress` it notices, between two batches of the prompt, that nobody listens."""

    sdk: ClassVar[str] = "local/wire"

    def build_request(self, chat: Chat, *, stream: bool) -> bytes:
        return super().build_request({**chat, "return_progress": True}, stream=stream)  # type: ignore[typeddict-unknown-key]


def _guided(chat: Chat) -> Chat:
    """`chat` as the demo model answers it best.

    Under the system prompt its own template puts in, this quantised copy cannot name the capital of France; under
    this one it can, as long as it takes the likeliest word each time. The small penalty keeps it from going in
    circles. Whoever asks may say otherwise.
    """
    guided: Any = {"temperature": 0, "repeat_penalty": 1.05, **chat}
    if not any(message.get("role") in ("system", "developer") for message in chat["messages"]):
        guided["messages"] = [{"role": "system", "content": "You are a helpful assistant."}, *chat["messages"]]
    return cast(Chat, guided)


def _facts(model: LocalModel) -> Model:
    return {
        "id": model.id,
        "name": model.name,
        "modalities": {"input": ["text"], "output": ["text"]},
        "limit": {"context": model.context, "output": model.context},
        "cost": {"input": 0, "output": 0},
        "tool_call": False,
        "reasoning": False,
        "demo": model.id == DEMO_ID,
    }
