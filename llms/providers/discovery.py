"""Servers on the user's own machine or network, which are asked which models they hold."""

import logging
from dataclasses import replace
from typing import Any, ClassVar

from llms.kernel.errors import ProviderError
from llms.kernel.types import Json, Model
from llms.providers import bodies, replies
from llms.providers.embeddings import OPENAI_EMBEDDINGS, EmbeddingDialect
from llms.providers.openai_compatible import OpenAiCompatible

logger = logging.getLogger("llms.providers")
_EMBEDDINGS = replace(OPENAI_EMBEDDINGS, url="{api}/v1/embeddings")


class OpenAiLocalProvider(OpenAiCompatible):
    """An OpenAI-compatible server that needs no key. With no `models` configured, `<api>/models` tells them."""

    sdk: ClassVar[str] = "openai-local"

    def validate(self, **_: Any) -> str | None:
        return None

    async def load(self) -> None:
        """Asks the server for its models. One that does not answer has none, and is asked again at the next load."""
        if self.models:
            return
        try:
            async with self.http.get(self._models_url, headers=self.headers, provider=self.name) as response:
                await bodies.raise_failure(response, self.error_from)
                names = self._names(replies.decode(await response.read(), provider=self.name))
        except ProviderError as error:
            logger.info("%s offers no models: %s", self.id, error)
            return
        self.set_models(models={name: _plain_model(name) for name in names})

    @property
    def _models_url(self) -> str:
        return f"{self.api}/models"

    def _names(self, data: Json) -> list[str]:
        return [model["id"] for model in data.get("data") or () if isinstance(model, dict) and model.get("id")]


class LMStudioProvider(OpenAiLocalProvider):
    sdk = "lmstudio"
    default_api = "http://127.0.0.1:1234/v1"


class OllamaProvider(OpenAiLocalProvider):
    """Ollama through its OpenAI-compatible door (https://docs.ollama.com/api/openai-compatibility)."""

    sdk = "ollama"
    default_api = "http://localhost:11434"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/v1/chat/completions"

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return _EMBEDDINGS

    @property
    def _models_url(self) -> str:
        return f"{self.api}/api/tags"

    def _names(self, data: Json) -> list[str]:
        models = [model for model in data.get("models") or () if isinstance(model, dict) and model.get("name")]
        return [model["name"].removesuffix(":latest") for model in models]


def _plain_model(name: str) -> Model:
    return {
        "id": name,
        "name": name,
        "modalities": {"input": ["text"], "output": ["text"]},
        "tool_call": True,
        "cost": {"input": 0, "output": 0},
    }
