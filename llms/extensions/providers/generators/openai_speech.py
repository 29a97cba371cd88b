"""Speech as OpenAI makes it, and those who copy it.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

import base64
import re
from typing import Any, ClassVar

from llms.api import Model, wav_of

from .made import Made, audio
from .maker import Maker
from .order import Order

_PCM = ("pcm", "pcm16")
_MIMES = {"mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav"}


class OpenAiSpeech(Maker):
    """Reads out what the user said last. Voice, format and speed stand in the chat's `audio`, or in the entry."""

    sdk = "openai/speech"
    path = "/audio/speech"
    default_api = "https://api.openai.com/v1"
    makes_several = False
    fields: ClassVar[tuple[str, ...]] = ("speed", "instructions")
    default_voice: ClassVar[str | None] = "alloy"

    def serves(self, model: str, facts: Model | None) -> bool:
        """Models that write as well, such as `gpt-audio`, speak by themselves."""
        made = ((facts or {}).get("modalities") or {}).get("output") or ()
        return "text" not in made and re.search(r"gpt-audio|-audio-preview|realtime", model) is None

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        return await self.post_json(self.url, self.body(order), headers)

    def body(self, order: Order) -> dict[str, Any]:
        """What is said to the vendor of something to be read out."""
        form = _format(order)
        body = {
            "model": order.model,
            "input": order.prompt,
            "response_format": "pcm" if form in _PCM else form,
            **order.given(*self.fields),
        }
        if voice := order.get("voice", default=self.default_voice):
            body["voice"] = voice
        if "instructions" in self.fields and order.system and not order.model.startswith("tts-"):
            body.setdefault("instructions", order.system)
        return body

    def read(self, answer: Any, order: Order) -> Made:
        if content := answer.get("audio_data"):
            sounds = [{"b64_json": content, "media_type": ""}]
        else:
            sounds = answer.get("data") or []
        return Made(audios=[_playable(sound["b64_json"], sound["media_type"], _format(order)) for sound in sounds])


class OpenRouterSpeech(OpenAiSpeech):
    """Each of its models has voices of its own, so there is no usual one.

    https://openrouter.ai/docs/guides/overview/multimodal/tts
    """

    sdk = "openrouter/text-to-speech"
    default_api = "https://openrouter.ai/api/v1"
    fields = ("speed",)
    default_voice = None


class MistralSpeech(OpenAiSpeech):
    """https://docs.mistral.ai/api/endpoint/audio/speech"""

    sdk = "mistral/speech"
    default_api = "https://api.mistral.ai/v1"
    fields = ("voice_id", "ref_audio")
    default_voice = None


def _format(order: Order) -> str:
    """`mp3` unless said otherwise. `response_format` of a chat is about its text, so only a text counts."""
    return str(order.get("format", "response_format", kind=str, default="mp3"))


def _playable(content: str, mime: str, form: str) -> dict[str, Any]:
    """Bare numbers are put into a WAV file; everything else stays as it is."""
    if "pcm" not in mime and not (form in _PCM and not mime.startswith(("audio/wav", "audio/mpeg"))):
        told = mime.partition(";")[0]
        return audio(content, told if told.startswith("audio/") else _MIMES.get(form, "audio/mpeg"))
    told_rate, told_channels = re.search(r"rate=(\d+)", mime), re.search(r"channels=(\d+)", mime)
    rate, channels = int(told_rate[1]) if told_rate else 24_000, int(told_channels[1]) if told_channels else 1
    return audio(wav_of(base64.b64decode(content, validate=True), rate=rate, channels=channels), "audio/wav")
