"""A chat's messages as the turns of Anthropic's dialect. No I/O.

https://platform.claude.com/docs/en/build-with-claude/working-with-messages
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from llms.api import Attachment, RequestError, arguments_of, attachment_of, parts_of, text_of

from .unsaid import unsaid_fields

Json = dict[str, Any]

FORMAT = "anthropic-claude-v1"  # what OpenRouter calls this dialect's thoughts
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_TEXTUAL = ("application/json", "application/xml", "application/yaml", "application/javascript")
_OF_A_DOCUMENT = ("title", "context", "citations")  # Anthropic's own fields, which may stand on a file part
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")
_FIRST = "."  # said in the user's name where nobody but the model has spoken: a chat begins with the user
_MARK = "cache_control"
_NAMELESS = "file"  # what a file without a name is called on its way here
_READ = frozenset(("role", "content", "cache_control", "is_error", "tool_calls", "tool_call_id", "refusal"))


class LeavesOut(Protocol):
    """Takes note of what is not said."""

    def leave_out(self, *names: str) -> None: ...


class Turns:
    """Takes a chat's messages in order. `system` has the blocks of the instructions, `all()` the turns."""

    def __init__(self, messages: Iterable[Json], leftovers: LeavesOut) -> None:
        self.system: list[Json] = []
        self._turns: list[Json] = []
        self._leftovers = leftovers
        for message in messages:
            self._add(message)

    def all(self) -> list[Json]:
        """The turns: the user's first, then in alternation, none of them empty."""
        turns = self._turns
        if not turns or turns[0]["role"] != "user":
            turns = [{"role": "user", "content": [{"type": "text", "text": _FIRST}]}, *turns]
        last = turns[-1]["content"][-1]
        if turns[-1]["role"] == "assistant" and last.get("type") == "text":  # the beginning of what it shall say
            turns[-1]["content"][-1] = {**last, "text": last["text"].rstrip()}
        return turns

    def thinks_before_tools(self) -> bool:
        """Whether a call whose result comes last was thought about; a model that thinks now insists on it."""
        calls: list[Json] = next((turn["content"] for turn in reversed(self._turns) if turn["role"] == "assistant"), [])
        waits = any(map(_is_call, calls)) and self._turns[-1]["role"] == "user"
        return not waits or calls[0]["type"] in ("thinking", "redacted_thinking")

    def _add(self, message: Json) -> None:
        role = message.get("role")
        self._leftovers.leave_out(*unsaid_fields(message, _READ))
        blocks = _ROLES.get(role, _blocks)(message, self._leftovers) if isinstance(role, str) else []
        if mark := message.get("cache_control"):
            blocks = [*blocks[:-1], {**blocks[-1], "cache_control": mark}] if blocks else []
        if role in ("system", "developer"):
            self.system += blocks
        elif blocks:
            self._say("assistant" if role == "assistant" else "user", blocks)

    def _say(self, role: str, blocks: list[Json]) -> None:
        if self._turns and self._turns[-1]["role"] == role:
            self._turns[-1]["content"] += blocks
        else:
            self._turns.append({"role": role, "content": [*blocks]})


def own_metadata(message: Json) -> Json:
    """What the vendor told with this answer beyond OpenAI's words, and wants to see again."""
    metadata = message.get("provider_metadata")
    own = metadata.get("anthropic") if isinstance(metadata, dict) else None
    return own if isinstance(own, dict) else {}


# -- one message -----------------------------------------------------------------------------------------------


def _blocks(message: Json, leftovers: LeavesOut) -> list[Json]:
    return blocks_of(message.get("content"), leftovers)


def _answer(message: Json, leftovers: LeavesOut) -> list[Json]:
    """What the model said: as it said it where that was kept, else its thoughts, its words and its calls."""
    if (kept := _kept(message)) is not None:
        return kept
    said = [
        block
        for block in blocks_of(message.get("content") or message.get("refusal"), leftovers)
        if not _is_media(block, leftovers)
    ]
    return [*_thoughts(message.get("reasoning_details")), *said, *_calls(message, leftovers)]


def _result(message: Json, leftovers: LeavesOut) -> list[Json]:
    """A tool's result. Text stays text; parts become blocks, whose caching mark only the result can bear."""
    content = message.get("content")
    result: Json = {"type": "tool_result", "tool_use_id": _id(message.get("tool_call_id"))}
    if isinstance(content, str):
        result |= {"content": content} if content.strip() else {}
    elif blocks := blocks_of(content, leftovers):
        marks = [mark for block in blocks if (mark := block.get(_MARK))]
        result["content"] = [{name: value for name, value in block.items() if name != _MARK} for block in blocks]
        result |= {_MARK: marks[-1]} if marks else {}
    if message.get("is_error"):
        result["is_error"] = True
    return [result]


def _kept(message: Json) -> list[Json] | None:
    """The blocks of this answer as they came, unless somebody changed what it says since."""
    kept = own_metadata(message).get("content")
    if not isinstance(kept, list) or not kept or not all(isinstance(block, dict) for block in kept):
        return None
    text = "".join(str(block.get("text") or "") for block in kept if block.get("type") == "text")
    calls = [_id(block.get("id")) for block in kept if _is_call(block)]
    same = text == text_of(message.get("content")) and calls == [_id(call.get("id")) for call in _called(message)]
    return [block for block in kept if not _is_blank(block)] if same else None


def _thoughts(details: Any) -> list[Json]:
    """Signed thoughts. One without a signature would be refused, and another vendor's means nothing here."""
    thoughts: list[Json] = []
    for detail in details if isinstance(details, list) else ():
        form = detail.get("format") if isinstance(detail, dict) else ""
        if form not in (FORMAT, None):
            continue
        if detail.get("type") == "reasoning.text" and detail.get("signature"):
            text, signature = detail.get("text") or "", detail["signature"]
            thoughts.append({"type": "thinking", "thinking": text, "signature": signature})
        elif form and detail.get("type") == "reasoning.encrypted" and detail.get("data"):
            thoughts.append({"type": "redacted_thinking", "data": detail["data"]})
    return thoughts


def _calls(message: Json, leftovers: LeavesOut) -> list[Json]:
    calls: list[Json] = []
    for call in _called(message):
        if not (name := (call.get("function") or {}).get("name")):
            leftovers.leave_out(f"messages.tool_calls of type {call.get('type')}")
            continue
        said = {"type": "tool_use", "id": _id(call.get("id")), "name": name, "input": arguments_of(call)}
        calls.append(_marked(said, call))
    return calls


def _called(message: Json) -> list[Json]:
    return message.get("tool_calls") or []


def _id(id: Any) -> str:
    """The id of a call as Anthropic takes it: another vendor's may hold anything. The same becomes the same."""
    return _NO_ID.sub("_", str(id))


def _is_call(block: Json) -> bool:
    return block.get("type") == "tool_use"


def _is_media(block: Json, leftovers: LeavesOut) -> bool:
    """Whether `block` is one that no answer may hold; it is left out."""
    media = block["type"] in ("image", "document")
    if media:
        leftovers.leave_out(f"{block['type']} in an answer")
    return media


_ROLES: Mapping[str, Callable[[Json, LeavesOut], list[Json]]] = MappingProxyType(
    {"assistant": _answer, "tool": _result}
)


# -- one part --------------------------------------------------------------------------------------------------


def blocks_of(content: Any, leftovers: LeavesOut) -> list[Json]:
    """A message's content as blocks, without the blank texts that are refused.

    A part of a type that OpenAI does not have is taken for Anthropic's own, and stays as it is.
    """
    blocks: list[Json] = []
    for part in parts_of(content):
        kind = str(part.get("type"))
        block = _PARTS[kind](part, leftovers) if kind in _PARTS else part
        if block is not None and not _is_blank(block):
            blocks.append(_marked(block, part))
    return blocks


def _text(part: Json, _: LeavesOut) -> Json:
    return {key: value for key, value in part.items() if key in ("type", "text", "citations") and value is not None}


def _refusal(part: Json, _: LeavesOut) -> Json:
    return {"type": "text", "text": str(part.get("refusal") or "")}


def _image(part: Json, leftovers: LeavesOut) -> Json | None:
    given = part.get("image_url")
    if isinstance(given, dict) and given.get("detail") not in (None, "auto"):
        leftovers.leave_out("image_url.detail")
    image = attachment_of(part)
    source = _source(image, leftovers) if image else None
    return {"type": "image", "source": source} if source else None


def _file(part: Json, leftovers: LeavesOut) -> Json | None:
    file = attachment_of(part)
    source = _source(file, leftovers) if file else None
    if file is None or source is None:
        return None
    if str(source.get("media_type")).startswith("image/"):
        return {"type": "image", "source": source}
    titled = {"title": file.name} if file.name not in ("", _NAMELESS) else {}
    own = {key: part[key] for key in _OF_A_DOCUMENT if part.get(key) is not None}
    return {"type": "document", "source": source, **titled, **own}


def _unsayable(part: Json, leftovers: LeavesOut) -> None:
    leftovers.leave_out(str(part["type"]))


def _marked(block: Json, part: Json) -> Json:
    """`block` with the caching mark of the part it says."""
    mark = part.get("cache_control")
    return {**block, "cache_control": mark} if mark and "cache_control" not in block else block


def _is_blank(block: Json) -> bool:
    return block.get("type") == "text" and not str(block.get("text") or "").strip()


def _source(attachment: Attachment, leftovers: LeavesOut) -> Json | None:
    """Where the bytes of an attachment are; None where Anthropic cannot read them."""
    if attachment.id:
        return {"type": "file", "file_id": attachment.id}
    if attachment.url.startswith("http"):
        return {"type": "url", "url": attachment.url}
    if attachment.url:
        leftovers.leave_out(f"{attachment.kind} at {attachment.url.partition(':')[0]}://")
        return None
    if not attachment.data:
        raise RequestError(f"The {attachment.kind} '{attachment.name or 'unnamed'}' is empty. Give its data.")
    data = attachment.bytes
    mime = _sniffed(data) or attachment.mime
    if mime.startswith("image/") or mime == "application/pdf":
        return {"type": "base64", "media_type": mime, "data": attachment.data}
    if attachment.kind == "file" and (mime.startswith("text/") or mime in _TEXTUAL):
        return {"type": "text", "media_type": "text/plain", "data": data.decode("utf-8", "replace")}
    leftovers.leave_out(f"{attachment.kind} of type {mime or 'unknown'}")
    return None


def _sniffed(data: bytes) -> str:
    """The type that the first bytes tell, whatever the sender called it: Anthropic refuses what does not fit."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[:5] == b"%PDF-":
        return "application/pdf"
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), "")


_PARTS: Mapping[str, Callable[[Json, LeavesOut], Json | None]] = MappingProxyType(
    {
        "text": _text,
        "refusal": _refusal,
        "image_url": _image,
        "file": _file,
        "input_audio": _unsayable,
        "audio_url": _unsayable,
        "video_url": _unsayable,
        "input_video": _unsayable,
    }
)
