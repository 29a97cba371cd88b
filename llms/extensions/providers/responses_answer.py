"""What OpenAI's Responses API answers, in the words of Chat Completions.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from llms.api import Chunk, Chunks, ProviderError, Usage, counts_in, usage_of

from .responses_items import FORMAT, is_call

Json = dict[str, Any]
_STATUS = MappingProxyType({"insufficient_quota": 429, "rate_limit_exceeded": 429, "server_error": 500})
_REASONING, _MESSAGE, _CALL = 1, 2, 3  # the order in which a chat's message tells them
_TICKS = 10_000_000_000  # to the dollar: https://docs.x.ai/docs/key-information/consumption-and-rate-limits


class ResponsesStream:
    """Reads one stream. Texts go out as they come; what an item says beyond them goes out when it has ended.

    Servers leave out deltas, `done` events, or items from the last event. So everything is read wherever it first
    stands, by its place in the output: ids may change between the events of one item.

    What only this vendor can read is marked with its `issuer`.
    """

    def __init__(self, *, provider: str, issuer: str) -> None:
        self._provider = provider
        self._issuer = issuer
        self._chunks = Chunks()
        self._begun = False
        self._said: dict[tuple[int, str, int], list[str]] = {}  # texts by item, kind and part
        self._starts: dict[tuple[int, int], int] = {}  # of each part of the answer's text: the length before it
        self._length = 0  # of the answer's text so far
        self._has_thought = False
        self._calls: dict[int, int] = {}  # the place of a tool call, by item
        self._called = 0
        self._annotated: dict[tuple[int, int], int] = {}  # how many annotations of a part have gone out
        self._items: dict[int, Json] = {}  # those that have ended
        self._stored = False

    def feed(self, event: Json) -> Iterable[Chunk]:
        read = _EVENTS.get(event.get("type", ""))
        return read(self, event) if read is not None else ()

    # -- events ------------------------------------------------------------------------------------------------

    def begin(self, event: Json) -> Iterator[Chunk]:
        answer = event["response"]
        self._stored = self._stored or answer.get("store") is True
        self._chunks.begins(id=answer.get("id"), model=answer.get("model"))
        if not self._begun:
            self._begun = True
            yield self._chunks.delta(role="assistant")

    def begin_item(self, event: Json) -> Iterator[Chunk]:
        if is_call(event["item"]):
            place = event["output_index"]
            if place in self._items:  # another at the place of one that has ended
                self._calls.pop(place, None)
                self._said.pop((place, "arguments", 0), None)
            yield from self._begin_call(place, event["item"])

    def end_item(self, event: Json) -> Iterator[Chunk]:
        yield from self._whole(event["output_index"], event["item"])

    def text(self, event: Json) -> Iterator[Chunk]:
        yield from self._text(event["output_index"], event["content_index"], event["delta"], event.get("logprobs"))

    def refusal(self, event: Json) -> Iterator[Chunk]:
        yield from self._refusal(event["output_index"], event["content_index"], event["delta"])

    def summary(self, event: Json) -> Iterator[Chunk]:
        yield from self._thought(event["output_index"], "summary", event["summary_index"], event["delta"])

    def reasoning(self, event: Json) -> Iterator[Chunk]:
        yield from self._thought(event["output_index"], "reasoning", event["content_index"], event["delta"])

    def arguments(self, event: Json) -> Iterator[Chunk]:
        yield from self._arguments(event["output_index"], event["delta"])

    def annotation(self, event: Json) -> Iterator[Chunk]:
        yield from self._annotations(event["output_index"], event["content_index"], [event["annotation"]])

    def end(self, event: Json) -> Iterator[Chunk]:
        answer = event["response"]
        if error := answer.get("error"):
            raise self._failure(error)
        yield from self.begin(event)
        for place, item in enumerate(answer.get("output") or ()):
            if place not in self._items and item not in self._items.values():
                yield from self._whole(place, item)
        if not _is_plain(output := [item for _, item in sorted(self._items.items())]):
            kept = [_kept(item) for item in output if self._can_be_said_again(item)]
            yield self._chunks.delta(provider_metadata={"responses": {"issuer": self._issuer, "output": kept}})
        reason = _finish_reason(answer, called=bool(self._calls), provider=self._provider)
        yield self._chunks.delta(finish_reason=reason)
        if usage := counts_in(answer.get("usage")):
            tier = {"service_tier": answer["service_tier"]} if answer.get("service_tier") else {}
            yield self._chunks.usage(_usage(usage), **tier)

    def fail(self, event: Json) -> Iterator[Chunk]:
        raise self._failure(event)

    def _failure(self, error: Json) -> ProviderError:
        code = str(error.get("code") or "")
        status = 400 if code.startswith("invalid_") else _STATUS.get(code)
        message = f"{self._provider}: {error.get('message') or 'it failed and does not say why. Try again.'}"
        return ProviderError(message, provider=self._provider, status=status, code=code or None)

    # -- whole items: what their deltas have not told ----------------------------------------------------------

    def _whole(self, place: int, item: Json) -> Iterator[Chunk]:
        self._items[place] = item
        kind = "call" if is_call(item) else item["type"]
        if (tell := _ITEMS.get(kind)) is not None:
            yield from tell(self, place, item)

    def message(self, place: int, item: Json) -> Iterator[Chunk]:
        for part, content in enumerate(item.get("content") or ()):
            if content["type"] == "refusal":
                yield from self._refusal(place, part, self._rest((place, "refusal", part), content["refusal"]))
                continue
            told = (place, "text", part) in self._said
            rest = self._rest((place, "text", part), content.get("text") or "")
            yield from self._text(place, part, rest, None if told else content.get("logprobs"))
            annotations = content.get("annotations") or []
            yield from self._annotations(place, part, annotations[self._annotated.get((place, part), 0) :])

    def reasoned(self, place: int, item: Json) -> Iterator[Chunk]:
        for kind, parts in (("summary", item.get("summary")), ("reasoning", item.get("content"))):
            for part, content in enumerate(parts or ()):
                yield from self._thought(place, kind, part, self._rest((place, kind, part), content["text"]))
        if details := self._details(place, item):
            yield self._chunks.delta(reasoning_details=details)

    def call(self, place: int, item: Json) -> Iterator[Chunk]:
        yield from self._begin_call(place, item)
        is_custom = item["type"] == "custom_tool_call"
        whole = item["input"] if is_custom else item.get("arguments") or ""
        yield from self._arguments(place, self._rest((place, "arguments", 0), whole))
        if is_custom:  # in OpenAI's words; as a function for whoever knows only those
            custom = {"name": item["name"], "input": whole}
            yield self._chunks.tool_call(self._calls[place], type="custom", custom=custom)

    def image(self, place: int, item: Json) -> Iterator[Chunk]:
        if data := item.get("result"):
            url = f"data:image/{item.get('output_format') or 'png'};base64,{data}"
            yield self._chunks.delta(images=[{"type": "image_url", "image_url": {"url": url}}])

    # -- pieces ------------------------------------------------------------------------------------------------

    def _text(self, place: int, part: int, text: str, logprobs: Any) -> Iterator[Chunk]:
        self._starts.setdefault((place, part), self._length)
        self._said.setdefault((place, "text", part), []).append(text)
        self._length += len(text)
        if text or logprobs:
            chunk = self._chunks.delta(content=text)
            if logprobs:
                chunk["choices"][0]["logprobs"] = {"content": logprobs, "refusal": None}
            yield chunk

    def _refusal(self, place: int, part: int, text: str) -> Iterator[Chunk]:
        self._said.setdefault((place, "refusal", part), []).append(text)
        if text:
            yield self._chunks.delta(refusal=text)

    def _thought(self, place: int, kind: str, part: int, text: str) -> Iterator[Chunk]:
        if not text:
            return
        key = (place, kind, part)
        between = "\n\n" if self._has_thought and key not in self._said else ""
        self._said.setdefault(key, []).append(text)
        self._has_thought = True
        yield self._chunks.delta(reasoning_content=between + text)

    def _begin_call(self, place: int, item: Json) -> Iterator[Chunk]:
        if place not in self._calls:
            self._calls[place] = self._called
            self._called += 1
            kind = "custom" if item["type"] == "custom_tool_call" else "function"
            begun = self._chunks.tool_call(self._calls[place], id=item.get("call_id"), name=item["name"])
            begun["choices"][0]["delta"]["tool_calls"][0]["type"] = kind
            yield begun
            if early := "".join(self._said.get((place, "arguments", 0), ())):
                yield self._chunks.tool_call(self._calls[place], arguments=early)

    def _arguments(self, place: int, text: str) -> Iterator[Chunk]:
        if text:
            self._said.setdefault((place, "arguments", 0), []).append(text)
        if text and place in self._calls:
            yield self._chunks.tool_call(self._calls[place], arguments=text)

    def _annotations(self, place: int, part: int, annotations: list[Json]) -> Iterator[Chunk]:
        if annotations:
            start = self._starts.get((place, part), 0)
            self._annotated[place, part] = self._annotated.get((place, part), 0) + len(annotations)
            yield self._chunks.delta(annotations=[_annotation(one, start) for one in annotations])

    def _rest(self, key: tuple[int, str, int], whole: str) -> str:
        """What of `whole` has not gone out; nothing where something else has."""
        said = "".join(self._said.get(key, ()))
        return whole[len(said) :] if whole.startswith(said) else ""

    def _details(self, place: int, item: Json) -> list[Json]:
        """A reasoning item in OpenRouter's form, so that it can be said again."""
        same: Json = {"format": FORMAT, "issuer": self._issuer, "index": place}
        if item.get("id") and self._can_be_said_again(item):
            same["id"] = item["id"]
        details: list[Json] = [
            *({"type": "reasoning.summary", "summary": part["text"]} for part in item.get("summary") or ()),
            *({"type": "reasoning.text", "text": part["text"]} for part in item.get("content") or ()),
        ]
        if encrypted := item.get("encrypted_content"):
            details.append({"type": "reasoning.encrypted", "data": encrypted})
        if not details and "id" in same:  # the vendor has it all
            details.append({"type": "reasoning.summary", "summary": ""})
        return [{**detail, **same} for detail in details]

    def _can_be_said_again(self, item: Json) -> bool:
        """Whether the vendor can read `item`, or look it up. It can do neither with the mere name of a thought."""
        return item["type"] != "reasoning" or self._stored or bool(item.get("encrypted_content") or item.get("content"))


_EVENTS: Mapping[str, Callable[[ResponsesStream, Json], Iterable[Chunk]]] = MappingProxyType(
    {
        "response.created": ResponsesStream.begin,
        "response.in_progress": ResponsesStream.begin,
        "response.output_item.added": ResponsesStream.begin_item,
        "response.output_item.done": ResponsesStream.end_item,
        "response.output_text.delta": ResponsesStream.text,
        "response.output_text.annotation.added": ResponsesStream.annotation,
        "response.refusal.delta": ResponsesStream.refusal,
        "response.reasoning_summary_text.delta": ResponsesStream.summary,
        "response.reasoning_text.delta": ResponsesStream.reasoning,
        "response.function_call_arguments.delta": ResponsesStream.arguments,
        "response.custom_tool_call_input.delta": ResponsesStream.arguments,
        "response.completed": ResponsesStream.end,
        "response.incomplete": ResponsesStream.end,
        "response.failed": ResponsesStream.end,
        "error": ResponsesStream.fail,
    }
)
_ITEMS: Mapping[str, Callable[[ResponsesStream, int, Json], Iterable[Chunk]]] = MappingProxyType(
    {
        "message": ResponsesStream.message,
        "reasoning": ResponsesStream.reasoned,
        "call": ResponsesStream.call,
        "image_generation_call": ResponsesStream.image,
    }
)


def _is_plain(output: list[Json]) -> bool:
    """Whether a chat's message says all of it, and in its order: reasoning, one text, then the calls."""
    order = [_rank(item) for item in output]
    return None not in order and order == sorted(map(int, filter(None, order))) and order.count(_MESSAGE) <= 1


def _rank(item: Json) -> int | None:
    """Where in a chat's message `item` stands; None where it has no place there, or says something more."""
    if any(item.get(name) is not None for name in ("caller", "namespace", "phase")):
        return None
    return _CALL if is_call(item) else {"reasoning": _REASONING, "message": _MESSAGE}.get(item["type"])


def _annotation(annotation: Json, start: int) -> Json:
    """A citation with its place in the whole text, of which its part begins at `start`."""
    kind = annotation["type"]
    detail = {key: value for key, value in annotation.items() if key != "type"}
    detail |= {key: detail[key] + start for key in ("start_index", "end_index") if isinstance(detail.get(key), int)}
    return {"type": kind, kind: detail}


def _kept(item: Json) -> Json:
    """`item` without what is large and stands elsewhere, or is of no use to the vendor."""
    if item["type"] == "image_generation_call":
        return {key: value for key, value in item.items() if key in ("id", "type")}
    if item["type"] == "message":
        content = [{key: value for key, value in part.items() if key != "logprobs"} for part in item["content"]]
        return {**item, "content": content}
    return item


def _finish_reason(answer: Json, *, called: bool, provider: str) -> str:
    status = answer.get("status") or "completed"
    if status == "incomplete":
        reason = (answer.get("incomplete_details") or {}).get("reason")
        return "content_filter" if reason == "content_filter" else "length"
    if status != "completed":
        raise ProviderError(
            f"{provider} has not finished its answer, which is {status}. Leave `background` out.", provider=provider
        )
    return "tool_calls" if called else "stop"


def _usage(usage: Json) -> Usage:
    read, written = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    counted = usage_of(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        total=usage.get("total_tokens"),
        cached=read.get("cached_tokens"),
        cache_write=read.get("cache_write_tokens"),
        reasoning=written.get("reasoning_tokens"),
    )
    if usage.get("cost") is not None:  # OpenRouter's, in dollars
        counted["cost"] = usage["cost"]
    elif usage.get("cost_in_usd_ticks") is not None:
        counted["cost"] = usage["cost_in_usd_ticks"] / _TICKS
    return counted
