"""Amazon Bedrock's Converse API, which speaks one dialect for the models of many makers.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast
from urllib.parse import quote

import msgspec
from yarl import URL

from llms.api import (
    Chat,
    Chunk,
    Chunks,
    Completion,
    Decoder,
    DialectProvider,
    EmbeddingDialect,
    ProviderError,
    Translator,
    Usage,
    arguments_text,
    completion_of,
    counts_in,
    schema_of,
    usage_of,
)

from .anthropic_models import generation_of
from .aws import EventStreamDecoder, Signer, failure_of
from .bedrock_blocks import (
    OFFICE,
    Conversation,
    cache_point,
    call_in,
    fields_in,
    has_to_be_kept,
    is_server_block,
    reasoning_in,
    text_in,
)
from .bedrock_effort import reasoning_fields
from .closed_schema import closed
from .embeddings import on_bedrock

Json = dict[str, Any]
_PASSED = (  # Bedrock's own fields, which a caller may give as they are
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
)
_INFERENCE = {"max_tokens": "maxTokens", "max_completion_tokens": "maxTokens", "temperature": "temperature"} | {
    "top_p": "topP"
}
_CLAUDES = ("thinking", "top_k", "output_config", "anthropic_beta")  # its maker's fields, which go along as they are
_SAID = frozenset(("model", "messages", "stream", "stream_options", "tools", "tool_choice", "stop", "reasoning_effort"))
_TIERS = ("default", "priority", "flex", "reserved")
_CHOICES: Mapping[str, Json] = {"auto": {"auto": {}}, "required": {"any": {}}}
_ENDS = {
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_NO_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
)
_KEY = "AWS_BEARER_TOKEN_BEDROCK"
_REGION_IN = re.compile(r"://bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_DEFAULT_REGION = "us-east-1"


class BedrockDoor(DialectProvider):
    """Where Bedrock is, and how one proves who asks: with a Bedrock API key, or by signing with AWS credentials.

    The key is `api_key` or AWS_BEARER_TOKEN_BEDROCK. `Signer` tells where credentials come from. The region is the
    entry's `region`, that of its `api`, AWS_REGION, AWS_DEFAULT_REGION, or us-east-1.
    """

    verbs: ClassVar[tuple[str, str]]  # the last part of the URL: for a whole answer, and for a stream

    def __init__(self, **kwargs: Any) -> None:
        self.region = _region(kwargs)
        api = kwargs.get("api") or f"https://bedrock-runtime.{self.region}.amazonaws.com"
        super().__init__(**{**kwargs, "api": api, "api_key": _key(kwargs)})
        self._parsed(self.api)  # raises where it is none
        self.signer = Signer(kwargs, service="bedrock", region=self.region, provider=self.name)

    def validate(self, **_: Any) -> str | None:
        problem = None if self.api_key else self.signer.problem()
        return f"{problem}; or set {_KEY}" if problem else None

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[URL, Mapping[str, str]]:
        url = f"{self.api}/model/{quote(chat['model'], safe='')}/{self.verbs[stream]}"
        headers = self.headers if self.api_key else await self.signer.signed(url, self.headers, body)
        return URL(url, encoded=True), headers  # another spelling would need another signature

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return on_bedrock(model)

    async def embedding_destination(self, model: str, body: bytes) -> tuple[URL, Mapping[str, str]]:
        url = self.embedding_dialect(model).at(self.api, model)
        headers = self.headers if self.api_key else await self.signer.signed(url, self.headers, body)
        return URL(url, encoded=True), headers

    def decoder(self) -> Decoder:
        return EventStreamDecoder()

    def error_from(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        error = super().error_from(status, headers, body)
        error.code = headers.get("x-amzn-errortype", "").partition(":")[0] or error.code
        return error


class BedrockProvider(BedrockDoor):
    sdk: ClassVar[str] = "@ai-sdk/amazon-bedrock"
    verbs = ("converse", "converse-stream")
    reads = ("text/", "image/", "audio/", "video/", *OFFICE)

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        native = [tool for tool in asked.get("tools") or () if "systemTool" in tool]
        conversation = Conversation(chat["model"], server_tools=bool(native))
        for message in asked["messages"]:
            conversation.add(message)
        messages = conversation.turns()
        own, unsaid = reasoning_fields(asked, messages)
        self.leftovers.leave_out(*conversation.left_out, *unsaid)
        asked = {name: value for name, value in asked.items() if name not in unsaid}
        self._leave_out_rest(asked)
        body = {
            "messages": messages,
            "system": conversation.system,
            "inferenceConfig": _inference(asked),
            "toolConfig": self._tool_config(asked, conversation),
            "outputConfig": self._output(asked),
            "additionalModelRequestFields": own
            | {name: asked[name] for name in _claudes_in(asked)}
            | asked.get("additionalModelRequestFields", {}),
            "serviceTier": _tier(asked),
            **{name: asked[name] for name in _PASSED if name in asked},
        }
        return {name: value for name, value in body.items() if value}

    def _leave_out_rest(self, asked: Json) -> None:
        said = {*_SAID, *_PASSED, *_INFERENCE, *_claudes_in(asked), "additionalModelRequestFields", "inferenceConfig"}
        if schema_of(asked.get("response_format")) or _is_text(asked.get("response_format")):
            said.add("response_format")
        if asked.get("service_tier") in (*_TIERS, "auto"):
            said.add("service_tier")
        as_it_is = {"n": 1, "parallel_tool_calls": True, "modalities": ["text"], "store": False, "logprobs": False}
        said |= {name for name, value in as_it_is.items() if asked.get(name) == value}
        self.leftovers.rest(asked, said)

    def _tool_config(self, asked: Json, conversation: Conversation) -> Json | None:
        """The tools that may be called. Without any, those that were called: Bedrock wants to know them."""
        choice = asked.get("tool_choice")
        called = conversation.tools_named()
        if choice == "none" and not called:
            return None
        closes = _is_shaped(asked)
        tools = [said for tool in asked.get("tools") or () for said in self._tool(tool, closes=closes)]
        tools = tools or [_tool_spec({"name": name}) for name in called]
        if not tools:
            return None
        said = _choice(choice)
        if choice is not None and said is None:
            self.leftovers.leave_out("tool_choice")
        return {"tools": tools, **({"toolChoice": said} if said else {})}

    def _tool(self, tool: Json, *, closes: bool) -> list[Json]:
        """What says `tool`, and its cache point; one of Bedrock's own passes as it is."""
        if tool.get("type") == "function":
            function = tool["function"]
            if closes and function.get("strict"):
                schema = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
                function = {**function, "parameters": self._closed(schema, "tools.parameters")}
            return [_tool_spec(function), *(cache_point(tool) or cache_point(function))]
        if "type" not in tool:
            return [tool]
        self.leftovers.leave_out(f"tools: {tool['type']}")
        return []

    def _output(self, asked: Json) -> Json | None:
        schema = schema_of(asked.get("response_format"))
        if not schema:
            return None
        if _is_shaped(asked):
            schema = self._closed(schema, "response_format")
        given = asked["response_format"]["json_schema"]
        named = {name: given[name] for name in ("name", "description") if given.get(name)}
        text = msgspec.json.encode(schema).decode()
        return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {**named, "schema": text}}}}

    def _closed(self, schema: Json, place: str) -> Json:
        """`schema` as Claude takes it. What it then says in words only is told as left out of `place`."""
        said, moved = closed(schema)
        self.leftovers.leave_out(*(f"{place}.{name}" for name in moved))
        return cast(Json, said)

    def completion(self, answer: Json) -> Completion:
        blocks = answer["output"]["message"]["content"]
        message = _message(blocks)
        message |= _provider_metadata(blocks, answer)
        reason = _finish_reason(answer["stopReason"], bool(message["tool_calls"]), provider=self.name)
        usage = _usage(counts_in(answer.get("usage")))
        return completion_of(message, finish_reason=reason, usage=usage, **_beside(answer))

    def translator(self) -> Translator:
        return ConverseStream(provider=self.name)


class ConverseStream:
    """Reads one stream of Converse. A block's text goes out as it comes, the rest of it when it has ended."""

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._chunks = Chunks()
        self._open: dict[int, Json] = {}  # blocks whose texts are still in pieces
        self._blocks: dict[int, Json] = {}
        self._calls: dict[int, int] = {}  # the place of a tool call, by block
        self._length = 0  # of the text so far
        self._thoughts = 0

    def feed(self, event: Json) -> Iterable[Chunk]:
        if "exception" in event:
            raise failure_of(event["exception"], provider=self._provider)
        for kind, said in event.items():
            read = _EVENTS.get(kind)
            if read is not None:
                yield from read(self, said)

    def begins(self, _: Json) -> Iterable[Chunk]:
        yield self._chunks.delta(role="assistant", content="")

    def block_begins(self, said: Json) -> Iterable[Chunk]:
        place = said["contentBlockIndex"]
        block = self._open[place] = {kind: dict(value) for kind, value in said["start"].items()}
        if (call := call_in(block)) is not None:
            self._calls[place] = len(self._calls)
            yield self._chunks.tool_call(self._calls[place], id=call["toolUseId"], name=call["name"])

    def block_goes_on(self, said: Json) -> Iterable[Chunk]:
        place, delta = said["contentBlockIndex"], said["delta"]
        _grow(self._open[place] if "toolUse" in delta else self._open.setdefault(place, {}), delta)
        if text := delta.get("text"):
            yield self._chunks.delta(content=text)
        elif thought := (delta.get("reasoningContent") or {}).get("text"):
            yield self._chunks.delta(reasoning_content=thought)
        elif (arguments := (delta.get("toolUse") or {}).get("input")) and place in self._calls:
            yield self._chunks.tool_call(self._calls[place], arguments=arguments)

    def block_ends(self, said: Json) -> Iterable[Chunk]:
        place = said["contentBlockIndex"]
        block = self._blocks[place] = _whole(_joined(self._open.pop(place, {})))
        fields = fields_in(block, place=self._thoughts, start=self._length)
        self._length += len(text_in(block))
        self._thoughts += "reasoningContent" in block
        if fields:
            yield self._chunks.delta(**fields)

    def ends(self, said: Json) -> Iterable[Chunk]:
        blocks = [block for _, block in sorted(self._blocks.items())]
        reason = _finish_reason(said["stopReason"], bool(self._calls), provider=self._provider)
        yield self._chunks.delta(finish_reason=reason, **_provider_metadata(blocks, said))

    def measured(self, said: Json) -> Iterable[Chunk]:
        yield self._chunks.usage(_usage(counts_in(said.get("usage"))), **_beside(said))


_EVENTS = {
    "messageStart": ConverseStream.begins,
    "contentBlockStart": ConverseStream.block_begins,
    "contentBlockDelta": ConverseStream.block_goes_on,
    "contentBlockStop": ConverseStream.block_ends,
    "messageStop": ConverseStream.ends,
    "metadata": ConverseStream.measured,
}


# -- what is sent --------------------------------------------------------------------------------------------------


def _region(entry: Mapping[str, Any]) -> str:
    if entry.get("region"):
        return str(entry["region"])
    found = _REGION_IN.search(entry.get("api") or "")
    if found:
        return found[1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION


def _key(entry: Mapping[str, Any]) -> str | None:
    """The Bedrock API key. models.dev lists the variables of AWS credentials as well: those are none."""
    given: str | None = entry.get("api_key")
    if given and given not in (os.environ.get(name) for name in _NO_KEYS):
        return given
    signs = any(entry.get(name) for name in ("access_key_id", "profile", "instance_role"))
    return None if signs else os.environ.get(_KEY)


def _inference(asked: Json) -> Json:
    said = {own: asked[name] for name, own in _INFERENCE.items() if name in asked}
    if stop := asked.get("stop"):
        said["stopSequences"] = [stop] if isinstance(stop, str) else stop
    said.update(asked.get("inferenceConfig", {}))
    return said


def _claudes_in(asked: Json) -> list[str]:
    return [name for name in _CLAUDES if name in asked] if _is_claude(asked) else []


def _is_claude(asked: Json) -> bool:
    return "claude" in asked["model"]


def _is_shaped(asked: Json) -> bool:
    """Whether it is a Claude whose answers follow a schema: these take only closed ones."""
    return _is_claude(asked) and generation_of(asked["model"]).structured


def _is_text(response_format: Any) -> bool:
    return isinstance(response_format, dict) and response_format.get("type") == "text"


def _tier(asked: Json) -> Json | None:
    tier = asked.get("service_tier")
    return {"type": tier} if tier in _TIERS else None


def _tool_spec(function: Json) -> Json:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    more = {name: function[name] for name in ("description", "strict") if function.get(name)}
    return {"toolSpec": {"name": function["name"], **more, "inputSchema": {"json": schema}}}


def _choice(choice: Any) -> Json | None:
    """Bedrock's word for `choice`; None where it has none. One in its own words passes as it is."""
    if isinstance(choice, str):
        return _CHOICES.get(choice)
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"tool": {"name": choice["function"]["name"]}}
    return choice if isinstance(choice, dict) and "type" not in choice else None


# -- what is answered ----------------------------------------------------------------------------------------------


def _message(blocks: list[Json]) -> Json:
    message: Json = {"content": "", "reasoning_content": "", "tool_calls": []}
    thoughts = 0
    for block in blocks:
        for name, more in fields_in(block, place=thoughts, start=len(message["content"])).items():
            message.setdefault(name, []).extend(more)
        message["content"] += text_in(block)
        message["reasoning_content"] += reasoning_in(block)
        thoughts += "reasoningContent" in block
        if (call := call_in(block)) is not None:
            function = {"name": call["name"], "arguments": arguments_text(call.get("input"))}
            message["tool_calls"].append({"id": call["toolUseId"], "type": "function", "function": function})
    return message


def _provider_metadata(blocks: list[Json], told: Json) -> Json:
    kept: Json = {"content": blocks} if has_to_be_kept(blocks) else {}
    if fields := told.get("additionalModelResponseFields"):
        kept["additionalModelResponseFields"] = fields
    return {"provider_metadata": {"bedrock": kept}} if kept else {}


def _finish_reason(reason: str, called: bool, *, provider: str) -> str:
    if reason.startswith("malformed_"):
        raise ProviderError(f"{provider}: the model's answer was malformed ({reason}). Try again.", provider=provider)
    if reason in ("end_turn", "tool_use"):  # not every model keeps them apart, and a server's tool is nobody's turn
        return "tool_calls" if called else "stop"
    return _ENDS.get(reason, "stop")


def _usage(told: Json) -> Usage:
    read, written = told.get("cacheReadInputTokens"), told.get("cacheWriteInputTokens")
    prompt = (told.get("inputTokens") or 0) + (read or 0) + (written or 0)
    return usage_of(prompt, told.get("outputTokens"), total=told.get("totalTokens"), cached=read, cache_write=written)


def _beside(told: Json) -> Json:
    """What an answer tells beside the message: a guardrail's trace, and the tier that served it."""
    beside = {"trace": told.get("trace"), "service_tier": (told.get("serviceTier") or {}).get("type")}
    return {name: value for name, value in beside.items() if value}


class _Pieces(list[str]):
    """A text that is still coming."""


def _grow(block: Json, delta: Json) -> None:
    """Adds a piece to what has come of a block."""
    for kind, more in delta.items():
        if isinstance(more, str):
            block.setdefault(kind, _Pieces()).append(more)
        elif kind == "citation":
            block.setdefault("citations", []).append(more)
        elif isinstance(more, list):
            block.setdefault(kind, {}).setdefault("content", []).extend(more)
        else:
            _grow(block.setdefault(kind, {}), more)


def _joined(block: Json) -> Json:
    """`block` with every text in one."""
    return {
        kind: "".join(v) if isinstance(v, _Pieces) else _joined(v) if isinstance(v, dict) else v
        for kind, v in block.items()
    }


def _whole(block: Json) -> Json:
    """A block that came in pieces, as it is told in one."""
    if "citations" in block:
        text = {"content": [{"text": block["text"]}]} if block.get("text") else {"content": []}
        return {"citationsContent": {**text, "citations": block["citations"]}}
    if (call := block.get("toolUse")) and is_server_block(block):
        return {"toolUse": {**call, "input": msgspec.json.decode(call.get("input") or "{}")}}
    if (reasoning := block.get("reasoningContent")) and "redactedContent" not in reasoning:
        return {"reasoningContent": {"reasoningText": {"text": "", **reasoning}}}
    return block
