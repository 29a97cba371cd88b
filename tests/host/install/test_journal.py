"""An install that is killed leaves the old state or the new one, and the next run clears what it left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import llms
from llms.host.install.journal import Change, commit, content, leftovers, recover_unfinished, stage
from llms.host.install.lock import Entry
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

from .conftest import Open
from .repository import EXTENSION, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")


@pytest.mark.parametrize("verb", ["add", "update", "rollback", "remove"])
def test_killed_at_any_moment_it_leaves_the_old_state_or_the_new(
    tmp_path: Path, home: Home, installer: Open, verb: str
) -> None:
    source = write(tmp_path / "mine", {**EXTENSION, "ui/index.mjs": ""})
    home.prepare()
    if verb != "add":
        with installer() as open:
            open.apply(open.plan_add(str(source)))
    if verb in ("rollback", "update"):  # an update that drops a former version, and a rollback to one
        write(source, {"__init__.py": "v = 2\n"})
        with installer() as open:
            plan = open.plan_update("mine")
            assert plan is not None
            open.apply(plan)
        write(source, {"__init__.py": "v = 3\n"})
    home.extensions.mkdir(exist_ok=True)
    script = Path(__file__).with_name("killed.py")
    run = subprocess.run(
        [sys.executable, str(script), verb, str(source), str(home.root)],
        env={**os.environ, "PYTHONPATH": str(Path(llms.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    deaths, after = map(int, run.stdout.split())
    assert deaths > 10 and 0 < after < deaths  # it was killed before and after the moment that counts


def test_a_server_that_starts_finishes_what_was_begun(home: Home) -> None:
    staging = stage(home)
    write(content(staging), EXTENSION)
    (staging / "journal.json").write_text('{"name": "mine", "entry": {"kind": "folder", "source": "/x"}}')
    recover_unfinished(home)
    assert (home.extensions / "mine/__init__.py").exists()
    assert leftovers(home) == []


def test_a_server_that_starts_leaves_an_install_that_runs_alone(home: Home) -> None:
    staging = stage(home)
    recover_unfinished(home)
    assert leftovers(home) == [staging]


def test_a_damaged_journal_is_named(home: Home) -> None:
    home.prepare()
    (stage(home) / "journal.json").write_text("{")
    with pytest.raises(ConfigError, match=r"damaged.*Delete"):
        recover_unfinished(home)


def test_what_is_put_in_place_is_recorded_with_its_source(home: Home) -> None:
    home.prepare()
    staging = stage(home)
    write(content(staging), EXTENSION)
    commit(home, staging, Change("mine", Entry("folder", "/somewhere")))
    assert '"/somewhere"' in home.lock_file.read_text()
    assert (home.extensions / "mine").is_dir()
