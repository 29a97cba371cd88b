"""What a model answers that calls tools."""

import json
from typing import Any

from llms.kernel.types import Json


def calls(*asked: tuple[str, Any]) -> Json:
    """An answer with these calls, each a tool's name and its arguments; a string stands for their JSON."""
    tool_calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for number, (name, args) in enumerate(asked)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "fake-model", "choices": [choice]}
