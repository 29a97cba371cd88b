"""What a tool has returned, told to a model as text, its pictures, sounds and files kept as resources."""

import json
import mimetypes
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from llms.kernel.errors import LlmsError
from llms.kernel.types import Json

Save = Callable[..., tuple[str, Json | None]]  # content, file name, info, perhaps context=… -> URL, info


class _Kind(NamedTuple):
    """A type of part that brings a file."""

    format: str  # where nothing says another
    mark: str  # before its link


_KINDS = MappingProxyType({"image": _Kind("png", "!"), "audio": _Kind("mp3", ""), "file": _Kind("txt", "")})
_FROM_ARGS = ("prompt", "model", "aspect_ratio")
_GROUPS = MappingProxyType(
    {"image_url": "images", "audio_url": "audios", "file": "files", "file_urls": "files", "text": "texts"}
)
_EXTENSIONS = MappingProxyType(
    {"audio/wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "image/webp": "webp"}
)
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200};base64,", re.IGNORECASE)


class Results:
    """Makes texts and resources of results. `save_image` and `save_bytes` keep content and give its URL."""

    def __init__(self, save_image: Save, save_bytes: Save) -> None:
        self._save_image, self._save_bytes = save_image, save_bytes

    def whole(
        self, result: Any, name: str | None = None, args: Json | None = None, *, user: str | None = None
    ) -> tuple[str, list[Json]]:
        """The text of what the tool `name` returned for `args`, and its resources, which are the user's."""
        parts = [result] if isinstance(result, dict) else result
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            return clean(str(result)), []
        told = [self.part(part, name, args, user=user) for part in parts]
        return (
            "\n".join(text for text, _ in told if text is not None),
            [resource for _, resource in told if resource is not None],
        )

    def part(
        self, part: Any, name: str | None = None, args: Json | None = None, *, user: str | None = None
    ) -> tuple[str | None, Json | None]:
        """The text and the resource of one part; neither, where a file is announced but not there."""
        type_ = part.get("type") if isinstance(part, dict) else None
        if type_ == "text" and "text" in part:
            return None if part["text"] is None else clean(to_content(part["text"])), None
        if not isinstance(type_, str) or type_ not in _KINDS:
            return clean(to_content(part)), None
        if not part.get("data"):
            return None, None
        return self._file(type_, part, name or "tool", args or {}, {"context": {"user": user}} if user else {})

    def _file(self, type_: str, part: Json, name: str, args: Json, whose: Json) -> tuple[str, Json | None]:
        mime, data = _content(part)
        if type_ != "file" and not mime.startswith(f"{type_}/"):
            mime = ""  # what is kept as a picture must not be served as a page
        filename = _filename(part, mime, default=f"{name}-{int(time.time())}", format_=_KINDS[type_].format)
        if data is None:
            return f"The {type_} '{filename}' cannot be shown: its data is not base64.", None
        info = {key: args[key] for key in _FROM_ARGS if args.get(key)}
        if type_ != "file" or mime:
            info["type"] = mime or mimetypes.guess_type(filename)[0] or f"{type_}/{_KINDS[type_].format}"
        try:
            url, _ = (self._save_image if type_ == "image" else self._save_bytes)(data, filename, info, **whose)
        except (LlmsError, OSError) as error:
            return f"The {type_} '{filename}' could not be kept: {error}", None
        prompt = args.get("prompt")
        label = prompt if isinstance(prompt, str) and prompt.strip() else filename
        return f"{_KINDS[type_].mark}[{_label(label)}]({url})\n", _resource(type_, url, filename)


def to_content(result: Any) -> str:
    """`result` as text: collections as JSON, whatever else as Python writes it."""
    if not isinstance(result, list | tuple | set | frozenset | dict):
        return str(result)
    try:
        return json.dumps(result, default=_plain, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # a key that is no text, or a collection that contains itself
        return str(result)


def clean(text: str) -> str:
    """`text` without halves of characters, which a file's name may bring and nothing can send."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def group_resources(resources: Iterable[Any] | None) -> dict[str, list[Json]]:
    """The resources by what they are: images, audios, files, texts, others."""
    grouped: dict[str, list[Json]] = {}
    for resource in resources or ():
        if isinstance(resource, dict) and (type_ := resource.get("type")):
            grouped.setdefault(_GROUPS.get(str(type_), "others"), []).append(resource)
    return grouped


def _content(part: Json) -> tuple[str, bytes | None]:
    """The media type, as far as it is told, and the bytes; None where the data is no base64."""
    data, mime = part["data"], part.get("mimeType")
    mime = mime.partition(";")[0].strip().lower() if isinstance(mime, str) else ""
    if isinstance(data, bytes | bytearray):
        return mime, bytes(data)
    if not isinstance(data, str):
        return mime, None
    if uri := _DATA_URI.match(data):
        mime, data = mime or (uri[1] or "").lower(), data[uri.end() :]
    try:
        return mime, b64decode("".join(data.split()), validate=True)
    except ValueError:
        return mime, None


def _filename(part: Json, mime: str, *, default: str, format_: str) -> str:
    """The name that the part gives, without folders; one made of `default` where it gives none."""
    said = part.get("format")
    extension = _safe(said) if isinstance(said, str) else ""
    extension = extension or _EXTENSIONS.get(mime) or (mimetypes.guess_extension(mime) or f".{format_}")[1:]
    given = next((part[key] for key in ("filename", "name") if isinstance(part.get(key), str)), "")
    filename = _last(given) or _last(default)
    return filename if PurePosixPath(filename).suffix else f"{filename}.{extension}"


def _last(path: str) -> str:
    """What comes after the last folder, in one line; nothing if that is all dots."""
    name = PurePosixPath(re.sub(r"[\x00-\x1f\x7f]", "", path).replace("\\", "/")).name.strip()
    return name if name.strip(". ") else ""


def _safe(format_: str) -> str:
    """`png` of `png`, `.PNG` and `image/png`."""
    return re.sub(r"[^a-z0-9]", "", format_.lower().rpartition("/")[2].partition("+")[0])


def _resource(type_: str, url: str, filename: str) -> Json:
    if type_ == "file":
        return {"type": "file", "file": {"file_data": url, "filename": filename}}
    return {"type": f"{type_}_url", f"{type_}_url": {"url": url}}


def _label(text: str) -> str:
    """`text` as the label of a Markdown link."""
    return re.sub(r"([\[\]\\])", r"\\\1", " ".join(text.split()))


def _plain(value: Any) -> Any:
    """`value`, for which JSON has no word, as what it has one for."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_dumped)


def _dumped(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)  # a pydantic model, as the parts of MCP are
    return dump(mode="json") if callable(dump) else str(value)
