"""What is read out, by every vendor."""

import base64
from typing import Any

import pytest

from llms.api import ProviderError
from llms.extensions.providers.generators.gemini_speech import GeminiSpeech
from llms.extensions.providers.generators.openai_speech import MistralSpeech, OpenAiSpeech, OpenRouterSpeech
from llms.extensions.providers.generators.openrouter_audio import OpenRouterAudio
from llms.testing import FakeUpstream, sse

PCM = b"\x01\x00\x02\x00"


def heard(completion: Any) -> tuple[str, bytes]:
    """Media type and content of the only sound."""
    (part,) = completion["choices"][0]["message"]["audios"]
    assert part["type"] == "audio_url"
    head, _, data = part["audio_url"]["url"].partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(data)


def rate(wav: bytes) -> int:
    return int.from_bytes(wav[24:28], "little")


# -- OpenAI and those who copy it ------------------------------------------------------------------------------


async def test_openai_reads_out_what_the_user_said(asking: Any) -> None:
    openai = asking(OpenAiSpeech, speed=1.5)
    openai.answers(b"ID3sound", kind="audio/mpeg")
    system = {"role": "system", "content": "Whisper."}
    messages = [system, {"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    completion = await openai(model="gpt-4o-mini-tts", messages=messages)
    assert openai.path == "/v1/audio/speech"
    assert openai.sent == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello",
        "voice": "alloy",
        "response_format": "mp3",
        "speed": 1.5,
        "instructions": "Whisper.",
    }
    assert heard(completion) == ("audio/mpeg", b"ID3sound")
    assert completion["choices"][0]["message"]["content"] == openai.maker.default_content


async def test_voice_and_format_are_the_chats_then_the_entrys_then_the_models(asking: Any) -> None:
    facts = {"tts-1": {"defaults": {"voice": "nova", "response_format": "flac"}}}
    for entry, chat, sent in (
        ({}, {}, ("nova", "flac")),
        ({"voice": "echo"}, {"response_format": {"type": "json_object"}}, ("echo", "flac")),
        ({"voice": "echo", "format": "wav"}, {"audio": {"voice": "ash", "format": "opus"}}, ("ash", "opus")),
    ):
        openai = asking(OpenAiSpeech, models=facts, **entry)
        openai.answers(b"sound", kind="audio/x-sound")
        await openai(model="tts-1", **chat)
        assert (openai.sent["voice"], openai.sent["response_format"]) == sent


async def test_bare_numbers_become_a_file_that_can_be_played(asking: Any) -> None:
    openai = asking(OpenAiSpeech)
    openai.answers(PCM, kind="audio/pcm")
    mime, wav = heard(await openai(model="tts-1", audio={"voice": "ash", "format": "pcm16"}))
    assert openai.sent["response_format"] == "pcm"
    assert (mime, wav[:4], wav[44:], rate(wav)) == ("audio/wav", b"RIFF", PCM, 24_000)


async def test_openrouter_says_how_fast_the_numbers_are(asking: Any) -> None:
    openrouter = asking(OpenRouterSpeech, format="pcm")
    openrouter.answers(PCM, kind="audio/pcm;rate=16000;channels=1")
    mime, wav = heard(await openrouter(model="hexgrad/kokoro-82m", audio={"voice": "af_bella"}))
    assert (mime, rate(wav)) == ("audio/wav", 16_000)
    assert openrouter.sent == {
        "model": "hexgrad/kokoro-82m",
        "input": "A cat",
        "voice": "af_bella",
        "response_format": "pcm",
    }


async def test_mistral_answers_in_json(asking: Any) -> None:
    mistral = asking(MistralSpeech, voice_id="mine")
    mistral.answers({"audio_data": base64.b64encode(b"ID3sound").decode()})
    assert heard(await mistral(model="voxtral-mini-tts-latest")) == ("audio/mpeg", b"ID3sound")
    assert mistral.sent["voice_id"] == "mine"
    assert "voice" not in mistral.sent


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"<html>Down</html>", "text/html", "not JSON"),
        (b"", "audio/mpeg", "made nothing"),
        (b"{}", "application/json", "made nothing"),
        (b'{"audio_data": "no base64!"}', "application/json", "not valid base64"),
    ],
)
async def test_an_answer_without_sound_is_an_error(asking: Any, body: bytes, kind: str, told: str) -> None:
    openai = asking(OpenAiSpeech)
    openai.answers(body, kind=kind)
    with pytest.raises(ProviderError, match=told):
        await openai()


async def test_a_refusal_is_told_though_sound_was_asked_for(asking: Any) -> None:
    openai = asking(OpenAiSpeech)
    openai.answers({"error": {"message": "No such voice"}}, status=400)
    with pytest.raises(ProviderError, match="No such voice"):
        await openai()


@pytest.mark.parametrize(
    ("model", "facts", "serves"),
    [
        ("gpt-4o-mini-tts", None, True),
        ("tts-1", {"modalities": {"output": ["audio"]}}, True),
        ("gpt-audio", None, False),
        ("gpt-4o-audio-preview", None, False),
        ("anything", {"modalities": {"output": ["text", "audio"]}}, False),
    ],
)
def test_models_that_write_as_well_speak_by_themselves(model: str, facts: Any, serves: bool) -> None:
    assert OpenAiSpeech().serves(model, facts) is serves


# -- Gemini ----------------------------------------------------------------------------------------------------


def spoken(data: bytes, mime: str) -> Any:
    inline = {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}
    return {"candidates": [{"content": {"parts": [inline]}, "finishReason": "STOP"}]}


async def test_geminis_numbers_become_a_file(asking: Any) -> None:
    gemini = asking(GeminiSpeech)
    gemini.answers(spoken(PCM, "audio/L16;codec=pcm;rate=22050"))
    mime, wav = heard(await gemini(model="gemini-2.5-flash-preview-tts", audio={"voice": "Kore"}))
    assert (mime, wav[44:], rate(wav)) == ("audio/wav", PCM, 22_050)
    assert gemini.sent["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
    }


async def test_several_speakers_are_configured_in_googles_words(asking: Any) -> None:
    several: Any = {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": []}}
    gemini = asking(GeminiSpeech, speech_config=several)
    gemini.answers(spoken(b"OggSound", "audio/ogg"))
    assert heard(await gemini()) == ("audio/ogg", b"OggSound")
    assert gemini.sent["generationConfig"]["speechConfig"] == several


def test_only_gemini_models_that_speak_are_asked_to() -> None:
    assert GeminiSpeech().serves("gemini-2.5-flash-preview-tts", None)
    assert not GeminiSpeech().serves("gemini-2.5-flash", None)


# -- OpenRouter's chat models ----------------------------------------------------------------------------------


def delta(**fields: Any) -> bytes:
    return sse({"id": "g1", "model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


async def test_what_is_streamed_aloud_is_put_together(asking: Any, fake_upstream: FakeUpstream) -> None:
    one, two = base64.b64encode(PCM[:1]).decode(), base64.b64encode(PCM[1:]).decode()
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5}}
    stream = (
        delta(role="assistant", audio={"id": "a", "transcript": "Me"}),
        delta(audio={"data": one}) + b": comment\n\n",
        *(delta(audio={"data": two, "transcript": "ow"}), sse(end), sse(usage), b"data: [DONE]\n\n"),
    )
    data = b"".join(stream)
    fake_upstream.enqueue(
        *(data[i : i + 7] for i in range(0, len(data), 7)), headers={"Content-Type": "text/event-stream"}
    )
    completion = await asking(OpenRouterAudio)(model="openai/gpt-audio", audio={"voice": "ash", "format": "mp3"})
    mime, wav = heard(completion)
    assert (mime, wav[44:], completion["choices"][0]["message"]["content"]) == ("audio/wav", PCM, "Meow")
    assert (completion["cost"], completion["usage"]["completion_tokens"]) == (0.5, 2)
    sent = fake_upstream.requests[0].body
    assert (sent["stream"], sent["modalities"]) == (True, ["text", "audio"])
    assert sent["audio"] == {"voice": "ash", "format": "pcm16"}
    assert sent["messages"] == [{"role": "user", "content": "A cat"}]


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (sse({"error": {"message": "No voice left", "code": 502}}), "No voice left"),
        (delta(audio={"transcript": "Me"}), "ended its stream before"),
        (b"data: {nonsense\n\ndata: [DONE]\n\n", "not JSON|cannot be read|not a JSON"),
        (delta(audio={"data": "no base64!"}) + b"data: [DONE]\n\n", "not valid base64"),
        (b"data: [DONE]\n\n", "cannot be read|made nothing"),
    ],
)
async def test_a_stream_that_breaks_is_an_error(
    asking: Any, fake_upstream: FakeUpstream, stream: bytes, told: str
) -> None:
    fake_upstream.enqueue(stream, headers={"Content-Type": "text/event-stream"})
    with pytest.raises(ProviderError, match=told):
        await asking(OpenRouterAudio)()


async def test_an_error_instead_of_a_stream_is_told(asking: Any) -> None:
    openrouter = asking(OpenRouterAudio)
    openrouter.answers({"error": {"message": "No credits"}}, status=402)
    with pytest.raises(ProviderError, match="No credits"):
        await openrouter()
