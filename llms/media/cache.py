"""The cache: files under the name of their content, each with a record of what it is and where it came from."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from llms.kernel.errors import Forbidden, NotFound, RequestError
from llms.kernel.files import cannot_write, lock, write_atomic
from llms.kernel.types import Json
from llms.media import images, inline_data, sidecar
from llms.media.encoded import to_bytes
from llms.media.names import URL, extension, shown_name
from llms.media.types import get_file_mime_type, media_type

Saved = Callable[[Json], None]


class Cache:
    """The files below `root`. Safe to use from several threads and processes; none of it should run on an event loop.

    A file is whole or not there. `saved` is called with `{"url", "info", "user"}` for each file that is new.
    """

    def __init__(self, root: Path, *, saved: Saved = lambda _: None) -> None:
        self.root, self.saved = root, saved

    # -- places ------------------------------------------------------------------------------------------------

    def path(self, relative: str = "") -> str:
        """The absolute path of a place in the cache, be there a file or not; the cache's own folder is there.

        Raises Forbidden for a place outside.
        """
        with suppress(OSError):  # whoever goes on to write there will meet it
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = os.path.abspath(self.root)  # noqa: PTH100 - pathlib keeps the `..` in a path
        place = os.path.normpath(os.path.join(root, relative))  # noqa: PTH118
        if "\0" in place or not Path(place).is_relative_to(root):
            raise _outside(relative)
        return place

    def file(self, relative: str) -> Path:
        """The file at this place. Raises Forbidden where it leads out of the cache, NotFound where no file is."""
        root = os.path.realpath(self.root)
        # os.path, because Path raises for names that are too long and links that lead in a circle
        place = Path(os.path.realpath(os.path.join(root, relative))) if "\0" not in relative else None  # noqa: PTH118
        if place is None or not place.is_relative_to(root):
            raise _outside(relative)
        is_hidden = any(part.startswith(".") for part in place.relative_to(root).parts)
        if is_hidden or not os.path.isfile(place):  # noqa: PTH113
            raise NotFound("The cache has no such file. Check its URL, or upload the file again.")
        return place

    def find(self, url: str) -> Path | None:
        """The file behind a cache URL, or at a place in the cache; None where there is none."""
        try:
            return self.file(_relative(url))
        except (Forbidden, NotFound):
            return None

    # -- reading -----------------------------------------------------------------------------------------------

    def info(self, file: Path) -> Json:
        """What was recorded of `file`, or else what can be seen of it."""
        return sidecar.read(file) or self._seen(file)

    def read(self, path_or_url: str | Path) -> tuple[bytes, Json]:
        """The content and the info of a cache URL, a place in the cache, or an absolute path outside.

        Raises NotFound, or RequestError for what cannot be read.
        """
        given = str(path_or_url)
        if "://" in given:
            raise RequestError("A file of the web cannot be read like one of this machine. Download it.")
        is_path = not given.startswith(URL) and os.path.isabs(given)  # noqa: PTH117
        file = Path(given) if is_path else self.file(_relative(given))
        try:
            return file.read_bytes(), self.info(file)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise NotFound(f"{given} does not exist. Check the path.") from exc
        except (OSError, ValueError) as exc:  # ValueError: a null byte
            raise RequestError(f"{given!r} cannot be read: {exc}. Check that it is a file you may read.") from exc

    def _seen(self, file: Path) -> Json:
        root = os.path.realpath(self.root)
        is_ours = file.is_relative_to(root)
        return {
            "date": int(file.stat().st_mtime),
            "name": file.name,
            "ext": file.suffix[1:],
            "type": get_file_mime_type(file.name),
            "url": URL + file.relative_to(root).as_posix() if is_ours else file.as_uri(),
        }

    # -- saving ------------------------------------------------------------------------------------------------

    def save_bytes(
        self,
        data: str | bytes,
        filename: str,
        file_info: Json | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> tuple[str, Json]:
        """Keeps `data`, bytes or base64, and tells its URL and info. What is kept already stays as it is.

        Raises RequestError for what is no base64, ConfigError where the disk is full or closed to us.
        """
        url, info, _ = self._save(data, filename, file_info, context)
        return url, info

    def save_image(
        self,
        data: str | bytes,
        filename: str,
        image_info: Json | None = None,
        ignore_info: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> tuple[str, Json | None]:
        """As `save_bytes`; with `ignore_info` the info of an image that was kept already is None."""
        url, info, is_new = self._save(data, filename, image_info, context)
        return url, info if is_new or not ignore_info else None

    def take_inline_data(self, message: Any, context: Mapping[str, Any] | None = None) -> None:
        """Moves all inline data in the content of `message` to the cache and puts URLs in its place.

        A part that cannot be saved is logged and stays.
        """
        inline_data.take_inline_data(message, lambda data, name, info: self.save_bytes(data, name, info, context)[0])

    def _save(
        self, data: str | bytes, filename: str, given: Json | None, context: Mapping[str, Any] | None
    ) -> tuple[str, Json, bool]:
        """The URL, the info, and whether the file is new."""
        content = to_bytes(data)
        info = _described(content, filename, sidecar.plain(given or {}), (context or {}).get("user"))
        url: str = info["url"]
        file = self.root / _relative(url)
        kept = self._kept(file, len(content)) or self._write(file, content, info)
        if kept is None:
            self.saved({"url": url, "info": info.copy(), "user": info.get("user")})
        return url, kept or info, kept is None

    def _kept(self, file: Path, size: int) -> Json | None:
        """What is recorded of `file`, if it is there, whole."""
        try:
            return sidecar.read(file) if file.stat().st_size == size else None
        except OSError:
            return None

    def _write(self, file: Path, content: bytes, info: Json) -> Json | None:
        """None, or what is recorded where somebody else was faster."""
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise cannot_write(file.parent, exc) from exc
        write_atomic(file, content)  # others that write it now write the same
        with lock(self.root / "cache"):
            if kept := sidecar.read(file):
                return kept
            sidecar.write(file, info)
        return None


def _described(content: bytes, filename: str, given: Json, user: Any) -> Json:
    """The info of a new file: what is `given`, and above it what the content itself tells."""
    given = {key: value for key, value in given.items() if value is not None}
    stored_as = shown_name(filename)
    mime = media_type(content, declared=str(given.get("type", "")), name=stored_as)
    digest = hashlib.sha256(content).hexdigest()
    told: Json = {
        "url": f"{URL}{digest[:2]}/{digest}.{extension(stored_as, mime)}",
        "size": len(content),
        "type": mime,
        "name": shown_name(given.get("name") or filename),
    }
    info: Json = {"date": int(time.time()), **told, **given, **told}
    if user:
        info["user"] = str(user)
    if mime.startswith("image/") and (size := images.size_of(content)):
        info["width"], info["height"] = size
    return info


def _relative(url: str) -> str:
    """The place in the cache that a URL means; what is no cache URL is a place already."""
    if not url.startswith(URL):
        return url
    return unquote(url.removeprefix(URL).partition("#")[0].partition("?")[0])


def _outside(place: str) -> Forbidden:
    return Forbidden(f"{place[:200]!r} is outside of the cache. Use a path below it.")
