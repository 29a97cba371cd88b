"""Images of OpenRouter's own endpoint for them.

https://openrouter.ai/docs/api/api-reference/images/generate-an-image
"""

from typing import Any

from llms.api import usage_of

from .made import Made
from .maker import ImageMaker
from .openai_images import link
from .order import Order

_FIELDS = ("seed", "size", "quality", "background", "output_format", "output_compression")


class OpenRouterImages(ImageMaker):
    sdk = "openrouter/image"
    path = "/images"
    default_api = "https://openrouter.ai/api/v1"

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        body: dict[str, Any] = {"model": order.model, "prompt": order.prompt, **order.given(*_FIELDS)}
        if order.count > 1:  # some of its vendors refuse the field
            body["n"] = order.count
        if not body.get("size"):
            body |= order.given("aspect_ratio")
            if resolution := order.get("resolution", "image_size"):
                body["resolution"] = resolution
        if order.images:
            body["input_references"] = [{"type": "image_url", "image_url": {"url": link(one)}} for one in order.images]
        return await self.post_json(self.url, body, headers)

    def read(self, answer: Any, order: Order) -> Made:
        made = super().read(answer, order)
        usage = answer.get("usage") or {}
        if usage.get("total_tokens"):
            made.usage = usage_of(
                usage.get("prompt_tokens"), usage.get("completion_tokens"), total=usage["total_tokens"]
            )
        made.cost = usage.get("cost")
        return made
