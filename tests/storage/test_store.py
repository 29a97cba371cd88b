"""`ctx.store`: what was set is there again, for its own extension and user alone."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llms.kernel.paths import Home
from llms.storage.databases import Databases
from llms.storage.errors import StorageError
from llms.storage.store import Store


async def test_a_key_has_the_value_it_was_set_to(store: Store) -> None:
    await store.set("theme", {"name": "dark", "sizes": [1, 2.5, None, True]})
    assert await store.get("theme") == {"name": "dark", "sizes": [1, 2.5, None, True]}


async def test_the_last_value_counts(store: Store) -> None:
    await store.set("n", 1)
    await store.set("n", 2)
    assert await store.get("n") == 2


async def test_the_default_is_for_a_key_that_was_never_set(store: Store) -> None:
    await store.set("none", None)
    assert await store.get("missing") is None
    assert await store.get("missing", 7) == 7
    assert await store.get("none", 7) is None


async def test_delete_tells_whether_there_was_something(store: Store) -> None:
    await store.set("a", 1)
    assert await store.delete("a") is True
    assert await store.delete("a") is False
    assert await store.get("a") is None


async def test_keys_are_those_with_the_prefix_sorted(store: Store) -> None:
    for key in ("b", "a/2", "a/1", "A/1", "a%", "ax", "ä"):
        await store.set(key, 0)
    assert await store.keys() == ["A/1", "a%", "a/1", "a/2", "ax", "b", "ä"]
    assert await store.keys("a/") == ["a/1", "a/2"]
    assert await store.keys("a%") == ["a%"]
    assert await store.keys("_") == []
    assert await store.keys("ä") == ["ä"]


async def test_each_user_has_keys_of_their_own(store: Store) -> None:
    await store.set("k", "everybody's")
    await store.set("k", "ann's", user="ann")
    assert await store.get("k") == "everybody's"
    assert await store.get("k", user="ann") == "ann's"
    assert await store.get("k", user="bob") is None
    assert await store.keys(user="bob") == []
    assert await store.delete("k", user="bob") is False
    assert await store.delete("k", user="ann") is True
    assert await store.get("k") == "everybody's"


async def test_an_empty_user_name_is_not_nobody(store: Store) -> None:
    with pytest.raises(StorageError, match="user '' cannot be used"):
        await store.get("k", user="")


async def test_no_extension_sees_the_keys_of_another(databases: Databases) -> None:
    mine, other = Store(databases, extension="mine"), Store(databases, extension="other")
    await mine.set("k", 1)
    assert await other.get("k") is None
    assert await other.keys() == []
    await other.set("k", 2)
    assert await mine.get("k") == 1


@pytest.mark.parametrize("extension", ["Notes", "no tes", "ext-1.0", "ünï", "select", "x" * 200, "a'b", "$user,public"])
async def test_an_extension_may_have_any_name_a_folder_has(databases: Databases, extension: str) -> None:
    store, plain = Store(databases, extension=extension), Store(databases, extension="plain")
    await store.set("k", 1)
    await store.sql({"t": "CREATE TABLE t (id INTEGER)"}).execute("INSERT INTO t VALUES (1)")
    assert await store.get("k") == 1
    assert await plain.get("k") is None


@pytest.mark.parametrize("extension", ["..", "a/b", "", "a\\b", 'a"b', "a\0b", ".", " a", "a\n"])
async def test_a_name_that_leads_elsewhere_is_refused(databases: Databases, extension: str) -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        await Store(databases, extension=extension).get("k")


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800", "x" * 501, None, 3])
async def test_a_key_that_cannot_be_kept_is_refused(store: Store, key: Any) -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        await store.set(key, 1)
    with pytest.raises(StorageError, match="cannot be used"):
        await store.get(key)


async def test_the_longest_key_fits(store: Store) -> None:
    await store.set("\U0001f600" * 500, 1)
    assert await store.get("\U0001f600" * 500) == 1


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"bytes", {("a",): 1}])
async def test_a_value_that_is_not_json_is_refused_and_the_old_one_stays(store: Store, value: Any) -> None:
    await store.set("k", "old")
    with pytest.raises(StorageError, match=r"The value of key 'k' is not JSON: .* Give what json\.dumps accepts\."):
        await store.set("k", value)
    assert await store.get("k") == "old"


async def test_a_value_without_end_is_refused(store: Store) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(StorageError, match="is not JSON"):
        await store.set("k", endless)


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(key=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=500), value=_JSON)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_json_says_comes_back_as_it_was(home: Home, key: str, value: Any) -> None:
    async def there_and_back() -> None:
        databases = Databases(home)
        store = Store(databases, extension="notes")
        await store.set(key, value, user=key)
        assert await store.get(key, user=key) == value
        assert key in await store.keys(key[:1], user=key)
        await databases.close()

    asyncio.run(there_and_back())


async def test_many_at_once_all_get_in(store: Store) -> None:
    await asyncio.gather(*(store.set(f"k{n}", n) for n in range(100)))
    assert len(await store.keys("k")) == 100


async def test_values_outlive_the_databases_object(home: Home, url: str | None) -> None:
    for n in range(2):
        databases = Databases(home, url)
        store = Store(databases, extension="notes")
        assert await store.get("n") == (n - 1 if n else None)
        await store.set("n", n)
        await databases.close()


async def test_a_closed_store_opens_again(store: Store) -> None:
    await store.set("k", 1)
    await store.close()
    await store.close()
    assert await store.get("k") == 1


_KILLED = """
import asyncio, sys
from pathlib import Path
from llms.kernel.paths import Home
from llms.storage.databases import Databases
from llms.storage.store import Store

async def main():
    store = Store(Databases(Home(Path(sys.argv[1]))), extension="notes")
    for n in range(100_000):
        await store.set(f"k{n}", n)
        print(n, flush=True)

asyncio.run(main())
"""


def test_what_was_set_survives_kill_9(home: Home) -> None:
    command = [sys.executable, "-c", _KILLED, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(30)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]  # what it still said before

    async def look() -> None:
        databases = Databases(home)
        store = Store(databases, extension="notes")
        assert len(await store.keys("k")) >= len(told)
        assert [await store.get(f"k{n}") for n in told] == told
        assert await store.sql().scalar("PRAGMA integrity_check") == "ok"
        await databases.close()

    asyncio.run(look())


_ENDING = """
import asyncio, sys
from pathlib import Path
from llms.kernel.paths import Home
from llms.storage.databases import Databases
from llms.storage.store import Store

asyncio.run(Store(Databases(Home(Path(sys.argv[1]))), extension="notes").set("k", 1))
print("set")
"""


def test_a_process_that_closes_nothing_ends_all_the_same(home: Home) -> None:
    command = [sys.executable, "-c", _ENDING, str(home.root)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "set\n"), ended.stderr
    assert (home.root / "user/default/notes/notes.sqlite").stat().st_size > 0
