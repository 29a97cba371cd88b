"""What is said, written down."""

import base64
from typing import Any

import pytest

from llms.api import ProviderError, RequestError
from llms.extensions.providers.generators.transcription import (
    CohereTranscriptions,
    GroqTranscriptions,
    MistralTranscriptions,
    OpenAiTranscriptions,
)


def sound(data: bytes = b"RIFFsound", form: str = "wav") -> Any:
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(data).decode(), "format": form}}


SPOKEN = [sound(), {"type": "text", "text": "Write down what is said."}]


async def test_a_sound_is_sent_as_a_file(asking: Any) -> None:
    openai = asking(OpenAiTranscriptions, language="en", temperature=0)
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
    openai.answers({"text": "Meow", "usage": usage})
    completion = await openai(SPOKEN, model="whisper-1", prompt="Cats")
    (choice,) = completion["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Meow"}
    assert completion["usage"] == {"prompt_tokens": 14, "completion_tokens": 45, "total_tokens": 59}
    assert openai.path == "/v1/audio/transcriptions"
    assert b'name="file"; filename="audio.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFFsound\r\n' in openai.sent
    for name, value in (("model", "whisper-1"), ("language", "en"), ("temperature", "0"), ("prompt", "Cats")):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in openai.sent
    assert b"Write down" not in openai.sent
    (request,) = openai.vendor.requests
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert request.headers["Authorization"] == "Bearer key-0123456789"


async def test_a_file_is_named_as_vendors_know_it(asking: Any) -> None:
    openai = asking(OpenAiTranscriptions)
    for given, named in (("mp3", "mp3"), ("m4a", "m4a"), ("mpeg", "mp3")):
        openai.answers({"text": "Meow"})
        await openai([sound(form=given)])
        assert f'filename="audio.{named}"'.encode() in openai.sent


async def test_several_sounds_are_written_down_one_after_the_other(asking: Any) -> None:
    groq = asking(GroqTranscriptions)
    groq.answers({"text": " One. "})
    groq.answers({"text": "Two."})
    completion = await groq([sound(b"1"), sound(b"2")])
    assert completion["choices"][0]["message"]["content"] == " One. \nTwo."


async def test_mistral_takes_lists_and_yes_or_no(asking: Any) -> None:
    mistral = asking(MistralTranscriptions, diarize=True, timestamp_granularities=["segment", "word"])
    usage = {"prompt_audio_seconds": 3, "prompt_tokens": 5, "total_tokens": 391, "completion_tokens": 11}
    mistral.answers({"text": "Meow", "usage": usage})
    completion = await mistral([sound()], model="voxtral-mini-latest")
    assert b'name="diarize"\r\n\r\ntrue\r\n' in mistral.sent
    assert mistral.sent.count(b'name="timestamp_granularities"') == 2
    assert completion["usage"]["total_tokens"] == 391


async def test_an_object_in_a_form_is_json(asking: Any) -> None:
    openai = asking(OpenAiTranscriptions, chunking_strategy={"type": "server_vad"})
    openai.answers({"text": "Meow"})
    await openai([sound()])
    assert b'name="chunking_strategy"\r\n\r\n{"type":"server_vad"}\r\n' in openai.sent


async def test_cohere_is_asked_with_its_language(asking: Any) -> None:
    cohere = asking(CohereTranscriptions, language="en")
    cohere.answers({"text": "Meow", "usage": {"type": "duration", "seconds": 3}})
    completion = await cohere([sound()])
    assert b'name="language"\r\n\r\nen\r\n' in cohere.sent
    assert "usage" not in completion


async def test_silence_is_an_answer(asking: Any) -> None:
    openai = asking(OpenAiTranscriptions)
    openai.answers({"text": ""})
    completion = await openai([sound()])
    assert not completion["choices"][0]["message"]["content"]


async def test_plain_text_is_an_answer_too(asking: Any) -> None:
    openai = asking(OpenAiTranscriptions)
    openai.answers(b"1\n00:00 --> 00:01\nMeow", kind="text/plain; charset=utf-8")
    completion = await openai([sound()])
    assert completion["choices"][0]["message"]["content"].endswith("Meow")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"<html>Down</html>", 200, "not JSON"),
        (b"{}", 200, "cannot be read"),
        (b'{"text": null}', 200, "cannot be read"),
        (b"[]", 200, "cannot be read"),
        (b'{"error": {"message": "File too large"}}', 413, "File too large"),
    ],
)
async def test_an_answer_without_text_is_an_error(asking: Any, body: bytes, status: int, told: str) -> None:
    openai = asking(OpenAiTranscriptions)
    openai.answers(body, status=status)
    with pytest.raises(ProviderError, match=told):
        await openai([sound()])


async def test_a_chat_without_audio_is_refused(asking: Any) -> None:
    with pytest.raises(RequestError, match="has no audio"):
        await asking(OpenAiTranscriptions)("Hello")


async def test_audio_that_is_no_base64_is_refused(asking: Any) -> None:
    broken = {"type": "input_audio", "input_audio": {"data": "no base64!", "format": "wav"}}
    with pytest.raises(RequestError, match="not valid base64"):
        await asking(OpenAiTranscriptions)([broken])
