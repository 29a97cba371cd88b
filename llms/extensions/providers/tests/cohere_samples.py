"""What the tests of Cohere send and answer."""

import base64
from typing import Any

from llms.extensions.providers.cohere import CohereProvider

HI: Any = [{"role": "user", "content": "Hi"}]
LOOK: Any = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
}
ROLL: Any = {"type": "function", "function": {"name": "roll"}}
NOTE = base64.b64encode(b"The sky is green.").decode()
CALL: Any = {"id": "look_1", "type": "function", "function": {"name": "look", "arguments": '{"at":"sky"}'}}
CITATION = {
    "start": 0,
    "end": 5,
    "text": "Green",
    "sources": [{"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "sky.txt", "text": "..."}}],
    "type": "TEXT_CONTENT",
    "content_index": 1,
}
USAGE = {
    "billed_units": {"input_tokens": 3, "output_tokens": 4},
    "tokens": {"input_tokens": 30.0, "output_tokens": 40, "reasoning_tokens": 5},
    "cached_tokens": 16,
}


def made(**entry: Any) -> CohereProvider:
    return CohereProvider(**{"id": "acme", "name": "Acme", "api_key": "key-0123456789", **entry})


def answer(*content: Any, reason: str = "COMPLETE", **more: Any) -> Any:
    message = {"role": "assistant", "content": [*content], **more}
    return {"id": "a-1", "message": message, "finish_reason": reason, "usage": USAGE}


def event(kind: str, index: int | None = None, /, **message: Any) -> Any:
    place = {} if index is None else {"index": index}
    return {"type": kind, **place, "delta": {"message": message}}


def end(reason: str = "COMPLETE", **more: Any) -> Any:
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": USAGE, **more}}
