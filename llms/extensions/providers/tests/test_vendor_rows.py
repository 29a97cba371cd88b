"""What each row makes of a chat: under which names fields go, and what of earlier answers comes with them."""

import json
from typing import Any

import pytest

from llms.api import LlmsError
from llms.extensions.providers.vendors import VENDORS, CompatibleProvider

LONG = f"chatcmpl-tool-{'0123456789abcdef' * 2}"
LIMITS = {"OpenAI": "max_completion_tokens"}  # both names of the limit become this one
OLDER = (
    *("Mistral", "Codestral", "DeepSeek", "Together", "Fireworks", "Deep Infra", "Perplexity", "NVIDIA", "Chutes"),
    *("Z.ai", "Alibaba", "Moonshot"),
)
THOUGHT = {"reasoning_content"}
DETAILS = {"reasoning_details", "reasoning"}
REPLAYS = {
    "Cerebras": THOUGHT | {"reasoning"},
    "DeepSeek": THOUGHT,
    "Fireworks": THOUGHT,
    "Google AI (OpenAI form)": {"extra_content"},
    "MiniMax": THOUGHT | DETAILS,
    "Moonshot": THOUGHT,
    "OpenRouter": DETAILS,
    "Vercel AI Gateway": DETAILS,
    "Z.ai": THOUGHT,
    "xAI": THOUGHT,
}
MARKED = {"cache_control": {"type": "ephemeral"}}


def provider(name: str, **entry: Any) -> CompatibleProvider:
    row = next((row for row in VENDORS if row.name == name), None)
    api = f"https://{row.hosts[0]}/v1" if row else "https://unknown.example/v1"
    return CompatibleProvider(id="acme", name="Acme", api=api, api_key="test-key-0123456789", **entry)


def body(name: str, *messages: Any, entry: Any = None, **fields: Any) -> Any:
    """What the vendor of this name is sent."""
    chat: Any = {"model": "m", "messages": list(messages), **fields}
    return json.loads(provider(name, **(entry or {})).build_request(chat, stream=False))


def answered(*details: Any, id: str = "call_1", **fields: Any) -> Any:
    signed = {"google": {"thought_signature": "SEALED"}}
    call = {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}, "extra_content": signed}
    more = {"reasoning_details": list(details)} if details else {}
    return {"role": "assistant", "content": "Hm.", "tool_calls": [call], **more, **fields}


def detail(format: str, **fields: Any) -> Any:
    return {"type": "reasoning.text", "text": "Hm.", "format": format, **fields}


every_row = pytest.mark.parametrize("name", [row.name for row in VENDORS])


@every_row
def test_a_vendor_sees_of_earlier_answers_what_it_wants_to(name: str) -> None:
    assert provider(name).replays == REPLAYS.get(name, set())


@every_row
def test_the_limit_goes_under_the_name_that_is_known(name: str) -> None:
    newer, older = body(name, max_completion_tokens=9), body(name, max_tokens=9)
    assert newer == {"model": "m", "messages": [], "max_tokens" if name in OLDER else "max_completion_tokens": 9}
    assert older == {"model": "m", "messages": [], LIMITS.get(name, "max_tokens"): 9}


@every_row
def test_everything_that_all_vendors_know_is_said_as_it_is(name: str) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    asked = {"tools": tools, "temperature": 0, "stop": ["."]}
    messages = [{"role": "user", "content": "Hi"}]
    assert body(name, *messages, **asked) == {"model": "m", "messages": messages, **asked}


@pytest.mark.parametrize("name", [*(row.name for row in VENDORS), "somebody"])
def test_a_signature_of_google_goes_to_no_other_vendor(name: str) -> None:
    known = name in ("Google AI (OpenAI form)", "somebody")  # which may be a gateway to Google
    assert ("SEALED" in json.dumps(body(name, answered()))) == known


@pytest.mark.parametrize("name", [*(row.name for row in VENDORS), "somebody"])
def test_a_mark_of_what_to_cache_goes_to_those_that_heed_it(name: str, caplog: pytest.LogCaptureFixture) -> None:
    part = {"type": "text", "text": "Hi", **MARKED}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}, **MARKED}
    asked = [{"role": "system", "content": "Be brief", **MARKED}, {"role": "user", "content": [part]}]
    said = body(name, *asked, tools=[tool], **MARKED)
    heeded = name in ("Alibaba", "OpenRouter", "Vercel AI Gateway", "somebody")
    assert json.dumps(said).count("cache_control") == (4 if heeded else 0)
    assert ("cannot be told cache_control" in caplog.text) == (not heeded)
    assert part.keys() == {"type", "text", "cache_control"}


def test_a_text_that_speaks_of_marks_is_none(caplog: pytest.LogCaptureFixture) -> None:
    asked = {"role": "user", "content": [{"type": "text", "text": "cache_control"}]}
    assert body("OpenAI", asked)["messages"] == [asked]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("MiniMax", ["MiniMax-response-v1", None]),
        ("OpenRouter", ["anthropic-claude-v1", "google-gemini-v1", "openai-responses-v1", "unknown", None]),
        ("Vercel AI Gateway", ["anthropic-claude-v1", "google-gemini-v1", "openai-responses-v1", "unknown", None]),
    ],
)
def test_a_vendor_is_shown_the_details_it_can_read(name: str, kept: list[str | None]) -> None:
    formats = ("MiniMax-response-v1", "anthropic-claude-v1", "bedrock-converse-v1", "google-gemini-v1")
    details = [detail(format, signature="s") for format in (*formats, "openai-responses-v1", "unknown")]
    details.append({"type": "reasoning.text", "text": "Hm."})
    said = body(name, answered(*details))["messages"][0]["reasoning_details"]
    assert [each.get("format") for each in said] == kept


@pytest.mark.parametrize("name", ["OpenRouter", "Vercel AI Gateway"])
def test_what_was_encrypted_for_a_customer_of_another_vendor_stays_away(name: str) -> None:
    sealed = {"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "format": "openai-responses-v1"}
    said = body(name, answered({**sealed, "issuer": "api.openai.com"}))["messages"][0]
    assert "reasoning_details" not in said


@pytest.mark.parametrize("name", ["OpenRouter", "Vercel AI Gateway", "MiniMax"])
def test_thoughts_that_come_as_details_are_not_said_again(name: str) -> None:
    assert "thinking" not in body(name, answered(thinking="Hm."))["messages"][0]


def test_cerebras_gets_thoughts_under_its_own_name() -> None:
    said = body("Cerebras", {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"})["messages"]
    assert said == [{"role": "assistant", "content": "4", "reasoning": "2 + 2"}]


@pytest.mark.parametrize("name", ["OpenAI", "GitHub Models"])
def test_a_long_id_of_a_tool_call_is_shortened_everywhere_alike(name: str) -> None:
    result = {"role": "tool", "tool_call_id": LONG, "content": "42"}
    answer, told = body(name, answered(id=LONG), result)["messages"]
    assert answer["tool_calls"][0]["id"] == told["tool_call_id"]
    assert len(told["tool_call_id"]) <= 40
    assert told["tool_call_id"] != body(name, {**result, "tool_call_id": f"{LONG}f"})["messages"][0]["tool_call_id"]


def test_an_id_of_forty_characters_stays() -> None:
    result = {"role": "tool", "tool_call_id": "a" * 40, "content": "42"}
    assert body("OpenAI", result)["messages"] == [result]


FOREIGN: Any = {"annotations": [{"type": "url_citation"}], "refusal": None, "reasoning_content": "Hm.", "images": [{}]}


@pytest.mark.parametrize("name", ["Mistral", "Codestral", "Groq"])
def test_a_strict_vendor_is_spared_what_other_answers_brought(name: str, caplog: pytest.LogCaptureFixture) -> None:
    said = body(name, answered(**FOREIGN, function_call=None))["messages"][0]
    assert said.keys() == {"role", "content", "tool_calls"}
    assert said["tool_calls"][0].keys() == {"id", "type", "function"}
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["Mistral", "Groq"])
@pytest.mark.parametrize(("field", "value"), [("name", "ann"), ("refusal", "I will not."), ("weight", 1)])
def test_what_a_strict_vendor_cannot_be_told_is_told_to_the_operator(
    name: str, field: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert field not in body(name, {"role": "assistant", "content": "Hm.", field: value})["messages"][0]
    assert f"Acme cannot be told {field}: left out of its requests." in caplog.text


def test_it_can_be_refused_instead() -> None:
    with pytest.raises(LlmsError, match="cannot be told `name`"):
        body("Mistral", {"role": "user", "content": "Hi", "name": "ann"}, entry={"unsupported": "error"})


def test_mistral_keeps_the_beginning_of_its_answer_and_the_name_of_a_tool() -> None:
    begun = {"role": "assistant", "content": "Once", "prefix": True}
    result = {"role": "tool", "name": "look", "tool_call_id": "abcDEF123", "content": "42"}
    assert body("Mistral", result, begun)["messages"] == [result, begun]
    assert "name" not in body("Groq", result)["messages"][0]
