"""Trying an extension in a process of its own, which may end in any way."""

import os
from pathlib import Path

import pytest

from llms.testing.conformance.report import Check, Outcome
from llms.testing.conformance.running import CHECKS
from llms.testing.conformance.trial import tried

from .conftest import Write


def checks(folder: Path, **environ: str) -> dict[str, Check]:
    found = list(tried(folder, {**os.environ, **environ}, patience=60.0))
    assert tuple(check.name for check in found) == CHECKS
    return {check.name: check for check in found}


def test_what_the_process_found_is_told(write: Write) -> None:
    found = checks(write("def __install__(ctx):\n    ctx.add_get('x', lambda request: {})"))
    assert {check.outcome for check in found.values()} == {Outcome.OK, Outcome.SKIPPED}
    assert found["guarded"].told == "1 route turned away who is not signed in."


def test_an_extension_that_ends_the_process_fails_where_it_did(write: Write) -> None:
    found = checks(write("import os\n\ndef __install__(ctx):\n    ctx.add_get('x', lambda request: os._exit(3))"))
    assert found["reloads"].outcome is Outcome.OK
    assert found["loop"].outcome is Outcome.FAILED
    assert found["loop"].told == "It ended the process that it was tried in, with exit code 3."
    assert found["guarded"].told == found["unloads"].told == "It was not reached."


def test_of_a_crash_the_line_is_told(write: Write) -> None:
    found = checks(write("import ctypes\n\nasync def __load__(ctx):\n    ctypes.string_at(0)"))
    assert found["loads"].outcome is Outcome.FAILED
    assert "by signal 11, at File " in found["loads"].told
    assert 'mine/__init__.py", line 4 in __load__' in found["loads"].told


def test_a_process_that_never_ends_is_stopped(write: Write) -> None:
    folder = write("import signal, time\n\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGURG})\ntime.sleep(3600)")
    [first, *_] = tried(folder, os.environ, patience=3.0)
    assert first.outcome is Outcome.FAILED
    assert "was stopped after 3 s" in first.told


def test_what_it_leaves_running_does_not_keep_the_process(write: Write) -> None:
    source = (
        "import threading, time\n\ndef __install__(ctx):\n    threading.Thread(target=time.sleep, args=[3600]).start()"
    )
    assert checks(write(source))["loads"].outcome is Outcome.OK


def test_its_home_is_empty_and_not_the_users(write: Write, tmp_path: Path) -> None:
    source = """
        import os
        from pathlib import Path

        def __install__(ctx):
            assert list(Path.home().iterdir()) == [ctx.home.root], list(Path.home().iterdir())
            Path("here").touch()
            assert os.environ["MINE"] == "kept"
            print("what it prints is no check")
    """
    assert checks(write(source), HOME=str(tmp_path), MINE="kept")["loads"].told == "It loads in a clean home."
    assert not (tmp_path / "here").exists()


def test_modules_in_the_current_folder_are_in_nobodys_way(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert checks(write())["loads"].outcome is Outcome.OK
