"""One HTTP client for the providers, and the table of what was replayed."""

from collections.abc import AsyncIterator

import pytest

from llms.kernel.limits import Limits
from llms.providers.http import HttpClient

from .table import Table

TABLE = pytest.StashKey[Table]()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Limits(client_timeout=20))
    yield client
    await client.close()


@pytest.fixture
def table(pytestconfig: pytest.Config) -> Table:
    return pytestconfig.stash.setdefault(TABLE, Table())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(TABLE, Table()).lines():
        terminalreporter.write_line(line)
