"""POST /v1/chat/completions, answered whole."""

import json

import pytest

from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config
from llms.testing.upstream import completion

from .wire import ask, chat

PRICED = {"fake-model": {"id": "fake-model", "name": "Fake Model", "cost": {"input": 1, "output": 2.5}}}


async def test_the_answer_is_the_vendors_completion_with_our_measures_added(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    theirs = completion("Paris.", prompt_tokens=10, completion_tokens=4) | {"system_fingerprint": "fp_1"}
    fake_upstream.enqueue(json.dumps(theirs).encode())
    answer = (await ask(server)).json
    assert set(answer.pop("metadata")) == {"duration"}
    assert answer["usage"].pop("duration") >= 0
    assert answer == theirs


async def test_duration_is_told_in_milliseconds_and_in_seconds(server: TestServer) -> None:
    answer = (await ask(server)).json
    assert answer["metadata"]["duration"] == round(answer["usage"]["duration"] * 1000)


async def test_a_known_price_gives_pricing_and_cost(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Paris.", prompt_tokens=100, completion_tokens=40)
    async with make_app(config=upstream_config(fake_upstream, models=PRICED)) as server:
        answer = (await ask(server)).json
    assert answer["metadata"]["pricing"] == "1/2.5"
    assert answer["cost"] == pytest.approx((100 * 1 + 40 * 2.5) / 1_000_000)


async def test_without_a_price_there_is_no_cost(server: TestServer) -> None:
    assert "cost" not in (await ask(server)).json


async def test_an_answer_without_usage_is_an_answer(server: TestServer, fake_upstream: FakeUpstream) -> None:
    theirs = completion("Paris.")
    del theirs["usage"]
    fake_upstream.enqueue(json.dumps(theirs).encode())
    assert (await ask(server)).json["choices"] == theirs["choices"]


async def test_the_answer_is_json(server: TestServer) -> None:
    assert (await ask(server)).headers["content-type"] == "application/json"


async def test_metadata_is_never_sent_upstream(server: TestServer, fake_upstream: FakeUpstream) -> None:
    await ask(server, chat(metadata={"threadId": "7", "note": "private"}))
    assert "metadata" not in fake_upstream.requests[0].body


async def test_fields_we_do_not_know_reach_the_vendor(server: TestServer, fake_upstream: FakeUpstream) -> None:
    await ask(server, chat(logit_bias={"50256": -100}, vendor_field=[1, {"a": None}]))
    sent = fake_upstream.requests[0].body
    assert (sent["logit_bias"], sent["vendor_field"]) == ({"50256": -100}, [1, {"a": None}])


async def test_the_callers_own_tools_reach_the_vendor_and_its_calls_come_back(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    theirs = completion("")
    theirs["choices"][0] = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        "finish_reason": "tool_calls",
    }
    fake_upstream.enqueue(json.dumps(theirs).encode())
    answer = (await ask(server, chat(tools=tools))).json
    assert fake_upstream.requests[0].body["tools"] == tools
    assert answer["choices"] == theirs["choices"]


async def test_text_of_any_language_goes_through_unharmed(server: TestServer, fake_upstream: FakeUpstream) -> None:
    text = 'Grüße 世界 🌍\u2028 "quoted" \\ \x00'
    fake_upstream.enqueue_text(text)
    answer = await ask(server, chat(text))
    assert fake_upstream.requests[0].body["messages"][0]["content"] == text
    assert answer.json["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize("name", ["fake-model", "FAKE-Model", "Fake Model", "upstream/fake-model"])
async def test_a_model_answers_to_its_id_its_display_name_and_its_providers_prefix(
    server: TestServer, fake_upstream: FakeUpstream, name: str
) -> None:
    assert (await ask(server, chat(model=name))).status == 200
    assert fake_upstream.requests[0].body["model"] == "fake-model"


async def test_the_vendor_gets_the_configured_key_and_not_the_callers(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    await ask(server, headers={"Authorization": "Bearer the-callers", "Cookie": "session=the-callers"})
    sent = fake_upstream.requests[0].headers
    assert sent["Authorization"] == "Bearer test-key-0123456789"
    assert "Cookie" not in sent


async def test_stream_null_means_not_streamed(server: TestServer) -> None:
    assert (await ask(server, chat(stream=None))).json["object"] == "chat.completion"


async def test_an_absent_stream_field_is_not_sent_upstream(server: TestServer, fake_upstream: FakeUpstream) -> None:
    await ask(server, chat(stream_options={"include_usage": True}))
    assert not {"stream", "stream_options"} & fake_upstream.requests[0].body.keys()
