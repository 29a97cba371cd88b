"""Audio for the vendor that takes it only as a data URI."""

import json
from typing import Any

import pytest

from llms.providers.openai_compatible import OpenAiCompatible


def sent(id: str, data: str, **audio: str) -> Any:
    part = {"type": "input_audio", "input_audio": {"data": data, **audio}}
    messages: Any = [{"role": "system", "content": "Hear"}, {"role": "user", "content": [part, {"type": "text"}, "x"]}]
    provider = OpenAiCompatible(id=id, api="http://127.0.0.1:9", api_key="k")
    body = json.loads(provider.build_request({"model": "m", "messages": messages}, stream=False))
    assert part["input_audio"] == {"data": data, **audio}  # the chat stays as it is
    assert body["messages"][1]["content"][1:] == [{"type": "text"}, "x"]
    return body["messages"][1]["content"][0]["input_audio"]["data"]


@pytest.mark.parametrize(
    ("data", "uri"),
    [
        ("QUJD", "data:audio/mp3;base64,QUJD"),
        ("data:audio/mp3;base64,QUJD", "data:audio/mp3;base64,QUJD"),
        ("https://example.com/a.mp3", "https://example.com/a.mp3"),
    ],
)
def test_alibaba_is_sent_a_data_uri(data: str, uri: str) -> None:
    assert sent("alibaba", data, format="mp3") == uri


def test_without_a_format_it_is_wav() -> None:
    assert sent("alibaba", "QUJD") == "data:audio/wav;base64,QUJD"


def test_others_are_sent_base64() -> None:
    assert sent("acme", "QUJD", format="mp3") == "QUJD"
