"""Images as OpenAI makes them, and xAI nearly so.

https://platform.openai.com/docs/api-reference/images · https://docs.x.ai/docs/guides/image-generations
"""

from typing import Any

from llms.api import Attachment, usage_of

from .made import Made
from .maker import ImageMaker
from .multipart import File, form_of
from .order import Order
from .sizes import nearest

_SIZES = {
    "dall-e-2": ("1024x1024",),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
    "": ("1024x1024", "1536x1024", "1024x1536"),
}
_FIELDS = ("quality", "style", "background", "moderation", "output_format", "output_compression", "user")
_TICKS = 10_000_000_000  # a dollar, as xAI tells it


class OpenAiImages(ImageMaker):
    """The entry's `map_image_models` names the model that makes images for one that only writes."""

    sdk = "openai/image"
    path = "/images/generations"
    default_api = "https://api.openai.com/v1"

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        body = self.body(order)
        if not order.images:
            return await self.post_json(self.url, body, headers)
        url = self.url.replace("/generations", "/edits")
        if str(body["model"]).startswith("dall-e"):  # takes no JSON
            return await self._post_form(url, body, order.images, headers)
        return await self.post_json(url, {**body, **self.originals(order.images)}, headers)

    def body(self, order: Order) -> dict[str, Any]:
        """What is said to the vendor of an image to be made."""
        model = (self.entry.get("map_image_models") or {}).get(order.model, order.model)
        body = {"model": model, "prompt": order.prompt, "n": order.count, **order.given(*_FIELDS)}
        if size := order.get("size") or self._size(model, order):
            body["size"] = size
        if order.images:
            body |= order.given("input_fidelity")
        if model.startswith("dall-e"):
            body["response_format"] = "b64_json"  # GPT image models send nothing else, and do not know the field
        return body

    def originals(self, images: list[Attachment]) -> dict[str, Any]:
        """The images to work from, as the vendor wants to be told of them."""
        return {"images": [{"image_url": link(image)} for image in images]}

    def read(self, answer: Any, order: Order) -> Made:
        made = super().read(answer, order)
        usage = answer.get("usage") or {}
        if "input_tokens" in usage:
            made.usage = usage_of(usage["input_tokens"], usage["output_tokens"], total=usage.get("total_tokens"))
        return made

    def _size(self, model: str, order: Order) -> str | None:
        sizes = next(sizes for family, sizes in _SIZES.items() if model.startswith(family))
        return nearest(order.aspect_ratio, sizes) if order.aspect_ratio else None

    async def _post_form(
        self, url: str, body: dict[str, Any], images: list[Attachment], headers: dict[str, str]
    ) -> Any:
        files = [
            File("image", f"image.{image.format or 'png'}", image.mime or "image/png", image.bytes) for image in images
        ]
        kind, form = form_of(body, files)
        async with self.post(url, form, headers={**headers, "Content-Type": kind}) as response:
            return await self.answer(response)


class XaiImages(OpenAiImages):
    sdk = "xai/image"
    default_api = "https://api.x.ai/v1"

    def body(self, order: Order) -> dict[str, Any]:
        model = (self.entry.get("map_image_models") or {}).get(order.model, order.model)
        body = {"model": model, "prompt": order.prompt, "n": order.count, "response_format": "b64_json"}
        if order.aspect_ratio:
            body["aspect_ratio"] = order.aspect_ratio
        if resolution := order.get("resolution", "image_size"):
            body["resolution"] = str(resolution).lower()
        return {**body, **order.given("quality", "user")}

    def originals(self, images: list[Attachment]) -> dict[str, Any]:
        told = [{"type": "image_url", "url": link(image)} for image in images]
        return {"image": told[0]} if len(told) == 1 else {"images": told}

    def read(self, answer: Any, order: Order) -> Made:
        made = super().read(answer, order)
        ticks = (answer.get("usage") or {}).get("cost_in_usd_ticks")
        made.cost = ticks / _TICKS if isinstance(ticks, int) else None
        return made


def link(image: Attachment) -> str:
    """Where the image lies, or itself as a data URI."""
    return image.url or f"data:{image.mime or 'image/png'};base64,{image.data}"
