"""Claude through the `claude` program on this machine, which answers with its user's own subscription.

https://code.claude.com/docs/en/cli-reference and https://code.claude.com/docs/en/headless
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from llms.api import (
    Chat,
    Chunk,
    Chunks,
    Completion,
    Context,
    DialectProvider,
    Limits,
    ProviderError,
    ProviderTimeout,
    StreamAssembler,
    StreamCut,
    StreamEvent,
    arguments_text,
)

from .anthropic_answer import AnthropicTranslator, usage_from
from .anthropic_turns import Turns

Json = dict[str, Any]

_SAID = frozenset(("model", "messages", "stream", "stream_options", "reasoning_effort", "metadata", "provider"))
_EFFORTS = MappingProxyType({"minimal": "low", "none": "low"})
_MOST_BYTES = 64 * 2**20  # of one answer
_LAST_WORDS = 2000  # bytes of what it complains of
_GRACE = 5.0  # seconds to end by itself, once it has said everything
_NO_TOOLS = ("--tools", "", "--strict-mcp-config", "--disable-slash-commands", "--setting-sources", "")
_NO_FOLDER = ("--no-session-persistence", "--max-turns", "1")
_ALIASES = ("opus", "sonnet", "haiku")


class AnthropicCliProvider(DialectProvider):
    """Runs the program `binary` of the entry, else `claude`, once for each chat. Tools are not offered to it.

    It runs in an empty folder, without its user's settings, so that it answers as the model alone would. An earlier
    conversation is told to it as text, because it takes only what a user says.
    """

    sdk: ClassVar[str] = "@ai-sdk/anthropic-cli"
    default_api: ClassVar[str | None] = "claude-cli:"  # there is no URL
    reads = ("application/pdf", "text/", "image/png", "image/jpeg", "image/gif", "image/webp")

    def __init__(self, **kwargs: Any) -> None:
        kwargs["models"] = kwargs.get("models") or {name: _model(name) for name in _ALIASES}
        super().__init__(**kwargs)
        self.binary: str = kwargs.get("binary") or "claude"

    def validate(self, **_: Any) -> str | None:
        if shutil.which(self.binary):
            return None
        return f"Provider '{self.name}' requires the program '{self.binary}'. Install Claude Code, or set `binary`."

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        assembler = StreamAssembler(model=chat["model"])
        async with contextlib.aclosing(self.stream(chat, context)) as stream:
            async for events in stream:
                assembler.feed_all(events)
        return assembler.so_far()

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        chat = self.addressed(chat)
        with tempfile.TemporaryDirectory(prefix="llms-claude-") as folder:
            command, asked = self._command(chat, Path(folder))
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    cwd=folder,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as exc:
                raise self._failed(f"'{self.binary}' could not be started ({exc.strerror}). Install it") from exc
            try:
                async with contextlib.aclosing(self._answer(process, asked)) as answer:
                    async for events in answer:
                        yield events
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _GRACE)
            finally:
                await _end(process)

    def translator(self) -> CliTranslator:
        return CliTranslator(self.name)

    def decoder(self) -> JsonLines:
        return JsonLines()

    def _command(self, chat: Chat, folder: Path) -> tuple[list[str], bytes]:
        """What is run, and what it is told."""
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        self.leftovers.rest(asked, _SAID)
        turns = Turns(asked["messages"], self.leftovers)
        command = [self.binary, "--print", "--verbose", "--include-partial-messages", "--model", chat["model"]]
        command += ["--input-format", "stream-json", "--output-format", "stream-json", *_NO_TOOLS, *_NO_FOLDER]
        if effort := asked.get("reasoning_effort"):
            command += ["--effort", _EFFORTS.get(effort, effort)]
        system = folder / "system.txt"  # in a file: an argument has a limit, and everybody on this machine can see it
        system.write_text("\n\n".join(str(block.get("text") or "") for block in turns.system), "utf-8")
        command += ["--system-prompt-file", str(system)]
        said = {"type": "user", "message": {"role": "user", "content": list(_told(turns.all()))}}
        return command, msgspec.json.encode(said) + b"\n"

    async def _answer(self, process: asyncio.subprocess.Process, asked: bytes) -> AsyncGenerator[list[StreamEvent]]:
        reader, telling = self.reader(), asyncio.create_task(_tell(process, asked))
        complaint = asyncio.create_task(_last_words(process))
        try:
            async for data in self._output(process):
                if events := reader.feed(data):
                    yield events
            if events := reader.finish():
                yield events
            reader.check()
        except StreamCut as exc:
            await asyncio.wait((complaint,), timeout=_GRACE)
            words = complaint.result() if complaint.done() else ""
            raise self._failed(f"'{self.binary}' ended without an answer ({words or 'no word why'}). Run it") from exc
        finally:
            telling.cancel()
            complaint.cancel()
            await asyncio.gather(telling, complaint, return_exceptions=True)

    async def _output(self, process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
        assert process.stdout is not None
        limits, length = self.http.limits if hasattr(self, "http") else Limits(), 0
        while True:
            try:
                async with asyncio.timeout(limits.client_timeout):
                    data = await process.stdout.read(2**16)
            except TimeoutError as exc:
                raise ProviderTimeout(
                    f"{self.name} said nothing for {limits.client_timeout:g} s. Try again.", provider=self.name
                ) from exc
            length += len(data)
            if length > _MOST_BYTES:
                raise self._failed(f"'{self.binary}' told more than {_MOST_BYTES} bytes. Check it")
            if not data:
                return
            yield data

    def _failed(self, what: str) -> ProviderError:
        return ProviderError(f"{self.name}: {what} on the server's machine.", provider=self.name)


class JsonLines:
    """Cuts bytes into the lines that are JSON objects. What else a program prints is passed over."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._rest += data
        if b"\n" not in data:
            return []
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return [line for line in map(bytes.strip, lines) if line.startswith(b"{")]

    def finish(self) -> list[bytes]:
        return self.feed(b"\n")


class CliTranslator:
    """Reads what the program prints: Anthropic's own events in an envelope, and at the end the result."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._inner = AnthropicTranslator()
        self._ended = False

    def feed(self, event: Json) -> Iterable[Chunk]:
        kind = event.get("type")
        if kind == "stream_event" and not self._ended:
            for chunk in self._inner.feed(event["event"]):
                self._ended = self._ended or any(choice.get("finish_reason") for choice in chunk["choices"])
                yield chunk
        elif kind == "result":
            yield from self._close(event)

    def _close(self, result: Json) -> Iterable[Chunk]:
        if result.get("is_error"):
            why = result.get("result") or "; ".join(result.get("errors") or ()) or result.get("subtype")
            raise ProviderError(f"{self._provider}: {why}", provider=self._provider, status=_status(result))
        chunks = Chunks(id=result.get("session_id"))
        if not self._ended:  # a version that does not stream
            yield chunks.delta(role="assistant", content=str(result.get("result") or ""))
            yield chunks.delta(finish_reason="stop")
        usage = usage_from(result.get("usage") or {})
        if cost := result.get("total_cost_usd"):
            usage["cost"] = cost
        yield chunks.usage(usage)


def _status(result: Json) -> int | None:
    status = result.get("api_error_status")
    return status if isinstance(status, int) else None


def _model(name: str) -> Json:
    media = {"input": ["text", "image", "pdf"], "output": ["text"]}
    return {"id": name, "name": f"Claude {name.title()}", "modalities": media, "tool_call": False, "reasoning": True}


# -- a conversation as something that a user says --------------------------------------------------------------


def _told(turns: list[Json]) -> Iterator[Json]:
    """The last thing said, and before it, as text, what was said earlier; pictures and files stay what they are."""
    *earlier, last = turns
    if earlier:
        yield _text("<conversation>")
        for turn in earlier:
            yield _text(f"<{turn['role']}>")
            yield from _shown(turn["content"])
            yield _text(f"</{turn['role']}>")
        yield _text("</conversation>")
    yield from _shown(last["content"])


def _shown(blocks: Any) -> Iterator[Json]:
    for block in [_text(blocks)] if isinstance(blocks, str) else blocks:
        kind = block.get("type")
        if kind in ("text", "image", "document"):
            yield block
        elif kind == "tool_use":
            yield _text(f"<call>{block['name']}({arguments_text(block['input'])})</call>")
        elif kind == "tool_result":
            yield _text("<result>")
            yield from _shown(block.get("content") or ())
            yield _text("</result>")


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


# -- the process -----------------------------------------------------------------------------------------------


async def _tell(process: asyncio.subprocess.Process, asked: bytes) -> None:
    """One that does not listen says why not when it ends."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(asked)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    words = b""
    while data := await process.stderr.read(2**16):
        words = (words + data)[-_LAST_WORDS:]
    return words.decode("utf-8", "replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the program and whatever it started, where it has not ended by itself.

    What it said last has to be read: asyncio does not hear of its end before that of its pipes.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.communicate(), _GRACE)
