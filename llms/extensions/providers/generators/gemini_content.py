"""What Gemini's `generateContent` says, for those who want images or sound of it.

https://ai.google.dev/api/generate-content
"""

from collections.abc import Iterator
from typing import Any

from llms.api import Attachment, Usage, usage_of

from .maker import Maker, named
from .order import Order


class GeminiMaker(Maker):
    """Asks `models/<model>:generateContent`. The entry may say `safety_settings`."""

    path = "/models"
    default_api = "https://generativelanguage.googleapis.com/v1beta"
    makes_several = False

    def get_headers(self, provider: Any = None, chat: Any = None) -> dict[str, str]:
        headers = super().get_headers(provider, chat)
        bearer = headers.pop("Authorization", "")
        return {**headers, "x-goog-api-key": bearer.removeprefix("Bearer ")} if bearer else headers

    async def generate(self, order: Order, config: dict[str, Any], headers: dict[str, str]) -> Any:
        parts = [*map(_inline, order.images), {"text": order.prompt}]
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
        if safety := order.get("safety_settings"):
            body["safetySettings"] = safety
        return await self.post_json(f"{self.url}/{named(order.model)}:generateContent", body, headers)

    def parts(self, answer: Any) -> Iterator[Any]:
        """The parts of all candidates, thoughts left out. Raises ProviderError where there are none, and why."""
        candidates = answer.get("candidates") or []
        if blocked := (answer.get("promptFeedback") or {}).get("blockReason"):
            raise self.refused(f"it blocked the prompt ({blocked})")
        found = [part for one in candidates for part in (one.get("content") or {}).get("parts") or ()]
        made = [part for part in found if not part.get("thought")]
        why = next((one["finishReason"] for one in candidates if one.get("finishReason") not in (None, "STOP")), None)
        if why and not any("inlineData" in part for part in made):
            raise self.refused(f"it stopped for {why}")
        return iter(made)


def usage_in(answer: Any) -> Usage | None:
    """Token counts. Google counts thoughts beside what is said, OpenAI in it."""
    told = answer.get("usageMetadata")
    if not told:
        return None
    thought = told.get("thoughtsTokenCount")
    said = (told.get("candidatesTokenCount") or 0) + (thought or 0)
    return usage_of(told.get("promptTokenCount"), said, total=told.get("totalTokenCount"), reasoning=thought)


def _inline(image: Attachment) -> dict[str, Any]:
    if image.url:
        return {"fileData": {"fileUri": image.url, "mimeType": image.mime or "image/png"}}
    return {"inlineData": {"mimeType": image.mime or "image/png", "data": image.data}}
