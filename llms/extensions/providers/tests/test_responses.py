"""OpenAI's Responses API: what it is asked, and what goes back to it of its answers."""

from typing import Any

import pytest

from llms.api import RequestError
from llms.extensions.providers.tests.responses_samples import (
    CALL,
    HI,
    ISSUER,
    LOOK,
    LOOKED,
    PNG,
    SEARCH,
    SECRET,
    THOUGHT,
    URI,
    made,
    message,
    sent,
    text,
    thought_by,
)

# -- messages --------------------------------------------------------------------------------------------------


def test_texts_stay_texts() -> None:
    said = [{"role": role, "content": role} for role in ("system", "developer", "user")]
    assert sent(*said)["input"] == said


@pytest.mark.parametrize(
    ("part", "item"),
    [
        ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
        ("a", {"type": "input_text", "text": "a"}),
        (
            {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ),
        ({"type": "image_url", "image_url": {"url": URI}}, {"type": "input_image", "image_url": URI}),
        ({"type": "image_url", "image_url": URI}, {"type": "input_image", "image_url": URI}),
        (
            {"type": "image_url", "image_url": {"url": "https://a.org/b.png", "detail": "low"}},
            {"type": "input_image", "image_url": "https://a.org/b.png", "detail": "low"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (
            {"type": "file", "file": {"filename": "a.csv", "file_data": "YSxi"}},
            {"type": "input_file", "filename": "a.csv", "file_data": "data:text/csv;base64,YSxi"},
        ),
        (
            {"type": "file", "file": {"file_data": "JVBE"}},
            {"type": "input_file", "filename": "file", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, {"type": "input_file", "file_id": "file-1"}),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://a.org/a.pdf"}},
            {"type": "input_file", "file_url": "https://a.org/a.pdf"},
        ),
        ({"type": "input_file", "file_url": "https://a.org/b"}, {"type": "input_file", "file_url": "https://a.org/b"}),
    ],
)
def test_every_part_has_its_own_form(part: Any, item: Any) -> None:
    said = {"role": "user", "content": [part]}
    assert sent(said)["input"] == [{"role": "user", "content": [item]}]


def test_a_tool_loop_becomes_items() -> None:
    asked = {"role": "assistant", "content": "One moment.", "tool_calls": [LOOKED]}
    told = {"role": "tool", "tool_call_id": "call_1", "content": "blue"}
    assert sent(HI, asked, told)["input"][1:] == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One moment."}]},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":"sky"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "blue"},
    ]


def test_a_tool_may_answer_with_an_image() -> None:
    parts = [{"type": "text", "text": "Here."}, {"type": "image_url", "image_url": {"url": URI}}]
    output = sent(HI, {"role": "tool", "tool_call_id": "c", "content": parts})["input"][1]["output"]
    assert output == [{"type": "input_text", "text": "Here."}, {"type": "input_image", "image_url": URI}]


def test_a_custom_tool_is_called_and_answered_as_one() -> None:
    call = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    items = sent(
        HI, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_2", "content": "1"}
    )["input"]
    assert items[1:] == [
        {"type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "SELECT 1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "1"},
    ]


def test_arguments_may_be_an_object_or_missing() -> None:
    given = [{"id": "a", "function": {"name": "f", "arguments": {"a": 1}}}, {"id": "b", "function": {"name": "f"}}]
    items = sent(HI, {"role": "assistant", "tool_calls": given})["input"]
    assert [item["arguments"] for item in items[1:]] == ['{"a":1}', "{}"]


@pytest.mark.parametrize("given", ["c" * 65, "chatcmpl-tool-" + "é" * 90])
def test_an_id_that_is_too_long_stays_the_same_in_call_and_result(given: str) -> None:
    again = sent(
        HI,
        {"role": "assistant", "tool_calls": [{**LOOKED, "id": given}, {**LOOKED, "id": given + "2"}]},
        {"role": "tool", "tool_call_id": given, "content": "blue"},
        {"role": "tool", "tool_call_id": given + "2", "content": "red"},
    )["input"]
    one, two, *results = [item["call_id"] for item in again[1:]]
    assert results == [one, two]
    assert one != two
    assert max(len(one), len(two)) <= 64


def test_an_id_of_64_characters_is_kept() -> None:
    assert (
        sent(HI, {"role": "assistant", "tool_calls": [{**LOOKED, "id": "c" * 64}]})["input"][1]["call_id"] == "c" * 64
    )


def test_a_refusal_is_said_as_one() -> None:
    parts = sent(HI, {"role": "assistant", "content": None, "refusal": "No."})["input"][1]["content"]
    assert parts == [{"type": "refusal", "refusal": "No."}]


@pytest.mark.parametrize(
    "unsayable",
    [
        {"role": "user", "content": "Hi", "name": "ann"},
        {"role": "function", "name": "look", "content": "blue"},
        {"role": "assistant", "content": "Hi", "audio": {"id": "audio_1"}},
        {"role": "assistant", "content": "Hi", "images": [{"type": "image_url", "image_url": {"url": URI}}]},
        {"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": URI}}]},
    ],
)
def test_what_a_message_cannot_say_is_not_left_out_in_silence(unsayable: Any) -> None:
    with pytest.raises(RequestError, match="Acme cannot be told `messages: "):
        sent(unsayable, by=made(unsupported="error"))


@pytest.mark.parametrize(
    "broken",
    [
        {"role": "user", "content": [{"type": "text"}, 7]},
        {"role": "assistant", "tool_calls": ["look"]},
        {"role": "assistant", "content": "a", "provider_metadata": {"responses": {"issuer": ISSUER, "output": ["a"]}}},
    ],
)
def test_a_message_of_another_form_is_refused(broken: Any) -> None:
    with pytest.raises(RequestError, match="A message cannot be read"):
        sent(broken)


MARK: Any = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("chat", "name"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **MARK}]}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": [{"type": "text", "text": "Hi", **MARK}]}]}, "messages"),
        (
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a", **MARK}]}]},
            "messages",
        ),
        ({"messages": [{**HI, **MARK}]}, "messages"),
        ({"messages": [HI], "tools": [{**LOOK, **MARK}]}, "tools"),
        ({"messages": [HI], "tools": [{"type": "function", "name": "look", **MARK}]}, "tools"),
        ({"messages": [HI], **MARK}, None),
    ],
)
def test_marks_for_the_cache_of_another_vendor_are_left_out(chat: Any, name: str | None) -> None:
    asked: Any = {"model": "gpt-4.1", **chat}
    assert b"cache_control" not in made().build_request(asked, stream=False)
    told = f"`{name}: cache_control`" if name else "`cache_control`"
    with pytest.raises(RequestError, match=f"Acme cannot be told {told}"):
        made(unsupported="error").build_request(asked, stream=False)


# -- reasoning and what the vendor ran itself, said again ------------------------------------------------------


@pytest.mark.parametrize(
    "thought",
    [
        SECRET,
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
    ],
)
def test_reasoning_goes_back_before_its_call(thought: Any) -> None:
    said = message(thought, CALL)
    items = sent(HI, said, {"role": "tool", "tool_call_id": "call_1", "content": "blue"})["input"]
    assert items[1] == thought
    assert [item["type"] for item in items[2:]] == ["function_call", "function_call_output"]


def test_two_thoughts_of_one_name_stay_two() -> None:
    items = sent(HI, message(SECRET, {**SECRET, "encrypted_content": "gBBB"}, text("Hi")))["input"]
    assert [item.get("encrypted_content") for item in items[1:]] == ["gAAA", "gBBB", None]


def test_a_thought_nobody_can_read_is_not_said() -> None:
    assert [item["type"] for item in sent(HI, message(THOUGHT, text("Hi")))["input"][1:]] == ["message"]


def test_a_thought_that_is_stored_goes_by_its_name() -> None:
    said = message({"type": "reasoning", "id": "rs_1", "summary": []}, CALL, store=True)
    assert sent(HI, said)["input"][1] == {"type": "reasoning", "id": "rs_1", "summary": []}


@pytest.mark.parametrize(
    "details",
    ["Hm.", [7], [{"type": "reasoning.text", "text": "Hm.", "signature": "s", "format": "anthropic-claude-v1"}]],
)
def test_thoughts_of_other_vendors_are_not_said(details: Any) -> None:
    items = sent(HI, {"role": "assistant", "content": "Hi", "reasoning_details": details})["input"]
    assert [item.get("type") for item in items] == [None, "message"]


@pytest.mark.parametrize("issuer", ["api.x.ai", "api.openai.com", None])
def test_thoughts_that_another_vendor_encrypted_are_not_said(issuer: str | None) -> None:
    """None is what gateways such as OpenRouter answer, in the same format: it goes back to them alone."""
    said = {"role": "assistant", "content": "Hi", "reasoning_details": [thought_by(issuer)], "tool_calls": [LOOKED]}
    items = sent(HI, said, {"role": "tool", "tool_call_id": "call_1", "content": "blue"})["input"]
    assert [item.get("type") for item in items] == [None, "message", "function_call", "function_call_output"]


def test_of_thoughts_by_several_vendors_ones_own_are_said() -> None:
    details = [thought_by("api.x.ai", "rs_1", "x"), thought_by(ISSUER, "rs_2", "g")]
    items = sent(HI, {"role": "assistant", "content": "Hi", "reasoning_details": details})["input"]
    assert [item.get("encrypted_content") for item in items] == [None, "g", None]


def test_what_another_vendor_ran_is_not_said() -> None:
    said = message(SECRET, SEARCH, text("Found."), CALL)
    elsewhere = made(api="https://api.x.ai/v1")
    assert sent(HI, said, by=elsewhere)["input"][1:] == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Found."}]},
        {key: value for key, value in CALL.items() if key != "id"},
    ]


@pytest.mark.parametrize("kept", ["a", ["a"], {"responses": "a"}])
def test_what_is_no_metadata_of_ours_is_left_alone(kept: Any) -> None:
    items = sent(HI, {"role": "assistant", "content": "Hi", "provider_metadata": kept})["input"]
    assert [item.get("type") for item in items] == [None, "message"]


def test_what_the_vendor_ran_goes_back_in_its_order() -> None:
    output = [SECRET, SEARCH, {**SECRET, "id": "rs_2"}, text("Found."), CALL]
    assert sent(HI, message(*output))["input"][1:] == output


def test_an_answer_that_was_changed_is_said_as_it_is_now() -> None:
    said = {**message(SEARCH, text("Found.")), "content": "Lost."}
    assert sent(HI, said)["input"][1:] == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Lost."}]}
    ]


def test_an_image_goes_back_whole_unless_it_is_stored() -> None:
    image = {"type": "image_generation_call", "id": "ig_1", "result": PNG, "output_format": "webp", "size": "1x1"}
    said = message(image)
    assert said["images"] == [{"type": "image_url", "image_url": {"url": f"data:image/webp;base64,{PNG}"}}]
    whole = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG}
    assert sent(HI, said)["input"][1:] == [whole]
    moved = {**said, "content": "Here it is.", "images": []}  # into our cache
    assert sent(HI, moved)["input"][1:] == []
    assert sent(HI, moved, store=True)["input"][1:] == [{"type": "image_generation_call", "id": "ig_1"}]


def test_a_call_of_the_vendors_own_kind_can_be_answered() -> None:
    shell = {"type": "local_shell_call", "id": "lsh_1", "call_id": "call_9", "action": {"command": ["ls"]}}
    items = sent(HI, message(shell), {"role": "tool", "tool_call_id": "call_9", "content": "a.txt"})["input"]
    assert items[1:] == [shell, {"type": "local_shell_call_output", "call_id": "call_9", "output": "a.txt"}]


# -- fields ----------------------------------------------------------------------------------------------------


def test_a_plain_chat_is_not_stored() -> None:
    assert sent() == {"model": "gpt-4.1", "input": [HI], "store": False}


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "background"])
def test_whoever_counts_on_what_is_stored_decides_about_storing(name: str) -> None:
    chat: Any = {name: "x"}
    assert "store" not in sent(**chat)


@pytest.mark.parametrize(
    ("model", "chat", "include"),
    [
        ("gpt-4.1", {}, None),
        ("gpt-5", {}, ["reasoning.encrypted_content"]),
        ("openai/o4-mini", {}, ["reasoning.encrypted_content"]),
        ("grok-4.3", {}, ["reasoning.encrypted_content"]),
        ("gpt-5-chat-latest", {}, None),
        ("gpt-5", {"store": True}, None),
        ("gpt-4.1", {"logprobs": True}, ["message.output_text.logprobs"]),
        ("gpt-5", {"include": ["a"]}, ["a", "reasoning.encrypted_content"]),
    ],
)
def test_encrypted_thoughts_are_asked_for_where_there_are_any(model: str, chat: Any, include: Any) -> None:
    assert sent(model=model, **chat).get("include") == include


def test_the_catalogue_knows_better_than_a_name() -> None:
    provider = made(models={"gpt-5": {"reasoning": False}, "plum": {"reasoning": True}})
    assert "include" not in sent(model="gpt-5", by=provider)
    assert sent(model="plum", by=provider)["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize(
    ("chat", "body"),
    [
        ({"max_completion_tokens": 20}, {"max_output_tokens": 20}),
        ({"max_tokens": 20}, {"max_output_tokens": 20}),
        ({"max_tokens": 20, "max_output_tokens": 30}, {"max_output_tokens": 30}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ({"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "detailed"}},
            {"reasoning": {"effort": "low", "summary": "detailed"}},
        ),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        (
            {
                "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}, "strict": True}},
                "verbosity": "low",
            },
            {
                "text": {
                    "format": {"type": "json_schema", "name": "x", "schema": {}, "strict": True},
                    "verbosity": "low",
                }
            },
        ),
        ({"top_logprobs": 3, "temperature": 0.5, "top_p": 0.9}, {"top_logprobs": 3, "temperature": 0.5, "top_p": 0.9}),
        ({"parallel_tool_calls": False, "user": "u"}, {"parallel_tool_calls": False, "user": "u"}),
        ({"service_tier": "flex", "safety_identifier": "s"}, {"service_tier": "flex", "safety_identifier": "s"}),
        ({"prompt_cache_key": "k", "truncation": "auto"}, {"prompt_cache_key": "k", "truncation": "auto"}),
        ({"instructions": "Be brief.", "prompt": {"id": "p"}}, {"instructions": "Be brief.", "prompt": {"id": "p"}}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
            {"tool_choice": {"type": "function", "name": "look"}},
        ),
        (
            {"tool_choice": {"type": "custom", "custom": {"name": "sql"}}},
            {"tool_choice": {"type": "custom", "name": "sql"}},
        ),
        ({"tool_choice": {"type": "web_search"}}, {"tool_choice": {"type": "web_search"}}),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [LOOK]}}},
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", **LOOK["function"]}],
                }
            },
        ),
        (
            {"web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "Bern"}}}},
            {"tools": [{"type": "web_search", "user_location": {"type": "approximate", "city": "Bern"}}]},
        ),
        ({"provider": "acme", "metadata": {"a": 1}, "n": 1, "stop": None}, {}),
        ({"provider": {"only": ["openai"]}}, {"provider": {"only": ["openai"]}}),
        ({"modalities": ["text"]}, {}),
    ],
)
def test_every_field_has_its_own_form(chat: Any, body: Any) -> None:
    assert sent(**chat) == {"model": "gpt-4.1", "input": [HI], "store": False, **body}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("stop", ["."]),
        ("seed", 7),
        ("logit_bias", {"1": 2}),
        ("frequency_penalty", 1),
        ("presence_penalty", 1),
        ("prediction", {"type": "content", "content": "a"}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy"}),
        ("functions", [{"name": "look"}]),
    ],
)
def test_what_cannot_be_said_is_left_out_or_refused(name: str, value: Any) -> None:
    assert name not in sent(**{name: value})
    with pytest.raises(RequestError, match=f"Acme cannot be told `{name}`"):
        sent(by=made(unsupported="error"), **{name: value})


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (
            LOOK,
            {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False},
        ),
        (
            {"type": "function", "function": {"name": "look", "description": "Looks.", "strict": True}},
            {
                "type": "function",
                "name": "look",
                "description": "Looks.",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
        ),
        (
            {
                "type": "custom",
                "custom": {
                    "name": "sql",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}},
                },
            },
            {
                "type": "custom",
                "name": "sql",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"},
            },
        ),
        ({"type": "custom", "custom": {"name": "sql"}}, {"type": "custom", "name": "sql"}),
        ({"type": "function", "name": "look"}, {"type": "function", "name": "look"}),
        ({"type": "web_search", "search_context_size": "low"}, {"type": "web_search", "search_context_size": "low"}),
    ],
)
def test_every_tool_has_its_own_form(tool: Any, said: Any) -> None:
    assert sent(tools=[tool])["tools"] == [said]


def test_no_tools_are_not_told() -> None:
    assert "tools" not in sent(tools=[])


def test_a_stream_is_asked_for_without_options_of_the_other_api() -> None:
    body = sent(stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    assert (body["stream"], body["stream_options"]) == (True, {"include_obfuscation": False})
    assert "stream_options" not in sent(stream=True, stream_options={"include_usage": True})


def test_summaries_can_be_left_alone() -> None:
    body = sent(reasoning_effort="low", by=made(reasoning_summary=False))
    assert body["reasoning"] == {"effort": "low"}
