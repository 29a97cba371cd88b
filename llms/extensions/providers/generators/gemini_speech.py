"""Speech of Gemini. https://ai.google.dev/gemini-api/docs/speech-generation"""

import base64
import re
from typing import Any

from llms.api import Model, wav_of

from .gemini_content import GeminiMaker, usage_in
from .made import Made, audio
from .order import Order


class GeminiSpeech(GeminiMaker):
    """The entry may say `speech_config` in Google's own words, for several speakers; a `voice` of the chat wins."""

    sdk = "gemini/speech"

    def serves(self, model: str, facts: Model | None) -> bool:
        return "tts" in model

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        config = {"responseModalities": ["AUDIO"], **order.given("seed", "temperature")}
        if speech := self._speech(order):
            config["speechConfig"] = speech
        return await self.generate(order, config, headers)

    def _speech(self, order: Order) -> Any:
        asked = order.chat.get("audio")
        configured = order.get("speech_config")
        if configured and not (isinstance(asked, dict) and asked.get("voice")):
            return configured
        voice = order.get("voice")
        return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}} if voice else None

    def read(self, answer: Any, order: Order) -> Made:
        made = Made(usage=usage_in(answer))
        sounds = [part["inlineData"] for part in self.parts(answer) if part.get("inlineData")]
        if sounds:
            data = b"".join(base64.b64decode(sound["data"], validate=True) for sound in sounds)
            made.audios.append(_playable(data, sounds[0].get("mimeType") or ""))
        return made


def _playable(data: bytes, mime: str) -> dict[str, Any]:
    """Google sends bare numbers, `audio/L16;codec=pcm;rate=24000`, which no player takes."""
    if not re.match(r"audio/(l16|pcm)", mime.lower()):
        return audio(data, mime or "audio/wav")
    rate = re.search(r"rate=(\d+)", mime)
    return audio(wav_of(data, rate=int(rate[1]) if rate else 24_000), "audio/wav")
