"""Reads what a chat's messages hold, for dialects that have to say it in other words. No I/O."""

import binascii
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import msgspec

from llms.kernel.errors import RequestError
from llms.kernel.types import Json

_FIELDS = {"image_url": "url", "input_audio": "data", "file": "file_data"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is no text. Either `data` (base64) or `url` is set, or neither where only `id` names a file."""

    kind: str  # image, audio or file
    mime: str = ""
    data: str = ""
    url: str = ""
    name: str = ""
    id: str = ""

    @property
    def bytes(self) -> bytes:
        """What `data` holds. Raises RequestError where it is not base64."""
        try:
            return binascii.a2b_base64(self.data, strict_mode=True)
        except ValueError as exc:
            raise RequestError(f"The {self.kind} '{self.name or 'unnamed'}' is not valid base64. Encode it.") from exc

    @property
    def format(self) -> str:
        """The second half of the media type without parameters and `x-`: `png`, `wav`, `pdf`."""
        return self.mime.partition("/")[2].partition(";")[0].partition("+")[0].removeprefix("x-")


def parts_of(content: Any) -> list[Json]:
    """A message's content as a list of parts; a text is one part, and nothing is none. Empty texts are left out."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    return [part for part in parts if part.get("type") != "text" or part.get("text")]


def text_of(content: Any, *, between: str = "") -> str:
    """The texts of a message's content, put together."""
    return between.join(str(part["text"]) for part in parts_of(content) if part.get("type") == "text")


def attachment_of(part: Json) -> Attachment | None:
    """What an `image_url`, `input_audio` or `file` part holds; None for any other part."""
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return None
    given = part.get(kind)
    fields: Json = given if isinstance(given, dict) else {_FIELDS[kind]: given}
    value, name = str(fields.get(_FIELDS[kind]) or ""), str(fields.get("filename") or "")
    short = {"image_url": "image", "input_audio": "audio"}.get(kind, kind)
    if value[:5].lower() == "data:":
        head, _, data = value[5:].partition(",")
        if not head.lower().endswith(";base64"):
            data = b64encode(unquote_to_bytes(data)).decode()
        return Attachment(short, head.partition(";")[0].lower() or "text/plain", data, name=name)
    if value.startswith(("http://", "https://", "gs://", "s3://")):
        return Attachment(short, url=value, name=name)
    if kind == "input_audio":
        return Attachment(short, f"audio/{fields.get('format') or 'wav'}", value, name=name)
    return Attachment(short, data=value, name=name, id=str(fields.get("file_id") or ""))


def arguments_of(call: Json) -> Json:
    """The arguments of a tool call as an object. What is not JSON stands in it as `{"arguments": text}`."""
    given = (call.get("function") or {}).get("arguments")
    if isinstance(given, dict):
        return given
    try:
        parsed = msgspec.json.decode(given or "{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = None
    return parsed if isinstance(parsed, dict) else {"arguments": given}


def arguments_text(arguments: Any) -> str:
    """Arguments that a vendor gives as an object, as OpenAI's JSON text; a text stays one."""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()


def schema_of(response_format: Any) -> Json | None:
    """The JSON Schema that a chat's `response_format` asks for; an empty one for any JSON; None for free text."""
    if not isinstance(response_format, dict):
        return None
    if response_format.get("type") == "json_schema":
        return cast(Json, (response_format.get("json_schema") or {}).get("schema") or {})
    return {} if response_format.get("type") == "json_object" else None
