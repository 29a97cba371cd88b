"""Providers made from a configuration, for tests of the registry."""

import logging
from typing import Any

import pytest

from llms.providers.registry import Registry

KEY = "very-secret-key-0123456789"


def entry(*models: str, **fields: Any) -> Any:
    return {"api": "http://127.0.0.1:9/v1", "api_key": KEY, "models": {model: {} for model in models}, **fields}


async def build(registry: Registry, providers: Any, *, catalog: Any = None, defaults: Any = None) -> dict[str, Any]:
    registry.rebuild({"providers": providers, "defaults": defaults or {}}, catalog or {})
    assert await registry.loaded(within=10)
    return registry.live


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
