"""What a vendor sealed in a recorded answer, and wants to see again, is in the next request that follows the answer.

The answer is read as it came, goes through the pipeline as a client would send it back, with what its tools gave or a
word of the user after it, and is said again. Every signature, every encrypted string and every block of a tool that
the vendor runs itself must be found in what is sent then.
"""

import json
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest

from llms.chat.prepare import prepare
from llms.extensions.providers.responses import ResponsesProvider
from llms.providers.assembler import StreamAssembler
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.sse import SseDecoder

from .dialects import anthropic_messages, bedrock_converse, gemini
from .records import FOLDER, body, files, records

_SEALED = frozenset(("signature", "thoughtSignature", "encrypted_content", "encrypted_index", "redactedContent"))
_OF_ANTHROPIC = ("server_tool_use", "mcp_tool_use", "redacted_thinking")  # and what their tools gave
_OF_RESPONSES = ("_call", "_call_output", "mcp_list_tools", "tool_search_output")
_WHOLE = "response.output_item.done"  # what began it and what sums up are encrypted anew, and say the same
_URL = "http://127.0.0.1:9"


def responses(record: Any, api: str) -> OpenAiCompatible:
    return ResponsesProvider(id="acme", name="Acme", api=api, api_key="key-0123456789")


PROVIDERS: Any = MappingProxyType(
    {
        "anthropic-messages": anthropic_messages.provider,
        "gemini": gemini.provider,
        "bedrock-converse": bedrock_converse.provider,
        "openai-responses": responses,
    }
)

pytestmark = pytest.mark.skipif(
    not any(map(files, PROVIDERS)), reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}"
)


@pytest.mark.parametrize("dialect", PROVIDERS)
def test_what_a_vendor_sealed_goes_back_to_it(dialect: str) -> None:
    lost, count = {}, 0
    for record in recorded(dialect):
        provider = PROVIDERS[dialect](record, _URL)
        if sealed := {seal for event in events(provider, record) for seal in seals(event)}:
            count += 1
            sent = strings(json.loads(provider.build_request(following(provider, record), stream=False)))
            lost[record["id"]] = [seal for seal in sealed if not any(seal in said for said in sent)]
    assert {id: seals for id, seals in lost.items() if seals} == {}
    assert count


def recorded(dialect: str) -> Iterator[Any]:
    for file in files(dialect):
        yield from (record for record in records(file) if record["response"]["status"] == 200)


def following(provider: OpenAiCompatible, record: Any) -> Any:
    """The chat after the recorded answer, as the pipeline shows it to `provider`."""
    given = record["openai_request"]
    asked = (record["request"]["body"] if given.get("same_as_request") else given["body"]) or {}
    message = answer(provider, record)["choices"][0]["message"]
    calls = message.get("tool_calls") or ()
    after = [{"role": "tool", "tool_call_id": call["id"], "content": "42"} for call in calls]
    messages = [{"role": "user", "content": "Hi"}, message, *(after or [{"role": "user", "content": "And now?"}])]
    chat: Any = {**asked, "model": asked.get("model") or record["model"], "messages": messages}
    return prepare(json.loads(json.dumps(chat)), None, replays=provider.replays)


def answer(provider: OpenAiCompatible, record: Any) -> Any:
    if not record["stream"]:
        return provider.parse_response(body(record))
    reader, assembler = provider.reader(), StreamAssembler()
    assembler.feed_all(reader.feed(body(record)))
    assembler.feed_all(reader.finish())
    reader.check()
    return assembler.so_far()


def events(provider: Any, record: Any) -> Iterator[Any]:
    """What the vendor said, event by event."""
    if not record["stream"]:
        yield json.loads(body(record))
        return
    decoder = (provider.decoder() if hasattr(provider, "decoder") else None) or SseDecoder()
    for data in (*decoder.feed(body(record)), *decoder.finish()):
        if data.startswith(b"{"):
            yield json.loads(data)


def seals(event: Any) -> Iterator[str]:
    """The strings in `event` that must be found in the next request."""
    kind = str(event.get("type") or "") if isinstance(event, dict) else ""
    if kind.startswith("response.") and kind != _WHOLE:
        return
    yield from _sealed(event)


def _sealed(said: Any) -> Iterator[str]:
    if isinstance(said, list):
        for each in said:
            yield from _sealed(each)
    if not isinstance(said, dict):
        return
    if _is_of_the_vendor(str(said.get("type") or "")):
        yield from (said[name] for name in ("id", "tool_use_id", "data") if isinstance(said.get(name), str))
    for name, value in said.items():
        if name in _SEALED and isinstance(value, str) and value:
            yield value
        yield from _sealed(value)


def _is_of_the_vendor(kind: str) -> bool:
    """Whether this is the type of a block that a tool the vendor runs has made, or that nobody else can read."""
    if kind in ("function_call", "custom_tool_call"):  # the client's own
        return False
    return kind in _OF_ANTHROPIC or kind.endswith(("_tool_result", *_OF_RESPONSES))


def strings(said: Any) -> list[str]:
    if isinstance(said, str):
        return [said]
    if isinstance(said, dict):
        said = list(said.values())
    return [each for one in said for each in strings(one)] if isinstance(said, list) else []
