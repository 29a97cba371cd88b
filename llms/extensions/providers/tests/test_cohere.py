"""Cohere's Chat API: what is sent, what is read, and all of it through a server."""

import logging
from typing import Any

import pytest

from llms.api import ProviderError, RequestError
from llms.extensions.providers.cohere import CohereProvider
from llms.extensions.providers.tests.cohere_samples import CALL, CITATION, HI, LOOK, NOTE, ROLL, answer, made


def sent(*messages: Any, provider: CohereProvider | None = None, stream: bool = False, **fields: Any) -> Any:
    chat: Any = {"model": "command-a", "messages": [*messages] or HI, **fields}
    return (provider or made()).request_body(chat, stream=stream)


def said(*parts: Any, role: str = "user") -> Any:
    return sent({"role": role, "content": [*parts]})["messages"][0]["content"]


# -- fields ------------------------------------------------------------------------------------------------------------


def test_cohere_is_asked_at_its_own_place() -> None:
    assert made().chat_url == "https://api.cohere.com/v2/chat"
    assert made(api="http://here/v2/").chat_url == "http://here/v2/chat"


def test_nothing_is_said_that_was_not_asked() -> None:
    body = sent(n=1, store=False, temperature=None, tools=[], tool_choice="none", modalities=["text"])
    assert body == {"model": "command-a", "messages": HI, "stream": False}


def test_fields_go_by_coheres_names() -> None:
    body = sent(
        top_p=0.5, top_k=9, max_completion_tokens=7, stop="|", seed=1, temperature=0, logprobs=True, stream=True
    )
    assert body == {
        "model": "command-a",
        "messages": HI,
        "stream": True,
        "logprobs": True,
        "p": 0.5,
        "k": 9,
        "max_tokens": 7,
        "stop_sequences": ["|"],
        "seed": 1,
        "temperature": 0,
    }


def test_coheres_own_fields_pass() -> None:
    own: Any = {"safety_mode": "STRICT", "citation_options": {"mode": "FAST"}, "priority": 3, "k": 4, "p": 0.1}
    own |= {"thinking": {"type": "enabled", "token_budget": 99}, "documents": ["a text"]}
    assert sent(**own, reasoning_effort="low") == {"model": "command-a", "messages": HI, "stream": False, **own}


def test_what_cohere_cannot_be_told_is_left_out_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    provider = made()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            body = sent(provider=provider, user="u", parallel_tool_calls=False, n=2)
    assert body == {"model": "command-a", "messages": HI, "stream": False}
    assert [record.message for record in caplog.records] == [
        "Acme cannot be told user, parallel_tool_calls, n: left out of its requests."
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"logit_bias": {"1": 2}},
        {"tool_choice": {"type": "allowed_tools"}, "tools": [LOOK]},
        {"tools": [{"type": "web_search"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "SUQz"}}]}]},
        {"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "x"}}]}]},
        {"tools": [{**LOOK, "cache_control": {"type": "ephemeral"}}]},
    ],
)
def test_with_unsupported_error_it_is_refused(asked: Any) -> None:
    chat: Any = {"model": "command-a", "messages": HI, **asked}
    with pytest.raises(RequestError, match="Acme cannot be told"):
        made(unsupported="error").request_body(chat, stream=False)


@pytest.mark.parametrize(
    ("asked", "thinking"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"reasoning_effort": "minimal"}, {"type": "enabled", "token_budget": 1024}),
        ({"reasoning_effort": "low"}, {"type": "enabled", "token_budget": 2048}),
        ({"reasoning_effort": "high"}, {"type": "enabled"}),
        ({"enable_thinking": True}, {"type": "enabled"}),
        ({"enable_thinking": False}, {"type": "disabled"}),
    ],
)
def test_effort_is_a_budget_for_thinking(asked: Any, thinking: Any) -> None:
    assert sent(**asked)["thinking"] == thinking


@pytest.mark.parametrize("effort", ["none", "low"])
def test_a_model_that_cannot_think_is_not_told_to(effort: str) -> None:
    provider = made(models={"command-a": {"id": "command-a", "name": "A", "reasoning": False}})
    assert "thinking" not in sent(provider=provider, reasoning_effort=effort)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}}},
            {"type": "json_object", "json_schema": {"type": "object"}},
        ),
        (
            {"type": "json_object", "json_schema": {"type": "object"}},
            {"type": "json_object", "json_schema": {"type": "object"}},
        ),
    ],
)
def test_a_format_is_json_with_or_without_a_schema(asked: Any, told: Any) -> None:
    assert sent(response_format=asked)["response_format"] == told


def test_plain_text_is_no_format() -> None:
    assert "response_format" not in sent(response_format={"type": "text"})


# -- tools -------------------------------------------------------------------------------------------------------------


def test_tools_have_parameters_even_where_there_are_none() -> None:
    bare = {"type": "function", "function": {"name": "roll", "parameters": {"type": "object", "properties": {}}}}
    assert sent(tools=[LOOK, ROLL])["tools"] == [LOOK, bare]


@pytest.mark.parametrize(("choice", "told"), [("required", "REQUIRED"), ("none", "NONE"), ("REQUIRED", "REQUIRED")])
def test_a_choice_of_tools_is_said(choice: Any, told: str) -> None:
    assert sent(tools=[LOOK], tool_choice=choice)["tool_choice"] == told


def test_a_free_choice_need_not_be_said() -> None:
    assert "tool_choice" not in sent(tools=[LOOK], tool_choice="auto")


def test_one_tool_that_must_be_called_is_the_only_one_told() -> None:
    body = sent(tools=[LOOK, ROLL], tool_choice={"type": "function", "function": {"name": "look"}})
    assert (body["tools"], body["tool_choice"]) == ([LOOK], "REQUIRED")


@pytest.mark.parametrize(("strict", "told"), [((True, True), True), ((True, False), None), ((False, False), None)])
def test_tools_are_strict_where_all_are(strict: Any, told: Any) -> None:
    tools = [
        {"type": "function", "function": {**tool["function"], "strict": is_strict}}
        for tool, is_strict in zip((LOOK, ROLL), strict, strict=True)
    ]
    body = sent(tools=tools)
    assert body.get("strict_tools") is told
    assert not any("strict" in tool["function"] for tool in body["tools"])


# -- messages ----------------------------------------------------------------------------------------------------------


def test_a_developer_is_the_system() -> None:
    assert sent({"role": "developer", "content": "Be kind."})["messages"] == [{"role": "system", "content": "Be kind."}]


def test_texts_and_images_are_parts() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    assert said({"type": "text", "text": "Look"}, image) == [{"type": "text", "text": "Look"}, image]
    assert said({"type": "image_url", "image_url": "https://x/y.png"}) == [
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    ]


def test_a_file_of_text_is_a_document() -> None:
    file = {"type": "file", "file": {"filename": "sky.txt", "file_data": f"data:text/plain;base64,{NOTE}"}}
    given = {"role": "user", "content": [{"type": "text", "text": "Sky?"}, file]}
    body = sent(given, documents=["one of the caller's"])
    assert body["messages"][0]["content"] == [{"type": "text", "text": "Sky?"}]
    told = {"id": "doc:1", "data": {"title": "sky.txt", "text": "The sky is green."}}
    assert body["documents"] == ["one of the caller's", told]


def test_a_file_that_is_not_base64_is_refused() -> None:
    file = {"type": "file", "file": {"filename": "sky.txt", "file_data": "data:text/plain;base64,?"}}
    with pytest.raises(RequestError, match=r"The file 'sky.txt' is not valid base64"):
        said(file)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ],
)
def test_a_part_that_cannot_be_said_is_left_out(part: Any) -> None:
    assert said({"type": "text", "text": "Hear"}, part) == [{"type": "text", "text": "Hear"}]
    assert said(part) == ""


def test_a_tools_result_is_a_text_or_a_document() -> None:
    document = {"type": "document", "document": {"id": "1", "data": {"output": "5"}}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    result = {"role": "tool", "tool_call_id": "look_1", "content": [document, image, {"type": "text", "text": "five"}]}
    assert sent(result)["messages"] == [{**result, "content": [document, {"type": "text", "text": "five"}]}]
    plain = {"role": "tool", "tool_call_id": "look_1", "content": "5"}
    assert sent(plain)["messages"] == [plain]


def test_an_earlier_answer_brings_its_thoughts_its_plan_and_its_calls() -> None:
    earlier = {
        "role": "assistant",
        "content": "I looked.",
        "reasoning_content": "Hm.",
        "tool_calls": [CALL, {**CALL, "id": "look_2", "function": {"name": "look", "arguments": ""}}],
        "provider_metadata": {"cohere": {"tool_plan": "I will look.", "citations": [CITATION]}},
        "annotations": [{}],
    }
    assert sent(earlier)["messages"] == [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I looked."}],
            "tool_plan": "I will look.",
            "tool_calls": [CALL, {**CALL, "id": "look_2", "function": {"name": "look", "arguments": "{}"}}],
        }
    ]


def test_an_earlier_answer_in_coheres_own_words_stays() -> None:
    earlier = {
        "role": "assistant",
        "tool_plan": "I will look.",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I looked."}],
        "reasoning_content": "Hm.",
    }
    assert sent(earlier)["messages"] == [{key: earlier[key] for key in ("role", "tool_plan", "content")}]


@pytest.mark.parametrize("content", ["", None, []])
def test_an_empty_answer_is_left_out_and_a_refusal_said(content: Any) -> None:
    empty = {"role": "assistant", "content": content}
    assert sent(*HI, empty)["messages"] == HI
    refused = {"role": "assistant", "content": "I won't."}
    assert sent(*HI, {**empty, "refusal": "I won't."})["messages"] == [*HI, refused]


def test_a_part_that_refuses_is_text() -> None:
    assert said({"type": "refusal", "refusal": "No."}, role="assistant") == [{"type": "text", "text": "No."}]


def test_an_answer_that_only_calls_has_no_content() -> None:
    earlier = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert sent(earlier)["messages"] == [{"role": "assistant", "tool_calls": [CALL]}]


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read() -> None:
    given = answer(
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Green, I say."}, citations=[CITATION]
    )
    completion: Any = made().completion(given)
    choice = completion["choices"][0]
    cited = {"filename": "sky.txt", "file_id": "doc:0", "quote": "Green", "start_index": 0, "end_index": 5}
    assert completion["id"] == "a-1"
    assert choice["finish_reason"] == "stop"
    assert choice["message"] == {
        "role": "assistant",
        "content": "Green, I say.",
        "reasoning_content": "Hm.",
        "annotations": [{"type": "file_citation", "file_citation": cited}],
        "provider_metadata": {"cohere": {"citations": [CITATION]}},
    }
    assert completion["usage"] == {
        "prompt_tokens": 30,
        "completion_tokens": 40,
        "total_tokens": 70,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 5},
        "billed_units": {"input_tokens": 3, "output_tokens": 4},
    }


def test_an_answer_that_calls_tools_keeps_its_plan() -> None:
    given = answer(reason="TOOL_CALL", tool_plan="I will look.", tool_calls=[CALL])
    completion: Any = made().completion(given)
    choice = completion["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [CALL]
    assert choice["message"]["provider_metadata"] == {"cohere": {"tool_plan": "I will look."}}


def test_citations_count_from_the_beginning_of_the_whole_text() -> None:
    web = {"type": "document", "id": "d", "document": {"url": "https://x/", "title": "X"}}
    citations = [
        {**CITATION, "content_index": 2, "sources": [web]},
        {"start": 1, "end": 2, "text": "n", "sources": []},
        {**CITATION, "type": "PLAN"},
    ]
    blocks = [
        {"type": "text", "text": "One. "},
        {"type": "thinking", "thinking": "?"},
        {"type": "text", "text": "Green"},
    ]
    completion: Any = made().completion(answer(*blocks, citations=citations))
    message = completion["choices"][0]["message"]
    place = {"start_index": 5, "end_index": 10}
    assert message["annotations"] == [
        {"type": "url_citation", "url_citation": {"url": "https://x/", "title": "X", **place}},
        {
            "type": "file_citation",
            "file_citation": {"filename": "", "file_id": None, "quote": "n", "start_index": 1, "end_index": 2},
        },
    ]
    assert message["provider_metadata"]["cohere"]["citations"] == citations


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_why_it_ended_is_told_in_openais_words(reason: str, told: str) -> None:
    completion: Any = made().completion(answer({"type": "text", "text": "Hi"}, reason=reason))
    assert completion["choices"][0]["finish_reason"] == told


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_answer_that_failed_is_an_error(reason: str) -> None:
    with pytest.raises(ProviderError, match=r"Acme: the answer .* Try again\."):
        made().completion(answer({"type": "text", "text": "H"}, reason=reason))


def test_logprobs_are_told() -> None:
    given = {
        **answer({"type": "text", "text": "Hi"}),
        "logprobs": [{"token_ids": [1], "text": "Hi", "logprobs": [-0.5]}],
    }
    completion: Any = made().completion(given)
    assert completion["choices"][0]["logprobs"] == {
        "content": [{"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}]
    }


@pytest.mark.parametrize("body", [b"{}", b'{"message":"no"}', b'{"message":{"content":7},"finish_reason":"COMPLETE"}'])
def test_an_answer_in_another_form_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        made().parse_response(body)
