"""A server whose only provider is a vendor that does as it is told."""

from collections.abc import AsyncIterator

import pytest

from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    """Tries each request once."""
    async with make_app(config={**upstream_config(fake_upstream), "limits": {"retries": 1}}) as server:
        yield server
