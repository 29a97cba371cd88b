"""An app, and a host for extensions that are objects with hooks."""

from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llms.app import App
from llms.host.crashes import Crashes
from llms.host.extension import Extension, Origin
from llms.host.importing import Imported
from llms.host.loader import Host
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


def hosting(home: Home, **extensions: Any) -> Host:
    """A host of extensions, given by name as dicts of hooks, in this order; not installed yet."""
    return Host([_extension(name, hooks) for name, hooks in extensions.items()], crashes=Crashes(home.crashes))


def _extension(name: str, hooks: dict[str, Any]) -> Extension:
    module = ModuleType(f"llms_ext_{name}")
    vars(module).update(hooks)
    return Extension(name, Path("/extensions") / name, Origin.USER, imported=Imported(module))


@pytest.fixture
async def installed(app: App) -> AsyncIterator[Install]:
    """Installs extensions, given by name as dicts of hooks, in this order."""
    hosts: list[Host] = []

    async def install(**extensions: Any) -> Host:
        host = hosting(app.home, **extensions)
        hosts.append(host)
        await host.install(app, cli_args=Namespace(flag="set"), extra_args=["word"])
        return host

    yield install
    for host in hosts:
        await host.close()
