"""Writes down what is said, at the endpoint that OpenAI made and others copied.

https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from typing import Any, ClassVar

from llms.api import Attachment, RequestError, usage_of

from .made import Made, together
from .maker import Maker
from .multipart import File, form_of
from .order import Order

_PLAIN = ("text/plain", "text/vtt", "application/x-subrip")  # asked for in another format than JSON
_EXTENSIONS = {"mpeg": "mp3", "wave": "wav", "mp4": "m4a"}


class OpenAiTranscriptions(Maker):
    """Every sound of the last message, each a request. The text beside it is for models that talk, and stays here.

    Chat or entry may say how: `language`, `prompt` and the rest of `fields`.
    """

    sdk = "openai/transcriptions"
    path = "/audio/transcriptions"
    default_api = "https://api.openai.com/v1"
    makes_several = False
    may_be_empty = True  # nobody said anything
    fields: ClassVar[tuple[str, ...]] = ("language", "prompt", "temperature", "chunking_strategy")

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        if not order.sounds:
            raise RequestError(
                "The last user message has no audio. Attach what shall be written down.", param="messages"
            )
        return [await self._heard(sound, order, headers) for sound in order.sounds]

    async def _heard(self, sound: Attachment, order: Order, headers: dict[str, str]) -> Any:
        form = sound.format or "mp3"
        file = File("file", f"audio.{_EXTENSIONS.get(form, form)}", sound.mime or "audio/mpeg", sound.bytes)
        kind, body = form_of({"model": order.model, **order.given(*self.fields)}, [file])
        async with self.post(self.url, body, headers={**headers, "Content-Type": kind}) as response:
            if response.status < 300 and response.content_type in _PLAIN:
                return {"text": await response.text("utf-8", "replace")}
            return await self.answer(response)

    def read(self, answer: Any, order: Order) -> Made:
        answers = answer if isinstance(answer, list) else [answer]
        return together([Made(text=_text(one), usage=_usage(one)) for one in answers])


class GroqTranscriptions(OpenAiTranscriptions):
    """https://console.groq.com/docs/speech-to-text"""

    sdk = "groq/transcriptions"
    default_api = "https://api.groq.com/openai/v1"
    fields = ("language", "prompt", "temperature")


class MistralTranscriptions(OpenAiTranscriptions):
    """https://docs.mistral.ai/studio/audio/speech-to-text/transcribe-files"""

    sdk = "mistral/transcriptions"
    default_api = "https://api.mistral.ai/v1"
    fields = ("language", "temperature", "diarize", "context_bias", "timestamp_granularities")


class CohereTranscriptions(OpenAiTranscriptions):
    """https://docs.cohere.com/reference/create-audio-transcription"""

    sdk = "cohere/transcriptions"
    default_api = "https://api.cohere.com/v2"
    fields = ("language", "temperature")


def _text(answer: Any) -> str:
    text = answer["text"]
    if not isinstance(text, str):
        raise TypeError(f"`text` is {type(text).__name__}")
    return text


def _usage(answer: Any) -> Any:
    """Tokens, in OpenAI's words for this endpoint or in Mistral's; None where the time is counted."""
    told = answer.get("usage") or {}
    prompt, said = (
        told.get("input_tokens", told.get("prompt_tokens")),
        told.get("output_tokens", told.get("completion_tokens")),
    )
    return None if prompt is None else usage_of(prompt, said, total=told.get("total_tokens"))
