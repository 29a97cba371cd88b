"""Messages as the content blocks of Amazon's Converse API, and what a block says. No I/O.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from llms.api import Attachment, arguments_of, attachment_of, parts_of, text_of

from .unsaid import unsaid_fields

Json = dict[str, Any]
CLAUDE, BEDROCK = "anthropic-claude-v1", "bedrock-converse-v1"  # formats of `reasoning_details`
_NATIVE = frozenset(
    (
        *("text", "image", "document", "video", "audio", "json", "searchResult", "guardContent", "cachePoint"),
        *("toolUse", "toolResult", "reasoningContent", "citationsContent"),
    )
)
_READ = frozenset(("role", "content", "cache_control", "is_error", "tool_calls", "tool_call_id", "refusal"))
_FIRST = "."  # said in the user's name where nobody but the model has spoken: a chat begins with the user
_NOT_IN_RESULT = frozenset(("cachePoint", "guardContent"))
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/json": "txt",
}
OFFICE = (*(mime for mime in _DOCUMENTS if mime.startswith("application/")),)
_IMAGES = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
_VIDEOS = {
    "mp4": "mp4",
    "webm": "webm",
    "mov": "mov",
    "mkv": "mkv",
    "flv": "flv",
    "wmv": "wmv",
    "mpeg": "mpeg",
    "mpg": "mpg",
    "quicktime": "mov",
    "matroska": "mkv",
    "ms-wmv": "wmv",
    "3gpp": "three_gp",
    "3gp": "three_gp",
}
_AUDIOS = {
    "mp3": "mp3",
    "wav": "wav",
    "ogg": "ogg",
    "opus": "opus",
    "flac": "flac",
    "aac": "aac",
    "m4a": "m4a",
    "mp4": "mp4",
    "webm": "webm",
    "pcm": "pcm",
    "mpeg": "mp3",
    "mpga": "mp3",
}
_FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(  # media type -> block, its format
    {
        **{mime: ("document", _DOCUMENTS[mime]) for mime in _DOCUMENTS},
        **{f"image/{sub}": ("image", _IMAGES[sub]) for sub in _IMAGES},
        **{f"video/{sub}": ("video", _VIDEOS[sub]) for sub in _VIDEOS},
        **{f"audio/{sub}": ("audio", _AUDIOS[sub]) for sub in _AUDIOS},
    }
)
_EXTENSIONS: Mapping[str, tuple[str, str]] = MappingProxyType(  # where the media type says nothing
    {
        **{sub: ("audio", _AUDIOS[sub]) for sub in _AUDIOS},
        **{sub: ("video", _VIDEOS[sub]) for sub in _VIDEOS},
        **{sub: ("image", _IMAGES[sub]) for sub in _IMAGES},
        **{_DOCUMENTS[mime]: ("document", _DOCUMENTS[mime]) for mime in _DOCUMENTS},
    }
)
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NO_NAME = re.compile(r"[^a-zA-Z0-9\s()\[\]-]+")
_SERVER = "server_tool_use"


class Conversation:
    """Messages added one after another, as `system` and `turns()` of a request; neighbours of one role are one.

    `left_out` has what no block can say.
    """

    def __init__(self, model: str, *, server_tools: bool = False) -> None:
        self.system: list[Json] = []
        self._messages: list[Json] = []
        self.left_out: list[str] = []
        self._model, self._server_tools = model.lower(), server_tools
        self._names: set[str] = set()  # of documents, which have to differ

    def add(self, message: Json) -> None:
        role = message.get("role")
        self.left_out += unsaid_fields(message, _READ)
        if role in ("system", "developer"):
            self.system += self._blocks(message)
        elif role == "assistant":
            self._say("assistant", self._answer(message))
        elif role == "tool":
            self._say("user", self._result(message))
        else:
            self._say("user", self._blocks(message))

    def turns(self) -> list[Json]:
        """The messages: the user's first, and an answer that was begun without a blank at its end."""
        turns = self._messages
        if not turns or turns[0]["role"] != "user":
            turns = [{"role": "user", "content": [{"text": _FIRST}]}, *turns]
        *before, last = turns[-1]["content"]
        if turns[-1]["role"] == "assistant" and "text" in last:
            turns = [*turns[:-1], {"role": "assistant", "content": [*before, {"text": last["text"].rstrip()}]}]
        return turns

    def tools_named(self) -> list[str]:
        """The client's tools that were called, each once."""
        blocks = (block for message in self._messages for block in message["content"])
        return list(dict.fromkeys(call["name"] for block in blocks if (call := call_in(block)) is not None))

    def _say(self, role: str, blocks: list[Json]) -> None:
        if self._messages and self._messages[-1]["role"] == role:
            self._messages[-1]["content"] += blocks
        elif blocks:
            self._messages.append({"role": role, "content": blocks})

    # -- messages ----------------------------------------------------------------------------------------------

    def _blocks(self, message: Json) -> list[Json]:
        blocks = [block for part in parts_of(message.get("content")) for block in self._marked(part)]
        return blocks + cache_point(message)

    def _answer(self, message: Json) -> list[Json]:
        told = ((message.get("provider_metadata") or {}).get("bedrock") or {}).get("content")
        calls = message.get("tool_calls") or []
        if told and _says(told, message):
            return [block for block in told if self._takes(block)] + cache_point(message)
        blocks = [block for block in _thoughts(message.get("reasoning_details")) if self._takes(block)]
        blocks += self._blocks({"content": message.get("content") or message.get("refusal")})
        blocks += [block for call in calls for block in (_tool_use(call), *cache_point(call))]
        return blocks + cache_point(message)

    def _result(self, message: Json) -> list[Json]:
        blocks = self._blocks(message)
        content = [block for block in blocks if block.keys().isdisjoint(_NOT_IN_RESULT)]
        result: Json = {"toolUseId": _id(message.get("tool_call_id")), "content": content}
        if message.get("is_error"):
            result["status"] = "error"
        return [{"toolResult": result}, *(block for block in blocks if "cachePoint" in block)]

    def _takes(self, block: Json) -> bool:
        """Whether this model takes back what perhaps another one has said.

        Claude takes its reasoning only with the signature, the others only without one, DeepSeek none at all. Behind
        the ARN of a profile or of a model of the caller's own is nobody else than before.
        """
        if "reasoningContent" not in block:
            return self._server_tools or not is_server_block(block)
        signed = "signature" in (block["reasoningContent"].get("reasoningText") or {})
        if "claude" in self._model:
            return signed or "redactedContent" in block["reasoningContent"]
        is_nameless = self._model.startswith("arn:") and "." not in self._model.rpartition("/")[2]
        return is_nameless or not (signed or "deepseek" in self._model)

    # -- parts -------------------------------------------------------------------------------------------------

    def _marked(self, part: Json) -> Iterator[Json]:
        """The block for `part`, and the cache point that its `cache_control` asks for."""
        block = self._block(part)
        if block is not None:
            yield block
            yield from cache_point(part)

    def _block(self, part: Json) -> Json | None:
        kind = part.get("type")
        if kind in ("text", "refusal"):
            return {"text": part[kind]} if part[kind].strip() else None  # blank ones are refused
        if kind is None and not _NATIVE.isdisjoint(part):
            return {name: value for name, value in part.items() if name != "cache_control"}
        if kind == "video_url":
            part = {"type": "file", "file": {"file_data": _url(part["video_url"])}}
        attachment = attachment_of(part)
        block = None if attachment is None else self._attached(attachment, part)
        if block is None:
            self.left_out.append(f"{kind} ({attachment.mime or attachment.url[:40]})" if attachment else str(kind))
        return block

    def _attached(self, attachment: Attachment, part: Json) -> Json | None:
        """The block for an attachment; None for a format that there is no block for, and for a URL elsewhere."""
        extension = PurePosixPath(attachment.name or urlsplit(attachment.url).path).suffix[1:].lower()
        form = _FORMATS.get(attachment.mime.replace("/x-", "/")) or _EXTENSIONS.get(extension)
        if form is None and attachment.mime.startswith("text/"):
            form = ("document", "txt")
        if attachment.url.startswith("s3://"):
            source: Json = {"s3Location": {"uri": attachment.url}}
        else:
            source = {"bytes": attachment.data}
        if form is None or not (attachment.data or "s3Location" in source):
            return None
        block, format = form
        if block != "document":
            return {block: {"format": format, "source": source}}
        more = {name: part[name] for name in ("citations", "context") if name in part}
        name = self._name(attachment.name or urlsplit(attachment.url).path.rpartition("/")[2])
        return {"document": {"format": format, "name": name, "source": source, **more}}

    def _name(self, given: str) -> str:
        """A document's name: letters, digits, single spaces, hyphens and brackets, and no other has it."""
        stem = PurePosixPath(given).stem if PurePosixPath(given).suffix[1:].lower() in _EXTENSIONS else given
        name = " ".join(_NO_NAME.sub("-", stem).split())[:190].strip("- ") or "Document"
        unique, number = name, 2
        while unique in self._names:
            unique, number = f"{name} ({number})", number + 1
        self._names.add(unique)
        return unique


def cache_point(marked: Json) -> list[Json]:
    """The cache point for a part, message or tool that has Anthropic's `cache_control`; nothing without one."""
    control = marked.get("cache_control")
    if not isinstance(control, dict):
        return []
    return [{"cachePoint": {"type": "default", **({"ttl": control["ttl"]} if control.get("ttl") else {})}}]


# -- what a block says ---------------------------------------------------------------------------------------------


def text_in(block: Json) -> str:
    if "citationsContent" in block:
        return "".join(part.get("text") or "" for part in block["citationsContent"].get("content") or ())
    return str(block.get("text") or "")


def reasoning_in(block: Json) -> str:
    return str(((block.get("reasoningContent") or {}).get("reasoningText") or {}).get("text") or "")


def call_in(block: Json) -> Json | None:
    """The call of a tool of the client's; None for one that Bedrock has run itself."""
    call: Json | None = block.get("toolUse")
    return None if call is None or call.get("type") == _SERVER else call


def is_server_block(block: Json) -> bool:
    """Whether `block`, said by the model, is the call of a tool that Bedrock has run itself, or what came of it."""
    return "toolResult" in block or (block.get("toolUse") or {}).get("type") == _SERVER


def fields_in(block: Json, *, place: int, start: int) -> Json:
    """What `block` adds to lists of OpenAI's message. Its text stands at `start`, its reasoning is the `place`th."""
    if "reasoningContent" in block:
        return {"reasoning_details": [_detail(block["reasoningContent"], place)]}
    if "citationsContent" in block:
        end = start + len(text_in(block))
        citations = block["citationsContent"].get("citations") or ()
        return {"annotations": [_annotation(citation, start, end) for citation in citations]}
    if data := ((block.get("image") or {}).get("source") or {}).get("bytes"):
        url = f"data:image/{block['image'].get('format') or 'png'};base64,{data}"
        return {"images": [{"type": "image_url", "image_url": {"url": url}}]}
    return {}


def has_to_be_kept(blocks: list[Json]) -> bool:
    """Whether OpenAI's message loses what has to be sent back: server tools, or where reasoning stood in between."""
    thoughts = ["reasoningContent" in block for block in blocks]
    return any(map(is_server_block, blocks)) or thoughts != sorted(thoughts, reverse=True)


def _detail(reasoning: Json, place: int) -> Json:
    if "redactedContent" in reasoning:
        return {
            "type": "reasoning.encrypted",
            "data": reasoning["redactedContent"],
            "format": BEDROCK,
            "index": place,
        }
    said = reasoning.get("reasoningText") or {}
    detail = {"type": "reasoning.text", "text": said.get("text") or "", "index": place}
    if signature := said.get("signature"):
        return {**detail, "signature": signature, "format": CLAUDE}
    return {**detail, "format": BEDROCK}


def _thoughts(details: Any) -> Iterator[Json]:
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict) or detail.get("format") not in (CLAUDE, BEDROCK):
            continue
        if detail.get("type") == "reasoning.text":
            signed = {"signature": detail["signature"]} if detail.get("signature") else {}
            yield {"reasoningContent": {"reasoningText": {"text": detail.get("text") or "", **signed}}}
        elif detail.get("type") == "reasoning.encrypted" and detail["format"] == BEDROCK:
            yield {"reasoningContent": {"redactedContent": detail["data"]}}


def _annotation(citation: Json, start: int, end: int) -> Json:
    web = (citation.get("location") or {}).get("web") or {}
    told: Json = {
        "url": web.get("url") or citation.get("source") or "",
        "title": citation.get("title") or web.get("domain") or "",
        "start_index": start,
        "end_index": end,
    }
    if cited := "".join(part.get("text") or "" for part in citation.get("sourceContent") or ()):
        told["content"] = cited
    return {"type": "url_citation", "url_citation": told}


def _says(blocks: list[Json], message: Json) -> bool:
    """Whether `blocks` still say what `message` says: a client may have edited it."""
    calls = [_id(call["toolUseId"]) for block in blocks if (call := call_in(block)) is not None]
    same = calls == [_id(call.get("id")) for call in message.get("tool_calls") or ()]
    return same and "".join(map(text_in, blocks)) == text_of(message.get("content"))


def _tool_use(call: Json) -> Json:
    name = (call.get("function") or {}).get("name")
    return {"toolUse": {"toolUseId": _id(call.get("id")), "name": name, "input": arguments_of(call)}}


def _id(id: Any) -> str:
    """An id as Bedrock takes them. The same id always becomes the same."""
    if isinstance(id, str) and _ID.fullmatch(id):
        return id
    return f"tooluse_{hashlib.sha256(str(id).encode()).hexdigest()[:24]}"


def _url(given: Any) -> str:
    return str(given.get("url") if isinstance(given, dict) else given)
