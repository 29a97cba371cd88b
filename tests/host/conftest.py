"""An app, and a host for extensions that are objects with hooks."""

from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llms.app import App
from llms.host.loader import Extension, Host
from llms.kernel.config import Config
from llms.kernel.first_run import ensure_home
from llms.kernel.paths import Home
from llms.kernel.secrets import Secrets

Install = Callable[..., Awaitable[Host]]


@pytest.fixture
async def app(llms_home: Path) -> AsyncIterator[App]:
    """An app with the packaged configuration and no provider."""
    home = Home(llms_home)
    ensure_home(home)
    app = App(home=home, config=Config.load(home, environ={}), secrets=Secrets())
    yield app
    await app.close()


@pytest.fixture
def installed(app: App) -> Install:
    """Installs extensions, given by name as dicts of hooks, in this order."""

    async def install(**extensions: Any) -> Host:
        host = Host(
            Extension(name, SimpleNamespace(**hooks), Path("/extensions") / name) for name, hooks in extensions.items()
        )
        await host.install(app, cli_args=Namespace(flag="set"), extra_args=["word"])
        return host

    return install
