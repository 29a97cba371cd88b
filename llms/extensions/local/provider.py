"""The models on this machine as a provider: an OpenAI dialect behind each model's own socket."""

from collections.abc import AsyncGenerator, AsyncIterator
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
from .models import DEMO_ID, LocalModel, installed_models


class LocalProvider(OpenAiCompatible):
    """Answers with the `.gguf` files in `folder`, which is looked at again whenever it has changed.

    Always there, with no models until the runtime and a file are: so a running server notices an installation.
    """

    sdk: ClassVar[str] = "local"

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._engines: dict[str, Engine] = {}
        self._seen: int | None = None
        self._gone: list[Engine] = []  # of files that were taken away; each stops when idle, or with us
        super().__init__(id="local", name="Local", api="http://local/v1")

    def validate(self, **_: Any) -> str | None:
        return None

    # -- which models ------------------------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Model]:
        self._look()
        return super().models

    def provider_model(self, model: str) -> str | None:
        self._look()
        return super().provider_model(model)

    def _look(self) -> None:
        """Takes over what was put into the folder or taken out of it since the last look. Costs one `stat`."""
        changed = self._folder.stat().st_mtime_ns if self._folder.is_dir() else 0
        if changed == self._seen:
            return
        self._seen = changed
        found = {model.id: model for model in installed_models(self._folder)} if runtime.is_installed() else {}
        known = {id: engine for id, engine in self._engines.items() if id in found}
        self._gone += [engine for id, engine in self._engines.items() if id not in found]
        self._engines = {id: known.get(id) or Engine(model) for id, model in found.items()}
        self.set_models(models={id: _facts(model) for id, model in found.items()})

    # -- answering ---------------------------------------------------------------------------------------------

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer. Streamed all the same: only so can it be stopped while the prompt is being read."""
        assembler = StreamAssembler(model=chat["model"])
        async with aclosing(self.stream(chat, context)) as batches:
            async for events in batches:
                for event in events:
                    assembler.feed(event.chunk)
        return assembler.finish()

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
            http = HttpClient(self._limits, socket=str(endpoint.socket) if endpoint.socket else None)
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
    this one it can. The sampling values are those its makers recommend; the penalty keeps it from going in circles.
    """
    guided: Any = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, **chat}
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
