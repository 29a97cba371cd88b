"""Images of NVIDIA's hosted models, each family with words of its own.

https://docs.api.nvidia.com/nim/reference/visual-models-apis
"""

from typing import Any

from .made import Made, image
from .maker import Maker, named
from .openai_images import link
from .order import Order
from .sizes import fitted, nearest

_SD3_RATIOS = ("1:1", "16:9", "9:16", "5:4", "4:5", "3:2", "2:3")
_FLUX_SIDES = (768, 832, 896, 960, 1024, 1088, 1152, 1216, 1280, 1344)
_REFUSED = "CONTENT_FILTERED"


class NvidiaImages(Maker):
    """The entry may say `width`, `height`, `cfg_scale`, `steps`, `negative_prompt`, `mode`, `samples`."""

    sdk = "nvidia/image"
    path = "https://ai.api.nvidia.com/v1/genai"
    makes_several = False

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        headers = {**headers, "Accept": "application/json"}
        return await self.post_json(f"{self.url}/{named(order.model)}", self.body(order), headers)

    def body(self, order: Order) -> dict[str, Any]:
        shared = order.given("cfg_scale", "seed", "steps", "samples")
        if "stable-diffusion-xl" in order.model:
            return {"text_prompts": _weighted(order), **shared, **order.given("width", "height")}
        if "stable-diffusion" in order.model:
            shape = nearest(order.aspect_ratio, _SD3_RATIOS) if order.aspect_ratio else None
            told = {"aspect_ratio": shape} if shape else {}
            return {"prompt": order.prompt, **told, **shared, **order.given("negative_prompt", "mode")}
        width, height = fitted(order.aspect_ratio) if order.aspect_ratio else (1024, 1024)
        if order.images:  # what is edited keeps its shape
            return {"prompt": order.prompt, "image": link(order.images[0]), **shared}
        return {
            "prompt": order.prompt,
            "width": order.get("width", default=_allowed(width)),
            "height": order.get("height", default=_allowed(height)),
            **shared,
            **order.given("mode"),
        }

    def read(self, answer: Any, order: Order) -> Made:
        artifacts = answer.get("artifacts")
        if artifacts is None:
            artifacts = [{"base64": answer["image"], "finishReason": answer.get("finish_reason"), **answer}]
        if any(one.get("finishReason") == _REFUSED for one in artifacts):
            raise self.refused("its filter found the image or the prompt improper")
        seeds = [one.get("seed", order.get("seed")) for one in artifacts]
        made = zip(artifacts, seeds, strict=True)
        return Made(images=[image(one["base64"], "image/jpeg", seed=seed) for one, seed in made])


def _weighted(order: Order) -> list[dict[str, Any]]:
    prompts = [{"text": order.prompt, "weight": 1}]
    if unwanted := order.get("negative_prompt"):
        prompts.append({"text": unwanted, "weight": -1})
    return prompts


def _allowed(side: int) -> int:
    return min(_FLUX_SIDES, key=lambda allowed: abs(allowed - side))
