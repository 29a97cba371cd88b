"""OpenAI's dialect as pure functions: a request built, an answer read, an event read."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import ConfigError, ProviderError
from llms.providers.assembler import StreamAssembler
from llms.providers.events import as_events
from llms.providers.openai_compatible import (
    CodestralProvider,
    GroqProvider,
    InvalidProvider,
    OpenAiCompatible,
    XaiProvider,
)

MESSAGES = [{"role": "user", "content": "Hi"}]


def made(**entry: Any) -> OpenAiCompatible:
    return OpenAiCompatible(**{"id": "acme", "api": "http://localhost/v1", "api_key": "k", **entry})


def sent(provider: OpenAiCompatible | None = None, /, *, stream: bool = False, **chat: Any) -> Any:
    """The request body for a chat with these fields."""
    request: Any = {"model": "m", "messages": MESSAGES, **chat}
    provider = provider or made()
    return json.loads(provider.build_request(provider.addressed(request), stream=stream))


# -- built from its entry --------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["id", "api"])
def test_a_provider_without_id_or_api_is_refused(missing: str) -> None:
    with pytest.raises(InvalidProvider, match=f"has no `{missing}`. Add it to llms.json") as raised:
        made(**{missing: None})
    assert isinstance(raised.value, ValueError)  # what existing extensions expect
    assert isinstance(raised.value, ConfigError)


@pytest.mark.parametrize("api", ["https://api.acme.com/v1", "https://api.acme.com/v1/", "/https://api.acme.com/v1//"])
def test_slashes_round_the_api_do_not_matter(api: str) -> None:
    assert made(api=api).chat_url == "https://api.acme.com/v1/chat/completions"


@pytest.mark.parametrize("id", ["my-provider", "my_provider"])
def test_a_provider_without_name_is_called_after_its_id(id: str) -> None:
    assert made(id=id).name == "My Provider"


@pytest.mark.parametrize(
    ("cls", "api"),
    [
        (GroqProvider, "https://api.groq.com/openai/v1"),
        (XaiProvider, "https://api.x.ai/v1"),
        (CodestralProvider, "https://codestral.mistral.ai/v1"),
    ],
)
def test_some_vendors_need_no_api_in_their_entry(cls: type[OpenAiCompatible], api: str) -> None:
    assert cls(id="x", api_key="k").api == api


def test_the_key_is_sent_as_a_bearer_token() -> None:
    assert made(api_key="secret").headers["Authorization"] == "Bearer secret"


def test_the_key_may_come_from_the_first_variable_of_env_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND", "from the environment")
    assert (
        OpenAiCompatible(id="acme", api="http://127.0.0.1:9", env=["FIRST", "SECOND"]).api_key == "from the environment"
    )


def test_a_line_end_after_the_key_does_no_harm() -> None:
    assert made(api_key="secret\n").headers["Authorization"] == "Bearer secret"


def test_without_a_key_nothing_is_sent_for_one() -> None:
    assert "Authorization" not in made(api_key=None).headers


def test_headers_of_the_entry_are_added() -> None:
    assert made(headers={"X-Title": "llms"}).headers == {
        "Content-Type": "application/json",
        "Authorization": "Bearer k",
        "X-Title": "llms",
    }


def test_a_header_of_the_entry_wins_in_whatever_case_it_is_written() -> None:
    headers = made(headers={"authorization": "Token mine", "content-type": "application/json; charset=utf-8"}).headers
    assert headers == {"authorization": "Token mine", "content-type": "application/json; charset=utf-8"}


def test_a_provider_without_key_says_which_variables_it_looks_at() -> None:
    provider = made(name="Acme", api_key=None, env=["ACME_KEY", "ACME_API_KEY"])
    assert provider.validate() == "Provider 'Acme' requires API Key ACME_KEY, ACME_API_KEY"
    assert provider.test() is False


def test_a_provider_with_a_key_can_be_used() -> None:
    assert made().validate() is None
    assert made().test() is True


# -- the request -----------------------------------------------------------------------------------------------


def test_the_request_is_the_chat() -> None:
    assert sent(temperature=0.5, vendor_field={"a": 1}) == {
        "model": "m",
        "messages": MESSAGES,
        "temperature": 0.5,
        "vendor_field": {"a": 1},
    }


def test_the_chat_stays_as_it_is() -> None:
    chat: Any = {
        "model": "public",
        "messages": MESSAGES,
        "metadata": {"threadId": 1},
        "provider": "acme",
        "stream_options": {"x": 1},
    }
    before = copy.deepcopy(chat)
    made(map_models={"public": "own"}, temperature=1).build_request(chat, stream=True)
    assert chat == before


def test_the_model_is_called_as_the_vendor_calls_it() -> None:
    assert sent(made(map_models={"public": "acme/own"}), model="PUBLIC")["model"] == "acme/own"


def test_a_model_nobody_knows_is_sent_as_it_is() -> None:
    assert sent(model="new-model")["model"] == "new-model"


def test_metadata_never_goes_upstream() -> None:
    assert "metadata" not in sent(metadata={"threadId": 1})


def test_the_name_of_one_of_our_providers_does_not_go_upstream() -> None:
    assert "provider" not in sent(provider="acme")


def test_a_vendors_own_provider_object_goes_upstream() -> None:
    assert sent(provider={"order": ["x"]})["provider"] == {"order": ["x"]}


def test_request_settings_of_the_entry_are_defaults() -> None:
    assert sent(made(temperature=0.1, reasoning_effort="low"))["temperature"] == 0.1


def test_the_caller_beats_the_settings_of_the_entry() -> None:
    assert sent(made(temperature=0.1, seed=1), temperature=0, seed=None) == {
        "model": "m",
        "messages": MESSAGES,
        "temperature": 0,
        "seed": None,
    }


@pytest.mark.parametrize("key", ["max_tokens", "timeout", "foo"])
def test_other_keys_of_the_entry_are_no_request_settings(key: str) -> None:
    assert key not in sent(made(**{key: 5}))


def test_a_stream_always_asks_for_usage() -> None:
    body = sent(stream=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_other_stream_options_of_the_caller_are_kept() -> None:
    body = sent(stream=True, stream_options={"include_usage": False, "include_obfuscation": False})
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_whole_answer_is_asked_for_without_a_word_on_streams() -> None:
    body: Any = json.loads(
        made().build_request({"model": "m", "messages": [], "stream": True, "stream_options": {}}, stream=False)
    )
    assert "stream" not in body
    assert "stream_options" not in body


# -- whole answers ---------------------------------------------------------------------------------------------


def parsed(message: Any = None, *, finish_reason: Any = "stop", **fields: Any) -> Any:
    answer = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], **fields}
    return made(name="Acme").parse_response(json.dumps(answer).encode())


def message_of(message: Any) -> Any:
    return parsed(message)["choices"][0]["message"]


def test_an_answer_in_openais_words_stays_as_it_is() -> None:
    message: Any = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []}
    assert message_of(dict(message)) == message


THINKING: list[tuple[Any, str | None, str | None]] = [
    ({"content": "Yes", "reasoning_content": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "thinking": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning": "Hm", "reasoning_content": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning": "", "reasoning_content": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning": "", "thinking": "Hm"}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning_details": [{"text": "H"}, {"summary": "m"}, {"data": "xyz"}]}, "Yes", "Hm"),
    ({"content": "Yes", "reasoning": "Hm", "reasoning_details": [{"text": "Hm"}]}, "Yes", "Hm"),
    ({"content": [{"type": "text", "text": "Y"}, {"type": "text", "text": "es"}]}, "Yes", None),
    ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, "Yes"]}, "Yes", "Hm"),
    ({"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": None}]}, "", "Hm"),
    ({"content": [{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "Yes"}]}, "Yes", None),
    ({"content": []}, "", None),
    ({"content": None, "reasoning": None}, None, None),
]


@pytest.mark.parametrize(("message", "content", "thought"), THINKING)
def test_text_and_reasoning_are_found_where_vendors_put_them(message: Any, content: Any, thought: Any) -> None:
    whole = message_of(copy.deepcopy(message))
    assert (whole["content"], whole.get("reasoning_content")) == (content, thought)
    assert "reasoning" not in whole or whole["reasoning"] is None
    assert "thinking" not in whole


@pytest.mark.parametrize(("message", "content", "thought"), THINKING)
def test_the_same_holds_for_a_streamed_delta(message: Any, content: Any, thought: Any) -> None:
    event = made().parse_event(json.dumps({"choices": [{"index": 0, "delta": message}]}).encode())
    delta: Any = event.chunk["choices"][0]["delta"]
    assert (delta["content"], delta.get("reasoning_content")) == (content, thought)


def test_structured_content_becomes_its_text() -> None:
    assert json.loads(message_of({"content": {"a": 1}})["content"]) == {"a": 1}


@pytest.mark.parametrize("calls", [None, []])
def test_no_tool_calls_is_no_such_field(calls: Any) -> None:
    assert "tool_calls" not in message_of({"content": "Hi", "tool_calls": calls})


@pytest.mark.parametrize("told", ["", None])
def test_an_empty_finish_reason_is_null(told: Any) -> None:
    assert parsed({"content": "Hi"}, finish_reason=told)["choices"][0]["finish_reason"] is None


def test_groqs_usage_is_found() -> None:
    assert parsed({"content": "Hi"}, x_groq={"usage": {"prompt_tokens": 1}})["usage"] == {"prompt_tokens": 1}


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 9, "cached_tokens": 4},
        {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5},
        {"prompt_tokens": 9, "num_cached_tokens": 4, "prompt_tokens_details": {"audio_tokens": 1}},
        {"prompt_tokens": 9, "num_cached_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}},
    ],
)
def test_cached_tokens_are_found_where_vendors_tell_them(usage: Any) -> None:
    assert parsed({"content": "Hi"}, usage=usage)["usage"]["prompt_tokens_details"]["cached_tokens"] == 4


@pytest.mark.parametrize(
    "usage",
    [None, {}, 5, "none", [], {"prompt_tokens": "nine"}, {"prompt_tokens_details": {"cached_tokens": [1]}}],
)
def test_usage_that_cannot_be_read_is_as_good_as_none(usage: Any) -> None:
    completion = parsed({"content": "Hi"}, usage=usage)
    assert not completion["usage"]
    assert completion["choices"][0]["message"]["content"] == "Hi"


def test_an_error_inside_an_answer_is_raised() -> None:
    with pytest.raises(ProviderError, match=r"^Acme: no luck$"):
        parsed({"content": "Hi"}, error={"message": "no luck"})


def test_an_error_inside_a_choice_is_raised() -> None:
    with pytest.raises(ProviderError, match=r"^Acme: no luck$"):
        made(name="Acme").parse_response(b'{"choices": [{"message": {}, "error": {"message": "no luck"}}]}')


BROKEN: list[Any] = [
    {},
    {"choices": None},
    {"choices": {}},
    {"choices": 5},
    {"choices": [None]},
    {"choices": ["Hi"]},
    {"choices": [{"message": "Hi"}]},
    {"choices": [{"message": {"content": 5}}]},
    {"choices": [{"message": {"content": [5]}}]},
    {"choices": [{"message": {"tool_calls": [None]}}]},
    {"choices": [{"message": {"tool_calls": [{"function": "f"}]}}]},
    {"choices": [{"message": {"reasoning_details": [5]}}]},
    {"choices": [{"message": {}, "finish_reason": {}}]},
]


@pytest.mark.parametrize("answer", BROKEN)
def test_an_answer_that_is_no_completion_is_refused(answer: Any) -> None:
    with pytest.raises(ProviderError, match=r"^Acme answered .*Check its `api` URL"):
        made(name="Acme").parse_response(json.dumps(answer).encode())


# -- events ----------------------------------------------------------------------------------------------------


def test_a_plain_event_keeps_its_bytes() -> None:
    data = b'{"id":"1", "choices" :[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}'
    event = made().parse_event(data)
    assert event.plain
    assert event.encode() == b"data: " + data + b"\n\n"


def test_an_event_that_was_tidied_is_encoded_anew() -> None:
    event = made().parse_event(b'{"choices":[{"index":0,"delta":{"reasoning":"Hm"}}]}')
    assert not event.plain
    assert json.loads(event.encode()[6:])["choices"][0]["delta"] == {"reasoning_content": "Hm"}


@pytest.mark.parametrize("delta", ['{"content":"Hi"}', '{"content":"Hi","role":"assistant"}'])
def test_an_event_told_on_several_lines_is_relayed_on_one(delta: str) -> None:
    event = made().parse_event(b'{"choices":\n[{"index":0,"delta":' + delta.encode() + b"}]}")
    assert event.encode().count(b"\n") == 2
    assert json.loads(event.encode()[6:])["choices"][0]["delta"]["content"] == "Hi"


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]},
        {"choices": [{"delta": {"content": "Hi"}}], "usage": {"prompt_tokens": 1}},
        {"choices": [{"delta": {"content": "Hi", "role": "assistant"}}]},
        {"choices": [{"delta": {"content": None}}]},
        {"choices": [{"delta": {}}]},
        {"choices": []},
        {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]},
    ],
)
def test_only_a_piece_of_one_text_is_plain(chunk: Any) -> None:
    assert not made().parse_event(json.dumps(chunk).encode()).plain


@pytest.mark.parametrize("chunk", [{}, {"choices": None}, {"choices": None, "usage": {"prompt_tokens": 1}}])
def test_an_event_without_choices_has_an_empty_list_of_them(chunk: Any) -> None:
    event = made().parse_event(json.dumps(chunk).encode())
    assert event.chunk["choices"] == []
    assert json.loads(event.encode()[6:])["choices"] == []


@pytest.mark.parametrize("choice", [{"index": 0}, {"index": 0, "delta": None}])
def test_a_choice_without_delta_has_an_empty_one(choice: Any) -> None:
    assert made().parse_event(json.dumps({"choices": [choice]}).encode()).chunk["choices"][0]["delta"] == {}


def test_an_empty_finish_reason_in_a_stream_is_null() -> None:
    event = made().parse_event(b'{"choices": [{"index": 0, "delta": {}, "finish_reason": ""}]}')
    assert event.chunk["choices"][0]["finish_reason"] is None


@pytest.mark.parametrize(
    "chunk",
    [
        {"error": {"message": "no luck"}},
        {"choices": [], "error": "no luck"},
        {"choices": [{"index": 0, "delta": {"content": ""}, "error": {"message": "no luck"}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "no luck"}}]},
    ],
)
def test_an_error_event_is_raised(chunk: Any) -> None:
    with pytest.raises(ProviderError, match=r"^Acme: no luck$"):
        made(name="Acme").parse_event(json.dumps(chunk).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        name: JSON
        | st.lists(st.fixed_dictionaries({}, optional={"function": JSON, "id": JSON, "text": JSON}), max_size=2)
        for name in ("content", "reasoning", "reasoning_details", "tool_calls", "audio", "role")
    },
)
CHOICE = st.fixed_dictionaries(
    {},
    optional={"index": JSON, "delta": MESSAGE | JSON, "message": MESSAGE | JSON, "finish_reason": JSON, "error": JSON},
)
ANSWER = st.fixed_dictionaries(
    {}, optional={"choices": st.lists(CHOICE, max_size=2) | JSON, "usage": JSON, "x_groq": JSON, "error": JSON}
)


@given(ANSWER | JSON)
def test_whatever_json_a_vendor_streams_is_read_or_refused(answer: Any) -> None:
    with contextlib.suppress(ProviderError):
        StreamAssembler().feed_all([made().parse_event(json.dumps(answer).encode())])


@given(ANSWER | JSON)
def test_whatever_json_a_vendor_answers_is_read_or_refused(answer: Any) -> None:
    with contextlib.suppress(ProviderError):
        StreamAssembler().feed_all(as_events(made().parse_response(json.dumps(answer).encode())))
