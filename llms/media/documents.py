"""The text of a document, for models that cannot read the document itself."""

import asyncio
import hashlib
import os
import sys
from collections import OrderedDict
from contextlib import suppress
from types import MappingProxyType

from llms.kernel.errors import RequestError

PATIENCE = 60.0  # seconds for one document
_AT_ONCE = 2
_KEPT = 32 << 20  # characters of texts that are kept, so that a long chat does not read its document again each turn
_MOST = 256  # documents that are kept
_OFFICE = "application/vnd.openxmlformats-officedocument"
_FORMATS = MappingProxyType(
    {
        "application/pdf": "pdf",
        f"{_OFFICE}.wordprocessingml.document": "docx",
        f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
        f"{_OFFICE}.presentationml.presentation": "pptx",
    }
)
_ENVIRONMENT = frozenset(("PATH", "PYTHONPATH", "PYTHONHOME", "HOME", "SYSTEMROOT", "LANG"))  # no key among them
_TEXTS = frozenset(
    (
        "application/json",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/javascript",
        "application/x-javascript",
        "application/typescript",
        "application/sql",
        "application/x-sh",
        "application/x-ndjson",
        "application/x-tex",
        "application/x-httpd-php",
        "image/svg+xml",
    )
)


class Documents:
    """Reads documents, each in a process of its own, two at once. What came of the last ones is remembered."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._read: OrderedDict[str, asyncio.Task[str]] = OrderedDict()
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def text(self, data: bytes, mime: str, name: str) -> str:
        """The text of a document. Raises RequestError where it cannot be read."""
        if is_text(mime):
            return data.decode("utf-8-sig", "replace")
        kind = _FORMATS.get(mime)
        if kind is None:
            return self._looks_like_text(data, mime, name)
        key = hashlib.sha256(data).hexdigest()
        reading = self._read.get(key)
        if reading is None or reading.cancelled():
            reading = self._read[key] = asyncio.create_task(self._in_time(kind, data, name))
            reading.add_done_callback(_seen)
        self._read.move_to_end(key)
        self._forget()
        return await asyncio.shield(reading)  # others may wait for it too

    async def close(self) -> None:
        """Stops reading. May be called twice."""
        for task in self._read.values():
            task.cancel()
        await asyncio.gather(*self._read.values(), return_exceptions=True)

    async def _in_time(self, kind: str, data: bytes, name: str) -> str:
        try:
            async with asyncio.timeout(self._patience), self._free:
                return await self._extracted(kind, data, name)
        except TimeoutError as exc:
            why = f"'{name}' takes longer than {self._patience:g} s to read. Send a smaller document."
            raise RequestError(why) from exc

    def _forget(self) -> None:
        """Lets go of what was read longest ago, where it is too much."""
        done = [task for task in self._read.values() if task.done() and not task.cancelled() and not task.exception()]
        size = sum(len(task.result()) for task in done)
        while len(self._read) > 1 and (size > _KEPT or len(self._read) > _MOST):
            _, task = self._read.popitem(last=False)
            size -= len(task.result()) if task in done else 0

    def _looks_like_text(self, data: bytes, mime: str, name: str) -> str:
        try:
            if b"\0" not in data:
                return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        raise RequestError(
            f"The model cannot read '{name}' ({mime or 'unknown type'}), nor can it be turned into text. "
            "Send a PDF, a Word, Excel or PowerPoint file, or text."
        )

    async def _extracted(self, kind: str, data: bytes, name: str) -> str:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "llms.media.extract", kind),  # -P: nothing of the current folder is imported
            env={key: value for key, value in os.environ.items() if key in _ENVIRONMENT},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, error = await child.communicate(data)
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.communicate()  # not `wait`, which never ends while something is left to be read
        if child.returncode:
            reason = error.decode("utf-8", "replace").strip().rpartition("\n")[2] or "it takes too much to read"
            raise RequestError(f"'{name}' cannot be read: {reason}. Send it as text or in another format.")
        return out.decode()


def _seen(task: asyncio.Task[str]) -> None:
    """Whoever waited has been told of a failure, or has gone."""
    if not task.cancelled():
        task.exception()


def is_text(mime: str) -> bool:
    """Whether content of this type is text as it stands."""
    return mime.startswith("text/") or mime in _TEXTS or mime.endswith(("+json", "+xml"))
