"""What OpenRouter's chat models say aloud, which they do in a stream alone.

https://openrouter.ai/docs/guides/overview/multimodal/audio
"""

import base64
import binascii
from typing import Any, cast

import aiohttp
import msgspec

from llms.api import OpenAiCompatible, StreamAssembler, StreamEvent, Usage, wav_of

from .made import Made, audio, encoded
from .maker import Maker
from .order import Order


class OpenRouterAudio(Maker):
    """The transcript is the text of the answer. Voice: the chat's `audio`, the entry, or `alloy`."""

    sdk = "openrouter/audio"
    path = "/chat/completions"
    default_api = "https://openrouter.ai/api/v1"
    makes_several = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._dialect = OpenAiCompatible(id=self.id or "openrouter", name=self.name or None, api=self.api)

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        body = {
            **order.chat,
            "modalities": ["text", "audio"],
            "audio": {"voice": order.get("voice", default="alloy"), "format": "pcm16"},  # no other can be streamed
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with self.post(self.url, msgspec.json.encode(body), headers=headers) as response:
            if response.status >= 300 or response.content_type != "text/event-stream":
                return await self.response_json(response)
            return await self._streamed(response)

    async def _streamed(self, response: aiohttp.ClientResponse) -> Any:
        """The stream as one completion, with all its sound in it."""
        reader, sound, assembler = self._dialect.reader(), bytearray(), StreamAssembler()
        try:
            async for data in response.content.iter_any():
                _take(reader.feed(data), sound, assembler)
                if reader.over:
                    break
            _take(reader.finish(), sound, assembler)
        except binascii.Error as exc:
            raise self.failed("the audio it sent is not valid base64. Try again.") from exc
        reader.check()
        answer = cast(dict[str, Any], assembler.so_far())
        if answer["choices"]:
            answer["choices"][0]["message"].setdefault("audio", {})["data"] = encoded(bytes(sound))
        return answer

    def read(self, answer: Any, order: Order) -> Made:
        message = answer["choices"][0]["message"]
        heard = message.get("audio") or {}
        made = Made(
            text=heard.get("transcript") or message.get("content") or "",
            usage=cast("Usage | None", answer.get("usage")),
        )
        made.cost = (answer.get("usage") or {}).get("cost")
        if heard.get("data"):
            data = base64.b64decode(heard["data"], validate=True)
            made.audios.append(audio(data if data.startswith(b"RIFF") else wav_of(data), "audio/wav"))
        return made


def _take(events: list[StreamEvent], sound: bytearray, assembler: StreamAssembler) -> None:
    """Adds what `events` hold to both. Each piece of sound is base64 by itself."""
    for event in events:
        for choice in cast(dict[str, Any], event.chunk)["choices"]:
            heard = (choice.get("delta") or {}).get("audio") or {}
            if piece := heard.pop("data", None):
                sound += base64.b64decode(piece, validate=True)
        assembler.feed(event.chunk)
