"""A chat's messages as the contents of a request to Gemini. No I/O.

https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlsplit

from llms.api import Attachment, RequestError, arguments_of, attachment_of, parts_of, text_of

from .gemini_answer import FORMAT, METADATA
from .gemini_models import Generation
from .unsaid import unsaid_fields

Json = dict[str, Any]

# Stands where Gemini 3 insists on a signature that nobody has: https://ai.google.dev/gemini-api/docs/thought-signatures
UNSIGNED = "skip_thought_signature_validator"
_OWN_PARTS = frozenset(
    (
        *("inlineData", "inline_data", "fileData", "file_data", "functionCall", "function_call", "executableCode"),
        *("functionResponse", "function_response", "codeExecutionResult", "videoMetadata", "toolCall", "toolResponse"),
    )
)
_FIRST = "."  # said in the user's name where nobody but the model has spoken: a chat begins with the user
_EXTRAS = ("videoMetadata", "video_metadata", "mediaResolution", "media_resolution", "thoughtSignature")
_READ = frozenset(("role", "content", "images", "tool_calls", "tool_call_id", "refusal"))
_READ_OF_A_TOOL = _READ | {"name"}
_YOUTUBE = ("youtube.com", "youtu.be")


class Leftovers(Protocol):
    def leave_out(self, *names: str) -> None: ...


class Turns:
    """What is told to the model beforehand (`system`), and who said what (`contents`).

    `files` is the API whose stored files may be named. Raises RequestError for a part that nobody can read.
    """

    def __init__(self, messages: Iterable[Any], *, generation: Generation, files: str, leftovers: Leftovers) -> None:
        self._generation, self._files, self._leftovers = generation, files, leftovers
        self._names: dict[str, str] = {}  # of functions, by the ids of their calls
        self.system: list[Json] = []
        self.contents: list[Json] = []
        for message in messages:
            self._take(message)
        if not self.contents or self.contents[0]["role"] != "user":
            self.contents.insert(0, {"role": "user", "parts": [{"text": _FIRST}]})
        if generation.is_new:
            for content in self.contents:
                _sign(content["parts"])

    def _take(self, message: Json) -> None:
        role = message.get("role")
        is_result = role in ("tool", "function")
        self._leftovers.leave_out(*unsaid_fields(message, _READ_OF_A_TOOL if is_result else _READ))
        if role in ("system", "developer"):
            self.system += self._parts(message.get("content"))
        elif role == "assistant":
            self._add("model", self._answered(message))
        elif is_result:
            self._add("user", self._returned(message))
        else:
            self._add("user", [*self._parts(message.get("content")), *self._parts(message.get("images"))])

    def _add(self, role: str, parts: Iterable[Json]) -> None:
        """Whoever speaks twice in a row says it all in one turn. Who says nothing has none."""
        said = list(parts)
        if said and self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += said
        elif said:
            self.contents.append({"role": role, "parts": said})

    # -- the model ---------------------------------------------------------------------------------------------

    def _answered(self, message: Json) -> Iterator[Json]:
        calls = message.get("tool_calls") or ()
        for call in calls:
            self._names[call.get("id") or ""] = (call.get("function") or {}).get("name") or ""
        said = [*self._parts(message.get("content")), *self._parts(message.get("images"))]
        if message.get("refusal") and not said:
            said = [{"text": message["refusal"]}]
        kept = ((message.get("provider_metadata") or {}).get(METADATA) or {}).get("parts")
        if kept and _is_same(kept, message):
            images = [part for part in said if "text" not in part]
            yield from _restored(kept, images)
            return
        if thought := message.get("reasoning_content"):
            yield {"text": thought, "thought": True}
        signatures = _signatures(message.get("reasoning_details") or ())
        yield from _signed_text(said, signatures.get(""))
        for call in calls:
            yield self._call(call, signatures)

    def _call(self, call: Json, signatures: Mapping[str, str]) -> Json:
        id, function = call.get("id") or "", call.get("function") or {}
        told = {"name": function.get("name") or "", "args": arguments_of(call), **({"id": id} if id else {})}
        google = (call.get("extra_content") or {}).get("google") or {}
        signature = google.get("thought_signature") or (signatures.get(id) if id else None)
        return {"functionCall": told, **({"thoughtSignature": signature} if signature else {})}

    # -- tools -------------------------------------------------------------------------------------------------

    def _returned(self, message: Json) -> Iterator[Json]:
        id = message.get("tool_call_id") or ""
        content = message.get("content")
        response: Json = {"name": self._names.get(id) or message.get("name") or id, "response": _result(content)}
        if id:
            response["id"] = id
        parts = parts_of(content) if isinstance(content, list) else []
        media = self._parts([*(part for part in parts if part.get("type") != "text"), *(message.get("images") or ())])
        inside = [part for part in media if self._generation.is_new and "inlineData" in part]
        if inside:
            response["parts"] = inside
        yield {"functionResponse": response}
        yield from (part for part in media if part not in inside)

    # -- parts -------------------------------------------------------------------------------------------------

    def _parts(self, content: Any) -> list[Json]:
        return [said for part in parts_of(content) if (said := self._part(part))]

    def _part(self, part: Json) -> Json | None:
        """What says `part`; None where Gemini has no words for one of its kind."""
        kind = part.get("type")
        if kind is None and _OWN_PARTS.intersection(part):
            return part
        converter = _CONVERTERS.get(kind or "text")
        if converter is None:
            self._leftovers.leave_out(f"parts of type {kind}")
            return None
        if isinstance(image := part.get("image_url"), dict) and image.get("detail") not in (None, "auto"):
            self._leftovers.leave_out("image_url.detail")
        return {**converter(part, self._files), **{name: part[name] for name in _EXTRAS if name in part}}


def _text(part: Json, files: str) -> Json:
    return {"text": part.get("text") or ""}


def _refusal(part: Json, files: str) -> Json:
    return {"text": part.get("refusal") or ""}


def _video(part: Json, files: str) -> Json:
    """A video as those say it who have a part of its own for videos."""
    given = part.get("video_url")
    url = given.get("url") if isinstance(given, dict) else given
    return _attached({"type": "file", "file": {"file_data": url, "filename": "video.mp4"}}, files)


def _attached(part: Json, files: str) -> Json:
    file = attachment_of(part) or Attachment("file")
    if file.id:
        return {
            "fileData": {"fileUri": f"{files}/{file.id}" if file.id.startswith("files/") else file.id, **_mime(file)}
        }
    if file.url:
        return {"fileData": {"fileUri": file.url, **_mime(file)}}
    if not file.data:
        raise RequestError(f"The {file.kind} '{file.name or 'unnamed'}' is empty. Attach it again.", param="messages")
    return {"inlineData": {"mimeType": file.mime or _guess(file) or "application/octet-stream", "data": file.data}}


_CONVERTERS: Mapping[str, Callable[[Json, str], Json]] = MappingProxyType(
    {
        "text": _text,
        "refusal": _refusal,
        "image_url": _attached,
        "input_audio": _attached,
        "file": _attached,
        "video_url": _video,
    }
)


def _mime(file: Attachment) -> Json:
    """What a file elsewhere is, as far as its name tells. Google asks its own files, and YouTube, itself."""
    host = urlsplit(file.url).hostname or ""
    if any(host == known or host.endswith(f".{known}") for known in _YOUTUBE):
        return {"mimeType": "video/mp4"}
    found = file.mime or _guess(file) or ("image/jpeg" if file.kind == "image" and file.url else "")
    return {"mimeType": found} if found else {}


def _guess(file: Attachment) -> str | None:
    named = mimetypes.guess_type(urlsplit(file.url).path)[0] or mimetypes.guess_type(file.name)[0]
    return named or ("audio/wav" if file.kind == "audio" else None)


# -- what was said before --------------------------------------------------------------------------------------


def _result(content: Any) -> Json:
    """What a function gave back, as the object that Gemini wants."""
    text = text_of(content)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"result": text}


def _signatures(details: Iterable[Any]) -> dict[str, str]:
    """Signatures in `reasoning_details` by what they sign: the id of a call, or "" for the text."""
    found: dict[str, str] = {}
    for detail in details:
        if isinstance(detail, dict) and detail.get("format") == FORMAT and isinstance(detail.get("data"), str):
            found[detail.get("id") or ""] = detail["data"]
    return found


def _signed_text(said: list[Json], signature: str | None) -> list[Json]:
    """`said` with the signature at its last text, or after it where there is none."""
    if not signature:
        return said
    last = max((place for place, part in enumerate(said) if "text" in part), default=None)
    if last is None:
        return [*said, {"text": "", "thoughtSignature": signature}]
    return [*said[:last], {**said[last], "thoughtSignature": signature}, *said[last + 1 :]]


def _is_same(kept: Any, message: Json) -> bool:
    """Whether the parts that were kept still say what the message says: somebody may have edited it."""
    if not isinstance(kept, list) or not all(isinstance(part, dict) for part in kept):
        return False
    ids = [part["functionCall"].get("id") for part in kept if isinstance(part.get("functionCall"), dict)]
    text = "".join(str(part.get("text") or "") for part in kept)
    called = [call.get("id") for call in message.get("tool_calls") or ()]
    return ids == called and text == text_of(message.get("content"))


def _restored(kept: Iterable[Json], images: list[Json]) -> Iterator[Json]:
    """The parts that were kept, the images, which come with the message, in their places."""
    for part in kept:
        if "image" not in part:
            yield part
        elif part["image"] < len(images):
            yield images[part["image"]] | {name: value for name, value in part.items() if name != "image"}


def _sign(parts: list[Json]) -> None:
    """Gives the first call of a turn a signature where it has none. The calls beside it need none."""
    place = next((place for place, part in enumerate(parts) if "functionCall" in part), None)
    if place is not None and not parts[place].get("thoughtSignature"):
        parts[place] = {**parts[place], "thoughtSignature": UNSIGNED}
