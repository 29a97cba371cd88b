"""Vendors that call a tool and then answer, each in its own dialect, and what they must have been told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llms.testing.upstream import sse

THOUGHT, SIGNATURE, ANSWER = "I should look it up.", "c2lnbmF0dXJl", "It is a red square, and the code is 42."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
PDF = "JVBERi0xLjcKJeLjz9MKdHJhaWxlcgo8PD4+Cg=="

Said = list[Any]  # events of a stream


@dataclass(frozen=True)
class Vendor:
    """`calls` and `answers` are what it says first and then: whole, and as the events of a stream."""

    npm: str
    calls: Any
    answers: Any
    calls_streamed: Said
    answers_streamed: Said
    saw: Callable[[Any], tuple[bool, bool]]  # of its first request: whether image and PDF are in it
    remembers: Callable[[Any], list[Any]]  # of its second request: thought, signature, call and result, in order

    def whole(self) -> list[bytes]:
        return [json.dumps(self.calls).encode(), json.dumps(self.answers).encode()]

    def streamed(self) -> list[list[bytes]]:
        return [[sse(event) for event in events] for events in (self.calls_streamed, self.answers_streamed)]


# -- Anthropic -----------------------------------------------------------------------------------------------------


def _anthropic(content: list[Any], reason: str) -> Any:
    usage = {"input_tokens": 10, "output_tokens": 5}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    return {**head, "content": content, "stop_reason": reason, "usage": usage}


def _anthropic_stream(blocks: list[tuple[Any, list[Any]]], reason: str) -> Said:
    events: Said = [{"type": "message_start", "message": {**_anthropic([], reason), "stop_reason": None}}]
    for i, (start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": i, "content_block": start})
        events += [{"type": "content_block_delta", "index": i, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": i})
    events.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}})
    return [*events, {"type": "message_stop"}]


def _anthropic_saw(body: Any) -> tuple[bool, bool]:
    parts = body["messages"][0]["content"]
    image = {"type": "base64", "media_type": "image/png", "data": PNG}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    sources = [(part["type"], part.get("source")) for part in parts]
    return ("image", image) in sources, ("document", pdf) in sources


def _anthropic_remembers(body: Any) -> list[Any]:
    thought, call = body["messages"][1]["content"]
    (result,) = body["messages"][2]["content"]
    content = result["content"]
    said = content if isinstance(content, str) else content[0]["text"]
    assert (call["id"], body["messages"][2]["role"]) == (result["tool_use_id"], "user")
    return [thought["thinking"], thought["signature"], call["name"], call["input"], said]


ANTHROPIC = Vendor(
    npm="@ai-sdk/anthropic",
    calls=_anthropic(
        [
            {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE},
            {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"word": "code"}},
        ],
        "tool_use",
    ),
    answers=_anthropic([{"type": "text", "text": ANSWER}], "end_turn"),
    calls_streamed=_anthropic_stream(
        [
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                [
                    {"type": "thinking_delta", "thinking": THOUGHT[:5]},
                    {"type": "thinking_delta", "thinking": THOUGHT[5:]},
                    {"type": "signature_delta", "signature": SIGNATURE},
                ],
            ),
            (
                {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}},
                [
                    {"type": "input_json_delta", "partial_json": '{"wo'},
                    {"type": "input_json_delta", "partial_json": 'rd":"code"}'},
                ],
            ),
        ],
        "tool_use",
    ),
    answers_streamed=_anthropic_stream(
        [
            (
                {"type": "text", "text": ""},
                [{"type": "text_delta", "text": ANSWER[:9]}, {"type": "text_delta", "text": ANSWER[9:]}],
            )
        ],
        "end_turn",
    ),
    saw=_anthropic_saw,
    remembers=_anthropic_remembers,
)


# -- Gemini --------------------------------------------------------------------------------------------------------


def _gemini(parts: list[Any], *, ends: bool = True) -> Any:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    return {
        "candidates": [{**candidate, **({"finishReason": "STOP"} if ends else {})}],
        "usageMetadata": usage,
        "modelVersion": "m",
        "responseId": "r1",
    }


_GEMINI_CALL = {"functionCall": {"name": "look_up", "args": {"word": "code"}}, "thoughtSignature": SIGNATURE}


def _gemini_saw(body: Any) -> tuple[bool, bool]:
    found = [part["inlineData"] for part in body["contents"][0]["parts"] if "inlineData" in part]
    image, pdf = {"mimeType": "image/png", "data": PNG}, {"mimeType": "application/pdf", "data": PDF}
    return image in found, pdf in found


def _gemini_remembers(body: Any) -> list[Any]:
    (call,) = [part for part in body["contents"][1]["parts"] if "functionCall" in part]
    (result,) = [part["functionResponse"] for part in body["contents"][2]["parts"]]
    assert result["name"] == call["functionCall"]["name"]
    said = result["response"]
    return [call["thoughtSignature"], call["functionCall"]["name"], call["functionCall"]["args"], *said.values()]


GEMINI = Vendor(
    npm="@ai-sdk/google",
    calls=_gemini([{"text": THOUGHT, "thought": True}, _GEMINI_CALL]),
    answers=_gemini([{"text": ANSWER}]),
    calls_streamed=[_gemini([{"text": THOUGHT, "thought": True}], ends=False), _gemini([_GEMINI_CALL])],
    answers_streamed=[_gemini([{"text": ANSWER[:9]}], ends=False), _gemini([{"text": ANSWER[9:]}])],
    saw=_gemini_saw,
    remembers=_gemini_remembers,
)


# -- OpenAI Responses ----------------------------------------------------------------------------------------------


def _response(*output: Any) -> Any:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    head = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "m", "error": None}
    return {**head, "status": "completed", "incomplete_details": None, "output": list(output), "usage": usage}


_REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": THOUGHT}],
    "encrypted_content": SIGNATURE,
}
_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "look_up",
    "arguments": '{"word":"code"}',
}
_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": ANSWER, "annotations": []}],
}


def _items(*items: Any) -> Said:
    events: Said = [{"type": "response.created", "response": {**_response(), "status": "in_progress", "usage": None}}]
    for i, item in enumerate(items):
        begun = {**item, "summary": [], "arguments": "", "content": [], "encrypted_content": ""}
        begun = {key: value for key, value in begun.items() if key in item}
        events.append({"type": "response.output_item.added", "output_index": i, "item": begun})
        events += _deltas(i, item)
        events.append({"type": "response.output_item.done", "output_index": i, "item": item})
    return [*events, {"type": "response.completed", "response": _response(*items)}]


def _deltas(i: int, item: Any) -> Said:
    of: Any = {"output_index": i, "item_id": item["id"]}
    if item["type"] == "reasoning":
        return [{"type": "response.reasoning_summary_text.delta", **of, "summary_index": 0, "delta": THOUGHT}]
    if item["type"] == "function_call":
        return [{"type": "response.function_call_arguments.delta", **of, "delta": item["arguments"]}]
    pieces = (ANSWER[:9], ANSWER[9:])
    return [{"type": "response.output_text.delta", **of, "content_index": 0, "delta": piece} for piece in pieces]


def _responses_saw(body: Any) -> tuple[bool, bool]:
    parts = next(item["content"] for item in body["input"] if item.get("role") == "user")
    images = [part.get("image_url") for part in parts if part["type"] == "input_image"]
    files = [part.get("file_data") for part in parts if part["type"] == "input_file"]
    return f"data:image/png;base64,{PNG}" in images, f"data:application/pdf;base64,{PDF}" in files


def _responses_remembers(body: Any) -> list[Any]:
    items = {item.get("type"): item for item in body["input"]}
    order = [item.get("type") for item in body["input"] if item.get("type") not in (None, "message")]
    assert order == ["reasoning", "function_call", "function_call_output"]
    thought, call, result = items["reasoning"], items["function_call"], items["function_call_output"]
    assert call["call_id"] == result["call_id"]
    said = [thought["summary"][0]["text"], thought["encrypted_content"]]
    return [*said, call["name"], json.loads(call["arguments"]), result["output"]]


RESPONSES = Vendor(
    npm="openai/responses",
    calls=_response(_REASONING, _CALL),
    answers=_response(_MESSAGE),
    calls_streamed=_items(_REASONING, _CALL),
    answers_streamed=_items(_MESSAGE),
    saw=_responses_saw,
    remembers=_responses_remembers,
)
