"""Images of Z.ai. https://docs.z.ai/api-reference/image/generate-image"""

from typing import Any

from .made import Made
from .maker import ImageMaker
from .order import Order
from .sizes import nearest

_SIZES = (
    *("1280x1280", "1568x1056", "1056x1568", "1472x1088"),
    *("1088x1472", "1728x960", "960x1728"),
)
_COGVIEW_SIZES = (
    *("1024x1024", "768x1344", "864x1152", "1344x768"),
    *("1152x864", "1440x720", "720x1440"),
)


class ZaiImages(ImageMaker):
    """The entry may say `size`, `quality` and `user_id`."""

    sdk = "zai/image"
    path = "/images/generations"
    default_api = "https://api.z.ai/api/paas/v4"
    makes_several = False

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        body = {"model": order.model, "prompt": order.prompt, **order.given("size", "quality", "user_id")}
        if "size" not in body and order.aspect_ratio:
            sizes = _COGVIEW_SIZES if "cogview" in order.model.lower() else _SIZES
            body["size"] = nearest(order.aspect_ratio, sizes)
        return await self.post_json(self.url, body, headers)

    def read(self, answer: Any, order: Order) -> Made:
        if not answer.get("data") and answer.get("content_filter"):
            raise self.refused("its filter found the image or the prompt improper")
        return super().read(answer, order)
