"""What Gemini answers, in OpenAI's words. No I/O.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import uuid
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any

from llms.api import Chunk, Chunks, ProviderError, Usage, arguments_text, counts_in, usage_of, wav_of

Json = dict[str, Any]

FORMAT = "google-gemini-v1"  # of what stands in `reasoning_details`
METADATA = "gemini"  # the name of our part of `provider_metadata`
_SERVER_PARTS = frozenset(("executableCode", "codeExecutionResult", "toolCall", "toolResponse"))
_REASONS = MappingProxyType({"STOP": "stop", "MAX_TOKENS": "length"})
_FILTERS = frozenset(
    (
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    )
)
_WHY = ("finishReason", "finishMessage", "safetyRatings", "promptFeedback")  # it was filtered
_RAW_SOUND = re.compile(r"audio/(?:l16|pcm)\b(?:.*?rate=(\d+))?")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\['([^']*)'\]")  # of a JSON path


class NothingSaid(ProviderError):
    """An answer without an answer. To ask again often helps."""


class GeminiTranslator:
    """Reads one stream. A whole answer is a stream of one event."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._chunks = Chunks()
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Json = {}

    def feed(self, event: Json) -> Iterator[Chunk]:
        self._chunks.begins(id=event.get("responseId"), model=event.get("modelVersion"))
        self._usage |= counts_in(event.get("usageMetadata"))
        candidates = event.get("candidates") or ()
        feedback = event.get("promptFeedback") or {}
        if feedback.get("blockReason") and not candidates:
            candidates = ({"finishReason": "SAFETY", "promptFeedback": feedback},)
        for place, told in enumerate(candidates):
            index = told.get("index") or place
            if index not in self._candidates:
                self._candidates[index] = _Candidate(index, self._chunks, self._provider)
            yield from self._candidates[index].take(told)
        has_ended = self._candidates and all(one.has_ended for one in self._candidates.values())
        if has_ended and (usage := usage_from(self._usage)):
            yield self._chunks.usage(usage)


def usage_from(told: Json) -> Usage | None:
    """Token counts, which Google tells apart: what tools brought into the prompt, and thoughts beside the answer."""
    names = ("promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    prompt, tools, said, thought = (told.get(name) for name in names)
    if not any(name in told for name in names):
        return None
    return usage_of(
        (prompt or 0) + (tools or 0),
        (said or 0) + (thought or 0),
        total=told.get("totalTokenCount"),
        cached=told.get("cachedContentTokenCount"),
        reasoning=thought,
    )


class _Candidate:
    """One of the answers, as far as it has been told."""

    def __init__(self, index: int, chunks: Chunks, provider: str) -> None:
        self._index, self._chunks, self._provider = index, chunks, provider
        self.has_ended = False
        self._texts: list[str] = []
        self._calls = 0
        self._call: Json | None = None  # whose arguments come in pieces
        self._images = 0
        self._sounds: list[tuple[str, bytes]] = []
        self._parts: list[Json] = []  # as the vendor may want to see them again, texts still in pieces
        self._wants_parts = False
        self._signature: str | None = None
        self._grounding: Json = {}
        self._citations: list[Json] = []
        self._cited: set[tuple[Any, ...]] = set()  # by those
        self._has_told_sources = False

    def take(self, told: Json) -> Iterator[Chunk]:
        for part in (told.get("content") or {}).get("parts") or ():
            yield from self._part(part)
        if logprobs := _logprobs(told.get("logprobsResult")):
            chunk = self._chunks.delta(index=self._index)
            chunk["choices"][0]["logprobs"] = logprobs
            yield chunk
        self._keep_sources(told)
        if (reason := told.get("finishReason")) and not self.has_ended:
            yield from self._end(reason, told)
        elif self.has_ended:
            yield from self._sources()

    # -- parts -------------------------------------------------------------------------------------------------

    def _part(self, part: Json) -> Iterator[Chunk]:
        signature = part.get("thoughtSignature")
        if part.get("thought"):
            if part.get("text"):
                yield self._chunks.delta(index=self._index, reasoning_content=part["text"])
        elif "functionCall" in part:
            yield from self._called(part["functionCall"], signature)
        elif media := part.get("inlineData") or part.get("fileData"):
            yield from self._shown(media, signature)
        elif _SERVER_PARTS.intersection(part):
            self._wants_parts = True
            self._parts.append(part)
        elif "text" in part:
            self._signature = signature or self._signature
            self._keep_text(part)
            if part["text"]:
                self._texts.append(part["text"])
                yield self._chunks.delta(index=self._index, content=part["text"])

    def _keep_text(self, part: Json) -> None:
        """Pieces of one text, as they come in a stream, are one part."""
        last = self._parts[-1] if self._parts else {}
        text = last.get("text")
        if isinstance(text, _Growing) and "thoughtSignature" not in last:
            text.add(part["text"] or "")
            last |= {**part, "text": text}
        else:
            self._parts.append({**part, "text": _Growing(part["text"] or "")})

    def _called(self, told: Json, signature: str | None) -> Iterator[Chunk]:
        call = self._call or {"args": {}}
        call |= {name: told[name] for name in ("id", "name") if told.get(name)}
        call["args"] |= told.get("args") or {}
        for piece in told.get("partialArgs") or ():
            _put(call["args"], piece)
        if signature:
            call["signature"] = signature
        self._call = call if told.get("willContinue") else None
        if self._call is None:
            yield self._whole_call(call)

    def _whole_call(self, call: Json) -> Chunk:
        id, signature = call.get("id") or f"call_{uuid.uuid4().hex[:24]}", call.get("signature")
        name, arguments = call["name"], _whole(call["args"])
        part: Json = {"functionCall": {"id": id, "name": name, "args": arguments}}
        function = {"name": name, "arguments": arguments_text(arguments)}
        said: Json = {"index": self._calls, "id": id, "type": "function", "function": function}
        if signature:
            part["thoughtSignature"] = signature
            said["extra_content"] = {"google": {"thought_signature": signature}}
        self._parts.append(part)
        self._calls += 1
        return self._chunks.delta(index=self._index, tool_calls=[said])

    def _shown(self, media: Json, signature: str | None) -> Iterator[Chunk]:
        mime = media.get("mimeType") or ""
        if mime.startswith("audio/") and "data" in media:
            self._sounds.append((mime.lower(), _bytes(media["data"])))
            return
        url = media.get("fileUri") or f"data:{mime};base64,{_usual(media['data'])}"
        if mime.startswith("image/"):
            if "data" in media:
                _bytes(media["data"])  # raises where it is none
            # Not the image itself: it comes back in the message, if somebody sends it again.
            self._parts.append({"image": self._images, **({"thoughtSignature": signature} if signature else {})})
            self._wants_parts = self._wants_parts or signature is not None
            self._images += 1
            yield self._chunks.delta(index=self._index, images=[{"type": "image_url", "image_url": {"url": url}}])
        else:
            file = {"filename": f"answer.{mime.partition('/')[2] or 'bin'}", "file_data": url}
            yield self._chunks.delta(index=self._index, files=[{"type": "file", "file": file}])

    # -- the end -----------------------------------------------------------------------------------------------

    def _end(self, reason: str, told: Json) -> Iterator[Chunk]:
        if self._call is not None:
            yield self._whole_call(self._call)
        self.has_ended, is_filtered = True, reason in _FILTERS
        has_said = bool(self._texts or self._calls or self._images or self._sounds)
        if reason not in _REASONS and not is_filtered and not has_said:
            why = f" ({told['finishMessage'].rstrip('.')})" if told.get("finishMessage") else ""
            raise NothingSaid(
                f"{self._provider} ended its answer with {reason}{why} before it said anything. Try again.",
                provider=self._provider,
            )
        fields: Json = {name: told[name] for name in _WHY if name in told} if is_filtered else {}
        if self._wants_parts:
            fields["parts"] = _whole(self._parts)
        last: Json = {"provider_metadata": {METADATA: fields}} if fields else {}
        if self._signature and not self._wants_parts:
            last["reasoning_details"] = [
                {"type": "reasoning.encrypted", "data": self._signature, "format": FORMAT, "index": 0}
            ]
        if self._sounds:
            last["audio"] = {"id": f"audio_{uuid.uuid4().hex[:24]}", "data": self._sound(), "transcript": ""}
        yield from self._sources()
        if last:
            yield self._chunks.delta(index=self._index, **last)
        ended = "content_filter" if is_filtered else _REASONS.get(reason, "stop")
        if self._calls and ended == "stop":
            ended = "tool_calls"
        yield self._chunks.delta(index=self._index, finish_reason=ended)

    def _sound(self) -> str:
        """All that is heard, as one file in base64. Google sends bare numbers, `audio/L16;rate=24000`."""
        data, raw = b"".join(data for _, data in self._sounds), _RAW_SOUND.match(self._sounds[0][0])
        if raw:
            data = wav_of(data, rate=int(raw[1] or 24_000))
        return base64.b64encode(data).decode()

    # -- where it is from --------------------------------------------------------------------------------------

    def _keep_sources(self, told: Json) -> None:
        """Several events of a stream may tell of them; what was told before stands until something else is."""
        for name, value in (told.get("groundingMetadata") or {}).items():
            if value or name not in self._grounding:
                self._grounding[name] = value
        citations = told.get("citationMetadata") or {}
        cited = citations.get("citations") or citations.get("citationSources") or ()
        keys = [(one.get("uri"), one.get("startIndex"), one.get("endIndex")) for one in cited]
        self._citations += [one for one, key in zip(cited, keys, strict=True) if key not in self._cited]
        self._cited.update(keys)

    def _sources(self) -> Iterator[Chunk]:
        """Once, when the answer has ended: OpenAI's SDK cannot put `groundingMetadata` together."""
        if self._has_told_sources or not (self._grounding or self._citations):
            return
        self._has_told_sources = True
        about: Json = {"groundingMetadata": {**self._grounding}} if self._grounding else {}
        text = "".join(self._texts)
        cited = (_citation(one, text, one) for one in self._citations)
        if annotations := [*_grounded(self._grounding, text), *cited]:
            about["annotations"] = annotations
        yield self._chunks.delta(index=self._index, **about)


# -- citations -------------------------------------------------------------------------------------------------


def _grounded(grounding: Json, text: str) -> Iterator[Json]:
    """Each source once for each piece of `text` it supports, and once where it supports none."""
    told = grounding.get("groundingChunks") or ()
    chunks: list[Json] = [next((one for one in chunk.values() if isinstance(one, dict)), {}) for chunk in told]
    unused = set(range(len(chunks)))
    for support in grounding.get("groundingSupports") or ():
        for place in support.get("groundingChunkIndices") or ():
            if place < len(chunks):
                unused.discard(place)
                yield _citation(chunks[place], text, support.get("segment") or {})
    for place in sorted(unused):
        yield _citation(chunks[place], text, {})


def _citation(source: Json, text: str, segment: Json) -> Json:
    url = source.get("uri") or source.get("documentName") or source.get("fileSearchStore") or ""
    citation: Json = {"url": url, "title": source.get("title") or url, **_place(segment, text)}
    return {"type": "url_citation", "url_citation": citation}


def _place(segment: Json, text: str) -> Json:
    """Where a segment stands in `text`, in characters. Google counts bytes, and from the beginning of some part."""
    if "endIndex" not in segment:
        return {}
    data, quoted = text.encode(), segment.get("text")
    start, end = (len(data[: segment.get(name) or 0].decode(errors="ignore")) for name in ("startIndex", "endIndex"))
    if quoted and text[start:end] != quoted:
        start = text.find(quoted)
        end = start + len(quoted)
    return {"start_index": start, "end_index": end} if start >= 0 else {}


# -- small things ----------------------------------------------------------------------------------------------


def _logprobs(result: Json | None) -> Json | None:
    """How likely each token was, and what else might have come in its place."""
    if not result or not result.get("chosenCandidates"):
        return None
    others: list[Json] = result.get("topCandidates") or []
    tops: list[Iterable[Json]] = [top.get("candidates") or () for top in others]
    tops += [()] * (len(result["chosenCandidates"]) - len(tops))
    chosen = zip(result["chosenCandidates"], tops, strict=False)
    return {"content": [{**_token(one), "top_logprobs": [*map(_token, top)]} for one, top in chosen]}


def _token(told: Json) -> Json:
    token = told.get("token") or ""
    return {"token": token, "logprob": told.get("logProbability") or 0.0, "bytes": [*token.encode()]}


class _Growing:
    """A text that comes in pieces, which `_whole` puts together: to do so for each one would take ever longer."""

    __slots__ = ("_pieces",)

    def __init__(self, *pieces: str) -> None:
        self._pieces = [*pieces]

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    def __str__(self) -> str:
        return "".join(self._pieces)


def _whole(value: Any) -> Any:
    """`value` with every text in it put together."""
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return str(value) if isinstance(value, _Growing) else value


def _put(arguments: Json, piece: Json) -> None:
    """Puts a piece of one argument where its JSON path says; texts grow."""
    path = [key or name or int(place) for key, place, name in _STEP.findall(piece.get("jsonPath") or "")]
    values = [value for name, value in piece.items() if name.endswith("Value")]
    if not path or not values:
        return
    inner: Any = arguments
    for step, following in itertools.pairwise(path):
        inner = _at(inner, step, [] if isinstance(following, int) else {})
    value = None if "nullValue" in piece else values[0]
    before = _at(inner, path[-1], None)
    if not isinstance(value, str):
        inner[path[-1]] = value
    elif isinstance(before, _Growing):
        before.add(value)
    else:
        inner[path[-1]] = _Growing(before if isinstance(before, str) else "", value)


def _at(inner: Any, step: Any, missing: Any) -> Any:
    """What stands in an object or a list at `step`, where `missing` is put if there is nothing."""
    if isinstance(inner, list):
        if step > len(inner):  # they come in order; one far beyond would only take memory
            raise IndexError(f"entry {step} of a list of {len(inner)}")
        inner.extend([missing] * (step + 1 - len(inner)))
        return inner[step]
    return inner.setdefault(step, missing)


def _bytes(data: str) -> bytes:
    return binascii.a2b_base64(_usual(data), strict_mode=True)


def _usual(data: str) -> str:
    """Base64 in the usual alphabet; Google may use the one for URLs."""
    return data.replace("-", "+").replace("_", "/")
