"""Images of Gemini and Imagen.

https://ai.google.dev/gemini-api/docs/image-generation · https://ai.google.dev/gemini-api/docs/imagen
"""

from typing import Any

from llms.api import Model

from .gemini_content import GeminiMaker, usage_in
from .made import Made, image
from .maker import named
from .order import Order


class GeminiImages(GeminiMaker):
    sdk = "gemini/image"

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        if order.model.startswith("imagen"):
            return await self._predict(order, headers)
        config = {"responseModalities": ["TEXT", "IMAGE"], **order.given("seed", "temperature")}
        if shape := order.given(aspectRatio="aspect_ratio", imageSize="image_size"):
            config["imageConfig"] = shape
        return await self.generate(order, config, headers)

    async def _predict(self, order: Order, headers: dict[str, str]) -> Any:
        parameters = {
            "sampleCount": 1,
            **order.given(
                aspectRatio="aspect_ratio", sampleImageSize="image_size", personGeneration="person_generation"
            ),
        }
        body = {"instances": [{"prompt": order.prompt}], "parameters": parameters}
        return await self.post_json(f"{self.url}/{named(order.model)}:predict", body, headers)

    def read(self, answer: Any, order: Order) -> Made:
        if not answer.keys() & {"candidates", "promptFeedback"}:
            return self._read_predictions(answer.get("predictions") or [])
        made = Made(usage=usage_in(answer))
        for part in self.parts(answer):
            if inline := part.get("inlineData"):
                made.images.append(image(inline["data"], inline.get("mimeType") or "image/png", seed=order.get("seed")))
            else:
                made.text += part.get("text") or ""
        return made

    def _read_predictions(self, predictions: list[Any]) -> Made:
        """An image that Imagen filtered has a reason in its place, or is not there at all."""
        made = [one for one in predictions if one.get("bytesBase64Encoded")]
        if not made:
            why = next((one["raiFilteredReason"] for one in predictions if one.get("raiFilteredReason")), "")
            raise self.refused(why.rstrip(".") or "its filter found the image or the prompt improper")
        return Made(images=[image(one["bytesBase64Encoded"], one.get("mimeType") or "image/png") for one in made])


class ImagenImages(GeminiImages):
    """For a provider that asks Gemini in its own dialect, and has no words for Imagen."""

    sdk = "gemini/imagen"

    def serves(self, model: str, facts: Model | None) -> bool:
        return model.startswith("imagen")
