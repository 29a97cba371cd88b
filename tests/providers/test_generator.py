"""What every generator has, whoever wrote it."""

import copy
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llms.kernel.errors import ConfigError, ProviderError
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream


def made(**kwargs: Any) -> GeneratorBase:
    return GeneratorBase(**{"id": "acme", "api": "http://localhost/v1/", "api_key": "own", **kwargs})


def test_it_is_made_from_its_entry() -> None:
    generator = made(headers={"X-Title": "llms"}, width=1024)
    assert (generator.id, generator.api, generator.api_key) == ("acme", "http://localhost/v1", "own")
    assert generator.chat_url == "http://localhost/v1/chat/completions"
    assert generator.headers == {"Content-Type": "application/json", "X-Title": "llms"}
    assert generator.default_content


def test_it_can_be_made_from_nothing() -> None:
    generator = GeneratorBase()
    assert (generator.id, generator.api_key) == ("", None)


def test_address_and_sentence_may_be_told() -> None:
    generator = made(chat_url="http://localhost/paint", default_content="Painted.")
    assert (generator.chat_url, generator.default_content) == ("http://localhost/paint", "Painted.")


def test_a_class_may_say_its_own_sentence() -> None:
    class Painter(GeneratorBase):
        default_content = "Painted."

    assert Painter().default_content == "Painted."


def test_its_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAINT_KEY", "from the environment")
    assert GeneratorBase(id="acme", env=["PAINT_KEY"]).api_key == "from the environment"


def test_without_a_key_it_says_which_variable_it_looks_at() -> None:
    generator = made(api_key=None, name="Acme", env=["PAINT_KEY"])
    assert generator.validate() == "Provider 'Acme' requires API Key PAINT_KEY"
    assert generator.test() is False
    assert made().test() is True


async def test_it_loads_nothing() -> None:
    assert await made().load() is None  # type: ignore[func-returns-value]


async def test_one_that_does_not_say_how_answers_so() -> None:
    told = await made().chat({"model": "m", "messages": []})
    assert told["choices"][0]["message"]["content"] == "Not Implemented"


def test_one_that_does_not_say_how_to_read_an_answer_says_so() -> None:
    with pytest.raises(NotImplementedError, match="GeneratorBase"):
        made().to_response({}, {"model": "m"}, 0)


# -- headers ---------------------------------------------------------------------------------------------------


def test_the_key_of_the_provider_is_sent_rather_than_ones_own() -> None:
    provider = OpenAiCompatible(id="acme", api="http://localhost", api_key="theirs")
    assert made().get_headers(provider)["Authorization"] == "Bearer theirs"
    assert made().get_headers()["Authorization"] == "Bearer own"


def test_a_provider_without_key_leaves_ones_own() -> None:
    provider = OpenAiCompatible(id="acme", api="http://localhost", api_key=None)
    assert made().get_headers(provider, {"model": "m"})["Authorization"] == "Bearer own"


def test_without_any_key_none_is_sent() -> None:
    assert made(api_key=None).get_headers() == {"Content-Type": "application/json"}


def test_headers_are_a_copy() -> None:
    generator = made()
    generator.get_headers()["X-Other"] = "1"
    assert generator.headers == {"Content-Type": "application/json"}


def test_a_key_is_sent_once_however_its_header_is_written() -> None:
    headers = made(headers={"authorization": "Token old"}).get_headers()
    assert headers == {"Content-Type": "application/json", "Authorization": "Bearer own"}


# -- the request -----------------------------------------------------------------------------------------------

CHAT: Any = {
    "model": "m",
    "messages": [{"role": "user", "content": "A cat"}],
    "modalities": ["image"],
    "image_config": {"aspect_ratio": "1:1"},
    "tools": [{"type": "function"}],
    "tool_choice": "auto",
    "stream": True,
    "stream_options": {"include_usage": True},
    "metadata": {"threadId": 1},
    "provider": "acme",
}


async def test_a_request_holds_what_the_vendor_understands() -> None:
    assert await made().process_chat(CHAT, provider_id="acme") == {
        "model": "m",
        "messages": [{"role": "user", "content": "A cat"}],
        "modalities": ["image"],
        "image_config": {"aspect_ratio": "1:1"},
    }


async def test_processing_works_on_a_deep_copy() -> None:
    before = copy.deepcopy(CHAT)
    processed = await made().process_chat(CHAT)
    processed["messages"][0]["content"] = "edited"
    assert before == CHAT


async def test_processing_twice_changes_nothing() -> None:
    once = await made().process_chat(CHAT)
    assert await made().process_chat(once) == once


def with_image(url: str) -> Any:
    return {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


@pytest.mark.parametrize("url", ["https://example.com/cat.png", "/~cache/2c/2cf24d.png"])
async def test_attachments_that_lie_elsewhere_are_put_inside(url: str) -> None:
    generator = made()

    async def resolve(chat: Any) -> Any:
        return json.loads(json.dumps(chat).replace(url, "data:image/png;base64,aGVsbG8="))

    generator.resolve = resolve
    assert await generator.process_chat(with_image(url)) == with_image("data:image/png;base64,aGVsbG8=")


async def test_attachments_that_are_inside_are_not_looked_at_again() -> None:
    generator = made()

    async def resolve(chat: Any) -> Any:
        raise AssertionError("asked")

    generator.resolve = resolve
    chat = with_image("data:image/png;base64,aGVsbG8=")
    assert await generator.process_chat(chat) == chat


async def test_with_nobody_to_fetch_attachments_stay_what_they_are() -> None:
    chat = with_image("https://example.com/cat.png")
    assert await made().process_chat(chat) == chat


# -- the answer ------------------------------------------------------------------------------------------------


async def asked(vendor: FakeUpstream) -> Any:
    """What a generator reads of the vendor's answer."""
    async with aiohttp.ClientSession() as session, session.post(vendor.url) as response:
        return await made(name="Acme").response_json(response)


@pytest.mark.parametrize("body", [{"data": [{"b64_json": "aGVsbG8="}]}, [1, 2]])
async def test_the_body_of_an_answer_is_its_json(fake_upstream: FakeUpstream, body: Any) -> None:
    fake_upstream.enqueue(json.dumps(body).encode())
    assert await asked(fake_upstream) == body


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"message": "No paint", "error": "bad_request"}', "No paint"),
        (402, b'{"error": "No money"}', "No money"),
        (404, b'{"error": {"message": "No such model"}}', "No such model"),
        (500, b"<html>" + b"x" * 500, "HTTP 500 Internal Server Error: <html>"),
        (503, b"", "HTTP 503 Service Unavailable"),
        (200, b'{"error": {"message": "Refused"}}', "Refused"),
        (200, b"<html>", "not JSON"),
    ],
)
async def test_an_answer_that_failed_is_raised(
    fake_upstream: FakeUpstream, status: int, body: bytes, told: str
) -> None:
    fake_upstream.enqueue(body, status=status)
    with pytest.raises(ProviderError, match=told) as raised:
        await asked(fake_upstream)
    assert len(str(raised.value)) < 250


# -- asking ----------------------------------------------------------------------------------------------------


def test_it_takes_on_every_model_unless_its_class_says_otherwise() -> None:
    assert made().serves("m", None) is True


async def test_it_asks_over_the_connections_it_was_lent(http: HttpClient, fake_upstream: FakeUpstream) -> None:
    generator = made()
    generator.http = http
    async with generator.post(fake_upstream.url, b"{}", headers={"X-Title": "llms"}) as response:
        assert response.status == 200
    assert fake_upstream.requests[0].headers["X-Title"] == "llms"


async def test_without_them_it_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="not registered"):
        made().post("http://localhost", b"", headers={})


class Painter(GeneratorBase):
    sdk = "acme/image"


async def test_it_is_mocked_only_if_the_environment_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "acme-image.json").write_text('{"images": []}')
    monkeypatch.setenv("MOCK_DIR", str(tmp_path))
    assert await Painter().mocked() is None
    monkeypatch.setenv("MOCK", "1")
    assert await Painter().mocked() == {"images": []}


async def test_a_mock_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOCK", "1")
    monkeypatch.setenv("MOCK_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=r"acme-image\.json cannot be read.*unset MOCK"):
        await Painter().mocked()


# -- for the log -----------------------------------------------------------------------------------------------


def test_a_summary_shows_inline_data_by_its_length() -> None:
    shown = json.loads(made().chat_summary(with_image("data:image/png;base64," + "A" * 4000)))
    assert shown == with_image("data:image/png;base64,(4000)")


def test_what_was_made_is_summed_up_in_the_same_way() -> None:
    assert json.loads(made().gen_summary({"images": ["A" * 20_000], "seed": 1})) == {"images": ["(20000)"], "seed": 1}
