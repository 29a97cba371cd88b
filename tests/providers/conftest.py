"""A provider whose vendor is a real server on this machine that does as it is told."""

from collections.abc import AsyncIterator

import pytest

from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """One client session. Its limits are those of the product: a test that hangs fails late, but fails."""
    client = HttpClient(Limits(client_timeout=20))
    yield client
    await client.close()


@pytest.fixture
def provider(http: HttpClient, fake_upstream: FakeUpstream) -> OpenAiCompatible:
    """Acme, whose vendor is `fake_upstream`."""
    provider = OpenAiCompatible(id="acme", name="Acme", api=fake_upstream.url, api_key="key-0123456789")
    provider.http = http
    return provider
