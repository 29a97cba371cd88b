"""Items and events of OpenAI's Responses API, and what is sent and read of them."""

import json
from collections.abc import Iterable
from typing import Any

from llms.api import StreamAssembler
from llms.extensions.providers.responses import ResponsesProvider
from llms.testing import sse

HI = {"role": "user", "content": "Hi"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
URI = f"data:image/png;base64,{PNG}"
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
SECRET = {**THOUGHT, "encrypted_content": "gAAA"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": '{"at":"sky"}'}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
ISSUER = "127.0.0.1:9"  # who `made` asks
LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
LOOKED: Any = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":"sky"}'}}


def made(**entry: Any) -> ResponsesProvider:
    return ResponsesProvider(**{"id": "acme", "name": "Acme", "api": "http://127.0.0.1:9", "api_key": "k" * 9, **entry})


def sent(*messages: Any, stream: bool = False, by: Any = None, **chat: Any) -> Any:
    """What is sent for a chat with these messages and fields."""
    asked: Any = {"model": "gpt-4.1", "messages": list(messages) or [HI], **chat}
    return json.loads((by or made()).build_request(asked, stream=stream))


def text(said: str, **more: Any) -> Any:
    content = {"type": "output_text", "text": said, "annotations": [], **more}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [content]}


def answer(*output: Any, **fields: Any) -> Any:
    usage = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
    head = {"id": "resp_1", "model": "gpt-4.1", "status": "completed", "store": False, "error": None}
    return {**head, "output": list(output), "usage": usage, **fields}


def read(*output: Any, **fields: Any) -> Any:
    """The whole answer with these items, read."""
    return made().parse_response(json.dumps(answer(*output, **fields)).encode())


def message(*output: Any, **fields: Any) -> Any:
    return read(*output, **fields)["choices"][0]["message"]


def streamed(events: Iterable[Any]) -> Any:
    """What a stream of these events says."""
    reader, assembler = made().reader(), StreamAssembler()
    for event in events:
        assembler.feed_all(reader.feed(sse(event)))
    assembler.feed_all(reader.finish())
    reader.check()
    return assembler.so_far()


def thought_by(issuer: str | None, id: str = "rs_1", data: str = "gAAA") -> Any:
    """A detail of the reasoning in an answer of `issuer`."""
    detail = {"type": "reasoning.encrypted", "data": data, "format": "openai-responses-v1", "id": id, "issuer": issuer}
    return {key: value for key, value in detail.items() if value is not None}


def event(kind: str, **fields: Any) -> Any:
    return {"type": f"response.{kind}", **fields}


def done(*output: Any, **fields: Any) -> Any:
    return event("completed", response=answer(*output, **fields))
