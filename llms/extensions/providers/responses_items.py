"""A chat's messages as the input items of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from llms.api import RequestError, arguments_text, attachment_of, parts_of, text_of

Json = dict[str, Any]
FORMAT = "openai-responses-v1"  # of reasoning that only this dialect can say again
_LONGEST_ID = 64  # of a call; a longer one is answered with 400
_RUN_BY_XAI = frozenset(  # names of what comes as the call of a custom tool, though xAI has run it itself
    (
        *("browse_page", "view_image", "view_x_video", "web_search", "web_search_with_snippets"),
        *("x_keyword_search", "x_semantic_search", "x_thread_fetch", "x_user_search"),
    )
)


class Conversation:
    """Takes messages in, in order, for the vendor at `issuer`. `left_out` has what no item can say.

    `stored` is whether the vendor keeps what it is told.
    """

    def __init__(self, *, stored: bool, issuer: str) -> None:
        self.items: list[Json] = []
        self.left_out: list[str] = []
        self._stored = stored
        self._issuer = issuer
        self._results: dict[Any, Json] = {}  # how does the result of a call begin? By the call's id in the messages

    def add(self, message: Json) -> None:
        """Raises RequestError where it is not formed as a message."""
        try:
            self._add(message)
        except (AttributeError, KeyError, TypeError) as exc:
            fix = "Form it as Chat Completions does."
            raise RequestError(
                f"A message cannot be read ({type(exc).__name__}: {exc}). {fix}", param="messages"
            ) from exc

    def _add(self, message: Json) -> None:
        role = message.get("role")
        if "cache_control" in message:
            self.left_out.append("messages: cache_control")
        if role == "assistant":
            self._add_answer(message)
        elif role == "tool":
            self._add_result(message)
        elif role in ("user", "system", "developer"):
            self.items.append({"role": role, "content": self._content(message.get("content"))})
            if message.get("name"):
                self.left_out.append("messages: name")
        else:
            self.left_out.append(f"messages: role {role}")

    def _add_answer(self, message: Json) -> None:
        """An answer as it came, where it is known how it came; otherwise reasoning, text and calls, in this order."""
        given = said_natively(message, self._issuer)
        items = self._again(given, _images(message)) if given else self._in_order(message)
        for item in items:
            self.items.append(self._called(item) if item.get("call_id") else item)

    def _called(self, item: Json) -> Json:
        """A call, of which it is noted how its result begins."""
        id = _short(item["call_id"])
        self._results[item["call_id"]] = {"type": f"{item['type']}_output", "call_id": id}
        return {**item, "call_id": id}

    def _in_order(self, message: Json) -> Iterator[Json]:
        yield from _reasoning(message, self._issuer)
        yield from self._told(message)

    def _again(self, given: list[Json], images: Iterator[str]) -> Iterator[Json]:
        """What the vendor said, for it to see again. What it has forgotten cannot be named, only said in full."""
        for item in given:
            if item["type"] == "image_generation_call":
                if image := next(images, None):
                    yield {**item, "status": "completed", "result": image}
                elif self._stored:
                    yield item
            else:
                yield item

    def _told(self, message: Json) -> Iterator[Json]:
        given = map(self._unmarked, parts_of(message.get("content")))
        parts = [said for part in given for said in self._answer_part(part)]
        if message.get("refusal"):
            parts.append({"type": "refusal", "refusal": message["refusal"]})
        if parts:
            yield {"type": "message", "role": "assistant", "content": parts}
        for call in message.get("tool_calls") or ():
            yield _call(call)
        self.left_out += [f"messages: {name}" for name in ("audio", "images", "function_call") if message.get(name)]

    def _answer_part(self, part: Json) -> Iterator[Json]:
        if part["type"] == "text":
            yield {"type": "output_text", "text": part["text"]}
        elif part["type"] in ("refusal", "output_text"):
            yield part
        else:
            self.left_out.append(f"messages: an assistant's {part['type']}")

    def _add_result(self, message: Json) -> None:
        id = message.get("tool_call_id")
        result = self._results.get(id, {"type": "function_call_output", "call_id": id})
        self.items.append({**result, "output": self._content(message.get("content"))})

    def _content(self, content: Any) -> str | list[Json]:
        """What somebody tells the model: a text, or parts."""
        if isinstance(content, str) or content is None:
            return content or ""
        return [_part(self._unmarked(part)) for part in parts_of(content)]

    def _unmarked(self, part: Json) -> Json:
        """`part` without a mark for a cache that is not this vendor's."""
        if "cache_control" not in part:
            return part
        self.left_out.append("messages: cache_control")
        return {key: value for key, value in part.items() if key != "cache_control"}


def _part(part: Json) -> Json:
    """`part` as an input part; one that is no part of a chat is the vendor's own, and stays as it is."""
    kind = str(part.get("type"))
    if kind not in _PARTS:
        return part
    beside = {key: value for key, value in part.items() if key not in ("type", kind)}  # the vendor's own marks
    given = part.get(kind)
    return {**_PARTS[kind](given if isinstance(given, dict) else {}, part), **beside}


def _text(_: Json, part: Json) -> Json:
    return {"type": "input_text", "text": part["text"]}


def _image(given: Json, part: Json) -> Json:
    url = given.get("url") or part["image_url"]
    detail = {"detail": given["detail"]} if given.get("detail") else {}
    return {"type": "input_image", "image_url": url, **detail}


def _audio(given: Json, part: Json) -> Json:
    return {"type": "input_audio", "input_audio": given}


def _file(given: Json, part: Json) -> Json:
    attachment, data = attachment_of(part), given.get("file_data")
    if attachment is not None and attachment.url:
        return {"type": "input_file", "file_url": attachment.url}
    if not data:
        return {"type": "input_file", **given}
    if not str(data).startswith("data:"):  # bare base64
        data = f"data:{mimetypes.guess_type(given.get('filename') or '')[0] or 'application/pdf'};base64,{data}"
    return {"type": "input_file", "filename": given.get("filename") or "file", "file_data": data}


_PARTS: Mapping[str, Callable[[Json, Json], Json]] = MappingProxyType(
    {"text": _text, "image_url": _image, "input_audio": _audio, "file": _file}
)


def _call(call: Json) -> Json:
    if custom := call.get("custom"):
        said = {"name": custom.get("name"), "input": custom.get("input") or ""}
        return {"type": "custom_tool_call", "call_id": call.get("id"), **said}
    function = call.get("function") or {}
    arguments = arguments_text(function.get("arguments") or {})
    return {"type": "function_call", "call_id": call.get("id"), "name": function.get("name"), "arguments": arguments}


def _short(id: Any) -> Any:
    """A call's id, or what stands for one that is too long."""
    if len(str(id)) <= _LONGEST_ID:
        return id
    return f"call_{hashlib.sha256(str(id).encode()).hexdigest()[:32]}"


def is_call(item: Json) -> bool:
    """Whether `item` is a tool call that is the caller's to answer."""
    return item["type"] == "function_call" or (
        item["type"] == "custom_tool_call" and item.get("name") not in _RUN_BY_XAI
    )


def is_from(issuer: str, message: Json) -> bool:
    """Whether `message` carries what only the vendor at `issuer` can read, and only in this dialect."""
    return bool(_own_details(message, issuer) or _own_output(message, issuer))


def forgotten(message: Json) -> Json:
    """`message` with nothing in it that only one vendor can read."""
    return {name: value for name, value in message.items() if name not in ("reasoning_details", "provider_metadata")}


def said_natively(message: Json, issuer: str) -> list[Json] | None:
    """The items in which the vendor gave this answer, where they were kept and still say the same as the message."""
    given = _own_output(message, issuer)
    if not given:
        return None
    contents = [part for item in given if item["type"] == "message" for part in item["content"]]
    said = "".join(part.get("text") or "" for part in contents)
    called = [item["call_id"] for item in given if is_call(item)]
    same_calls = called == [call.get("id") for call in message.get("tool_calls") or ()]
    # Where the model only made an image, a sentence was put in its mouth.
    return given if same_calls and (not said or said == text_of(message.get("content"))) else None


def _images(message: Json) -> Iterator[str]:
    """The images an answer brought, in base64; those that now lie elsewhere are passed over."""
    for part in message.get("images") or ():
        found = attachment_of(part)
        if found is not None and found.data:
            yield found.data


def _own_output(message: Json, issuer: str) -> list[Json] | None:
    """The items that were kept of an answer of `issuer`; another vendor knows neither their ids nor their secrets."""
    metadata = message.get("provider_metadata")
    kept = metadata.get("responses") if isinstance(metadata, dict) else None
    return kept.get("output") if isinstance(kept, dict) and kept.get("issuer") == issuer else None


def _own_details(message: Json, issuer: str) -> list[Json]:
    """The reasoning in `message` that `issuer` told in this dialect; that of others is left alone.

    So is what does not say who told it: gateways give theirs this format too, and only they can read it.
    """
    details = message.get("reasoning_details")
    if not isinstance(details, list):
        return []
    own = (FORMAT, issuer)
    return [one for one in details if isinstance(one, dict) and (one.get("format"), one.get("issuer")) == own]


def _reasoning(message: Json, issuer: str) -> Iterator[Json]:
    """The reasoning items of an answer. What can neither be read by the vendor nor looked up by it is none."""
    for id, group in _by_item(_own_details(message, issuer)):
        item: Json = {"type": "reasoning", **({"id": id} if id else {}), "summary": []}
        for one in group:
            _REASONING.get(one["type"], _nothing)(item, one)
        if id or "encrypted_content" in item or "content" in item:
            yield item


def _by_item(details: list[Json]) -> Iterator[tuple[str | None, list[Json]]]:
    """What belongs to one item: what has its id, or without one its place. What is encrypted is the last of it."""
    group: list[Json] = []
    for detail in details:
        if group and (_item_of(detail) != _item_of(group[0]) or group[-1]["type"] == "reasoning.encrypted"):
            yield group[0].get("id"), group
            group = []
        group.append(detail)
    if group:
        yield group[0].get("id"), group


def _item_of(detail: Json) -> Any:
    return detail.get("id") or detail.get("index")


def _summary(item: Json, detail: Json) -> None:
    if detail.get("summary"):
        item["summary"].append({"type": "summary_text", "text": detail["summary"]})


def _thought(item: Json, detail: Json) -> None:
    item.setdefault("content", []).append({"type": "reasoning_text", "text": detail["text"]})


def _encrypted(item: Json, detail: Json) -> None:
    item["encrypted_content"] = detail["data"]


def _nothing(item: Json, detail: Json) -> None: ...


_REASONING: Mapping[str, Callable[[Json, Json], None]] = MappingProxyType(
    {"reasoning.summary": _summary, "reasoning.text": _thought, "reasoning.encrypted": _encrypted}
)
