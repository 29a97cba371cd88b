"""Generators whose vendor is a real server on this machine."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llms.api import GeneratorBase, HttpClient, Limits, OpenAiCompatible
from llms.testing import FakeUpstream

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class Asked:
    """A generator of class `cls`, attached to a provider, and the vendor that both ask."""

    def __init__(self, cls: type[GeneratorBase], http: HttpClient, vendor: FakeUpstream, **entry: Any) -> None:
        shared = {"id": "acme", "name": "Acme", "api": vendor.url, "api_key": "key-0123456789", **entry}
        self.vendor = vendor
        self.maker: Any = cls(**shared)
        self.provider = OpenAiCompatible(**shared)
        self.maker.http = self.provider.http = http

    def answers(self, body: Any, *, status: int = 200, kind: str = "application/json") -> None:
        """What the vendor answers next."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.vendor.enqueue(data, status=status, headers={"Content-Type": kind})

    async def __call__(self, content: Any = "A cat", *, model: str = "m", **chat: Any) -> Any:
        """The completion that the generator makes."""
        messages = chat.pop("messages", [{"role": "user", "content": content}])
        return await self.maker.chat({"model": model, "messages": messages, **chat}, self.provider, context={})

    @property
    def sent(self) -> Any:
        """The body of the last request."""
        return self.vendor.requests[-1].body

    @property
    def path(self) -> str:
        return self.vendor.requests[-1].path


@pytest.fixture
async def asking(fake_upstream: FakeUpstream) -> AsyncIterator[Callable[..., Asked]]:
    """`asking(Class, **entry)` is a generator to ask."""
    client = HttpClient(Limits(client_timeout=20))
    yield lambda cls, **entry: Asked(cls, client, fake_upstream, **entry)
    await client.close()


@pytest.fixture
def png() -> str:
    """The smallest PNG, as base64."""
    return PNG


@pytest.fixture
def with_image() -> Any:
    """Content that says "Make it blue" of an image."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    return [image, {"type": "text", "text": "Make it blue"}]
