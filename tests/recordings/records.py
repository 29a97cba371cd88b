"""Recorded exchanges with real vendors, and what an answer of ours says of the things recorded as expected."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"


def files(dialect: str) -> list[Path]:
    """The recordings of a dialect, one file for each provider."""
    return sorted(FOLDER.glob(f"{dialect}.*.jsonl"))


def records(file: Path) -> Iterator[Any]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def body(record: Any) -> bytes:
    response = record["response"]
    if "body_base64" in response:
        return base64.b64decode(response["body_base64"])
    return str(response["body_text"]).encode()


def differences(expected: Any, completion: Any, **more: Any) -> list[str]:
    """What `completion` does not say as it is expected. No choices at all say nothing. `more` is what else it says."""
    choice = (completion["choices"] or [{"message": {}, "finish_reason": None}])[0]
    message = choice["message"]
    told = {
        "text": message.get("content") or "",
        "reasoning_text": message.get("reasoning_content") or "",
        "tool_calls": list(map(_call, _calls(message))),
        "finish_reason": choice["finish_reason"],
        "refusal": message.get("refusal") or None,
        "audio": bool((message.get("audio") or {}).get("id")),
        "choices_count": len(completion["choices"]),
        **_usage(completion.get("usage") or {}),
        **more,
    }
    wanted = {**expected, **(expected["usage"] or {}), "tool_calls": [_wanted(call) for call in expected["tool_calls"]]}
    accepted = [wanted["finish_reason"], *wanted.get("finish_reason_accept", ())]
    if told["finish_reason"] in accepted:
        wanted["finish_reason"] = told["finish_reason"]
    return [f"{key}: {told[key]!r}, not {wanted[key]!r}" for key in told if key in wanted and told[key] != wanted[key]]


def _calls(message: Any) -> list[Any]:
    """The tool calls of `message`, or what they were called before."""
    legacy = message.get("function_call")
    return message.get("tool_calls") or ([{"id": None, "function": legacy}] if legacy and legacy.get("name") else [])


def _call(call: Any) -> Any:
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except ValueError:
        arguments = function["arguments"]
    return {"name": function.get("name"), "arguments": arguments, "id": call["id"]}


def _wanted(call: Any) -> Any:
    """A call as `_call` tells it; an id that was not recorded equals any."""
    return {"name": call["name"], "arguments": call.get("arguments_raw", call["arguments"]), "id": call.get("id", _ANY)}


def _usage(usage: Any) -> Any:
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return {
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "cached_tokens": prompt.get("cached_tokens"),
        "cache_write_tokens": prompt.get("cache_write_tokens"),
        "reasoning_tokens": completion.get("reasoning_tokens"),
    }


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


_ANY = _Anything()
