"""Starts that die in the hands of an extension are counted against it, and nothing else is."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llms.host.crashes import Crashes

Start = Callable[..., int]
posix = pytest.mark.skipif(os.name != "posix", reason="Windows ends processes in other ways")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "crashes"


@pytest.fixture
def start(folder: Path) -> Start:
    """Starts a process in which `bad` is in charge of this code; gives its exit code."""

    def start(code: str, before: str = "") -> int:
        source = (
            "import os, signal, sys\nfrom pathlib import Path\nfrom llms.host.crashes import Crashes\n"
            f"crashes = Crashes(Path({str(folder)!r}))\n{before}\n"
            f"with crashes.during('bad', 'import'):\n    {code}\ncrashes.clean('bad')\ncrashes.close()\n"
        )
        run = subprocess.run([sys.executable, "-c", source], stderr=subprocess.DEVNULL, timeout=60, check=False)
        return run.returncode

    return start


_ENDS = {
    "exit": "os._exit(1)",
    "quiet exit": "os._exit(0)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "abort": "os.abort()",
    "kill": "os.kill(os.getpid(), signal.SIGKILL)",
}


@posix
@pytest.mark.parametrize("end", _ENDS.values(), ids=_ENDS)
def test_a_process_that_dies_is_a_crash_of_who_was_in_charge(start: Start, folder: Path, end: str) -> None:
    start(end)
    crashes = Crashes(folder)
    assert crashes.is_suspected("bad")
    assert not crashes.is_suspected("good")
    assert crashes.reason("bad") is None


def test_three_in_a_row_are_a_reason_not_to_load_it(start: Start, folder: Path) -> None:
    for _ in range(3):
        assert Crashes(folder).reason("bad") is None
        start("os._exit(1)")
    reason = Crashes(folder).reason("bad")
    assert reason == (
        "The last 3 starts crashed when they were to import it. Update or mend it, then run `llms ext enable bad`."
    )
    assert Crashes(folder).reason("bad") == reason  # kept, though nothing new happened


def test_a_good_start_between_them_begins_the_count_anew(start: Start, folder: Path) -> None:
    for code in ("os._exit(1)", "os._exit(1)", "pass", "os._exit(1)", "os._exit(1)"):
        start(code)
    assert Crashes(folder).reason("bad") is None


def test_a_start_that_fails_for_another_reason_does_not(start: Start, folder: Path) -> None:
    for code in ("os._exit(1)", "raise ValueError", "os._exit(1)", "raise SystemExit", "os._exit(1)"):
        start(code)
    assert Crashes(folder).reason("bad") is not None


_NO_CRASH = {
    "an error": "raise ValueError",
    "sys.exit": "sys.exit(3)",
    "Ctrl-C": "os.kill(os.getpid(), signal.SIGINT); __import__('time').sleep(60)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM); __import__('time').sleep(60)",
    "the terminal closed": "os.kill(os.getpid(), signal.SIGHUP); __import__('time').sleep(60)",
    "nothing": "pass",
}


@posix
@pytest.mark.parametrize("code", _NO_CRASH.values(), ids=_NO_CRASH)
def test_what_is_no_crash_is_not_counted(start: Start, folder: Path, code: str) -> None:
    start(code)
    assert not Crashes(folder).is_suspected("bad")


@posix
def test_a_process_told_to_end_still_ends_of_that(start: Start, folder: Path) -> None:
    assert start("os.kill(os.getpid(), signal.SIGTERM); __import__('time').sleep(60)") == -signal.SIGTERM
    assert not list(folder.glob("start-*"))


@posix
def test_who_handles_sigterm_already_goes_on_doing_so(start: Start) -> None:
    handler = "signal.signal(signal.SIGTERM, lambda *_: os._exit(7))"
    assert start("os.kill(os.getpid(), signal.SIGTERM); __import__('time').sleep(60)", before=handler) == 7


def test_a_crash_outside_of_every_block_is_nobodys(start: Start, folder: Path) -> None:
    start("pass\nwith crashes.during('bad', 'load'): pass\nos._exit(1)")
    assert not Crashes(folder).is_suspected("bad")


def test_of_several_in_charge_each_is_suspected(start: Start, folder: Path) -> None:
    start(
        "a, b, c = (crashes.during(name, 'load') for name in 'abc')\n"
        "    a.__enter__(); b.__enter__(); c.__enter__(); b.__exit__(None, None, None)\n"
        "    os._exit(1)"
    )
    crashes = Crashes(folder)
    assert [name for name in ("a", "b", "c", "bad") if crashes.is_suspected(name)] == ["a", "c", "bad"]


def test_a_process_that_lives_is_not_counted(folder: Path) -> None:
    alive = Crashes(folder)
    with alive.during("bad", "import"):
        assert not Crashes(folder).is_suspected("bad")
    alive.close()
    alive.close()
    assert not list(folder.glob("start-*"))


def test_a_file_whose_process_number_was_given_anew_is_told_by_its_lock(start: Start, folder: Path) -> None:
    """The file names no process, so that another one with the same number cannot be taken for it."""
    start("os._exit(1)")
    alive = Crashes(folder)
    with alive.during("good", "import"):
        pass
    assert alive.is_suspected("bad")
    alive.close()


def test_a_crash_is_counted_once(start: Start, folder: Path) -> None:
    start("os._exit(1)")
    for _ in range(5):
        assert Crashes(folder).reason("bad") is None


def test_forgiven_it_is_loaded_again(start: Start, folder: Path) -> None:
    for _ in range(3):
        start("os._exit(1)")
    crashes = Crashes(folder)
    crashes.forgive("bad")
    crashes.forgive("nobody")
    assert (crashes.reason("bad"), Crashes(folder).reason("bad")) == (None, None)


def test_without_extensions_nothing_is_written(folder: Path) -> None:
    crashes = Crashes(folder)
    crashes.clean("good")
    assert crashes.reason("good") is None
    crashes.close()
    assert not folder.exists()


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"bad": 3}', b'{"bad": {"count": "many"}}', b"\xff"])
def test_what_was_kept_may_be_spoilt(folder: Path, spoilt: bytes) -> None:
    folder.mkdir()
    (folder / "crashes.json").write_bytes(spoilt)
    assert Crashes(folder).reason("bad") is None


@pytest.mark.parametrize("spoilt", [b"", b"{", b'["bad"', b'["bad"]', b"[1]", b"1"])
def test_what_a_dead_process_left_may_be_spoilt(folder: Path, spoilt: bytes) -> None:
    folder.mkdir()
    (folder / "start-spoilt").write_bytes(spoilt)
    assert Crashes(folder).reason("bad") is None
    assert not list(folder.glob("start-*"))


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    crashes = Crashes(tmp_path / "file" / "crashes")
    with crashes.during("good", "import"):
        pass
    crashes.clean("good")
    crashes.close()
    assert "Crashes of extensions cannot be noted" in caplog.text
