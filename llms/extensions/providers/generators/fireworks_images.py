"""Images of Fireworks: FLUX at once, FLUX Kontext by asking until it is ready.

https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt
https://docs.fireworks.ai/api-reference/generate-or-edit-image-using-flux-kontext
"""

import asyncio
from typing import Any

from llms.api import ProviderTimeout

from .made import Made, image
from .maker import Maker, named
from .order import Order

_PAUSES = (0.5, 0.5, 1.0, 1.0, 2.0)  # seconds before asking again; the last one from then on
_NOT_YET = ("Pending", "Task not found")  # not found: it takes a moment until a task is known everywhere
_REFUSED = ("CONTENT_FILTERED", "Request Moderated", "Content Moderated")


class FireworksImages(Maker):
    """Waits for FLUX Kontext as long as for any silent provider: `limits.client_timeout`."""

    sdk = "fireworks/image"
    path = "/workflows/accounts/fireworks/models"
    default_api = "https://api.fireworks.ai/inference/v1"
    makes_several = False

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        model = named(order.model.rpartition("/")[2])
        headers = {**headers, "Accept": "application/json"}
        body = {"prompt": order.prompt, **order.given("aspect_ratio", "seed")}
        if "kontext" in model:
            return await self._kontext(f"{self.url}/{model}", body, order, headers)
        body |= order.given(guidance_scale="cfg_scale", num_inference_steps="steps")
        return await self.post_json(f"{self.url}/{model}/text_to_image", body, headers)

    async def _kontext(self, url: str, body: dict[str, Any], order: Order, headers: dict[str, str]) -> Any:
        body |= order.given("output_format", "prompt_upsampling", "safety_tolerance")
        if order.images:
            body["input_image"] = order.images[0].url or order.images[0].data
        begun = await self.post_json(url, body, headers)
        task = begun.get("request_id") if isinstance(begun, dict) else None
        if not task:
            raise self.failed("it began no task. Check its `api` URL.")
        patience = self.http.limits.client_timeout
        try:
            async with asyncio.timeout(patience):
                return await self._result(f"{url}/get_result", {"id": task}, headers)
        except TimeoutError as exc:
            why = f"{self.name} made no image within {patience:g} s. Raise `limits.client_timeout` or try again."
            raise ProviderTimeout(why, provider=self.name) from exc

    async def _result(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        """The task's answer, once it says something else than to wait."""
        asked = 0
        while True:
            answer = await self.post_json(url, body, headers)
            if not isinstance(answer, dict) or answer.get("status") not in _NOT_YET:
                return answer
            await asyncio.sleep(_PAUSES[min(asked, len(_PAUSES) - 1)])
            asked += 1

    def read(self, answer: Any, order: Order) -> Made:
        status = answer.get("status") or answer.get("finishReason")
        if status in _REFUSED:
            raise self.refused("its filter found the image or the prompt improper")
        if status == "Error":
            raise self.failed(
                f"it could not make the image: {answer.get('details') or 'it does not say why'}. Try again."
            )
        if "data" in answer:  # it sent the image itself
            return Made(images=[image(one["b64_json"], one["media_type"]) for one in answer["data"]])
        if "base64" in answer:
            made = answer["base64"]
        else:
            result = answer["result"]
            made = result["sample"] if isinstance(result, dict) else result
        seed = answer.get("seed", order.get("seed"))
        return Made(
            images=[image(one, "image/jpeg", seed=seed) for one in (made if isinstance(made, list) else [made])]
        )
