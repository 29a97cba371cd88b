"""OpenAI's models on Azure (https://learn.microsoft.com/azure/ai-foundry/openai/reference-preview-latest)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from llms.api import Chat, VendorProvider

from .openai import WithResponses
from .vendors import AZURE, OLDER_AZURE

_RENAMED_SINCE = "2024-09-01"  # the first version that knows `max_completion_tokens`


class AzureProvider(WithResponses, VendorProvider):
    """A resource on Azure: `resource` in its entry or AZURE_RESOURCE_NAME, or its whole URL as `api`.

    A model's id is the name of its deployment. With an `api_version` that is a date, the older URL below
    `/openai/deployments` is asked; otherwise the one below `/openai/v1`, which has no versions.
    """

    sdk: ClassVar[str] = "@ai-sdk/azure"
    vendor = AZURE

    def __init__(self, **kwargs: Any) -> None:
        resource = kwargs.get("resource") or os.environ.get("AZURE_RESOURCE_NAME")
        self.is_located = bool(kwargs.get("api") or resource)
        kwargs["api"] = kwargs.get("api") or f"https://{resource}.openai.azure.com/openai"
        if kwargs.get("api_key") == resource:  # models.dev lists the resource's variable before that of the key
            kwargs["api_key"] = os.environ.get("AZURE_API_KEY")
        self.api_version: str | None = kwargs.get("api_version")
        if str(self.api_version) < _RENAMED_SINCE:
            self.vendor = OLDER_AZURE
        super().__init__(**kwargs)
        root = self.api.removesuffix("/v1").removesuffix("/")
        self.root = root if root.endswith("/openai") else f"{root}/openai"
        self.chat_url = f"{self.root}/v1/chat/completions"
        if self.api_key:
            self.headers.pop("Authorization", None)
            self.headers.setdefault("api-key", self.api_key)

    def validate(self, **entry: Any) -> str | None:
        if not self.is_located:
            return f"Provider '{self.name}' requires AZURE_RESOURCE_NAME, or `resource` in its entry"
        return super().validate(**entry)

    def responses_url(self) -> str:
        return f"{self.root}/v1/responses"

    async def embedding_destination(self, model: str, body: bytes) -> tuple[Any, Mapping[str, str]]:
        if self.api_version is None or self.api_version in ("v1", "latest", "preview"):
            return f"{self.root}/v1/embeddings", self.headers
        query = f"api-version={quote(self.api_version)}"
        return f"{self.root}/deployments/{quote(model, safe='')}/embeddings?{query}", self.headers

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[Any, Mapping[str, str]]:
        if self.api_version is None or self.api_version in ("v1", "latest", "preview"):
            return await super().destination(chat, body, stream=stream)
        deployment = quote(chat["model"], safe="")
        query = f"api-version={quote(self.api_version)}"
        return f"{self.root}/deployments/{deployment}/chat/completions?{query}", self.headers
