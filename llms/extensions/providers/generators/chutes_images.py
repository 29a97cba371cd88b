"""Images of Chutes: most models behind one address, others at a host of their own.

https://chutes.ai/docs/getting-started/running-a-chute
"""

from typing import Any

from .made import Made
from .maker import ImageMaker, named
from .order import Order
from .sizes import fitted


class ChutesImages(ImageMaker):
    """The entry may say `width`, `height`, `cfg_scale`, `steps`, `negative_prompt`; the chat's own value wins."""

    sdk = "chutes/image"
    path = "https://image.chutes.ai/generate"
    makes_several = False

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        return await self.post_json(self.url_of(order.model), self.body(order), headers)

    def url_of(self, model: str) -> str:
        """Where `model` is asked. A name such as `chutes-hidream` is that of a host."""
        if self.entry.get("chat_url") or not model.startswith("chutes-"):
            return self.url
        return f"https://{named(model).replace('.', '-').replace('/', '-')}.chutes.ai/generate"

    def body(self, order: Order) -> dict[str, Any]:
        width, height = fitted(order.aspect_ratio) if order.aspect_ratio else (1024, 1024)
        return {
            "model": order.model,
            "prompt": order.prompt,
            "width": order.get("width", default=width),
            "height": order.get("height", default=height),
            **order.given(
                *("negative_prompt", "seed"),
                guidance_scale="cfg_scale",
                num_inference_steps="steps",
            ),
            **({"image_b64s": [one.data or one.url for one in order.images]} if order.images else {}),
        }

    def read(self, answer: Any, order: Order) -> Made:
        if not answer.get("data"):
            answer = {"data": [{"b64_json": answer.get("b64_json") or answer["image"], "media_type": "image/jpeg"}]}
        return super().read(answer, order)
