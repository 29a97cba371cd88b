"""What tests of one chat share."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Rounds follow each other at once; gives how long each wait would have been."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("llms.chat.failover.asyncio", SimpleNamespace(sleep=sleep))
    return waits
