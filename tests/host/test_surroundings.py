"""What foreign code does to the process at start is taken back, and its prints are no answers."""

import builtins
import io
import locale
import logging
import logging.config
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llms.host.surroundings import Added, added_paths, contained


def state() -> dict[str, Any]:
    """What foreign code might change."""
    root, ours = logging.getLogger(), logging.getLogger("llms.host")
    return {
        "path": (id(sys.path), sys.path[:]),
        "finders": (sys.meta_path[:], sys.path_hooks[:]),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "hooks": (sys.excepthook, sys.unraisablehook, sys.displayhook, threading.excepthook),
        "argv": sys.argv[:],
        "folder": Path.cwd(),
        "handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
        "warnings": (warnings.filters[:], warnings.showwarning),
        "root": (root.handlers[:], root.level, root.filters[:], root.manager.disable),
        "ours": (ours.handlers[:], ours.level, ours.disabled, ours.propagate),
        "records": (logging.getLogRecordFactory(), logging.getLoggerClass()),
        "timeout": socket.getdefaulttimeout(),
        "locale": locale.setlocale(locale.LC_ALL),
        "json": sys.modules["json"],
        "open": builtins.open,
        "recursion": sys.getrecursionlimit(),
    }


def spoil_finders() -> None:
    sys.meta_path.clear()
    sys.path_hooks = []


def spoil_streams() -> None:
    sys.stdout = sys.stderr = io.StringIO()
    sys.stdin = None


def spoil_logging() -> None:
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.config.dictConfig({"version": 1})  # disables every logger there is
    logging.disable()
    logging.getLogger("llms.host").propagate = False
    logging.setLogRecordFactory(lambda *_, **__: None)  # type: ignore[arg-type]


def spoil_hooks() -> None:
    nothing: Any = lambda *_: None  # noqa: E731
    sys.excepthook = sys.unraisablehook = sys.displayhook = threading.excepthook = nothing


def spoil_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)


def spoil_modules() -> None:
    sys.modules["json"] = ModuleType("json")
    del sys.modules["socket"]
    builtins.open = lambda *_, **__: None  # type: ignore[assignment]


def spoil_path() -> None:
    sys.path = ["/nowhere"]
    sys.argv.append("--more")
    os.chdir("/")


def spoil_settings() -> None:
    socket.setdefaulttimeout(0.001)
    locale.setlocale(locale.LC_ALL, "C")
    sys.setrecursionlimit(sys.getrecursionlimit() * 2)
    warnings.resetwarnings()
    warnings.showwarning = lambda *_, **__: None


SPOILERS = [spoiler for name, spoiler in list(globals().items()) if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_what_a_block_spoils_is_whole_again(spoil: Callable[[], None]) -> None:
    before = state()
    with contained():
        spoil()
        assert state() != before
    assert state() == before


@pytest.mark.parametrize("spoil", SPOILERS)
def test_it_is_whole_again_after_an_error_too(spoil: Callable[[], None]) -> None:
    before = state()
    with pytest.raises(SystemExit), contained():
        spoil()
        raise SystemExit
    assert state() == before


def test_a_folder_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    here = Path.cwd()
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        with contained():
            os.chdir("/")
    finally:
        os.chdir(here)


def test_environment_variables_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_LIBRARY_READS_THIS", "before")
    with contained():
        os.environ["A_LIBRARY_READS_THIS"] = "after"
    assert os.environ["A_LIBRARY_READS_THIS"] == "after"


# -- what is printed -------------------------------------------------------------------------------------------


def test_what_is_printed_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with contained():
        sys.stdout.write("hello\n")
        sys.stdout.buffer.write("wörld\n".encode())
    sys.stdout.write("the answer\n")
    assert capsys.readouterr() == ("the answer\n", "hello\nwörld\n")


def test_a_stream_that_was_kept_still_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with contained():
        kept = logging.StreamHandler(sys.stdout)
    kept.emit(logging.makeLogRecord({"msg": "late"}))
    assert capsys.readouterr() == ("", "late\n")


def test_closing_or_wrapping_the_streams_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with contained():
        sys.stdout.close()
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="latin-1")
        sys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding="latin-1")
        sys.stdout.write("hello\n")
    sys.stderr.write("still there\n")
    sys.stdout.write("the answer\n")
    answer, notes = capsys.readouterr()
    assert (answer, notes[-12:]) == ("the answer\n", "still there\n")


# -- what is added ---------------------------------------------------------------------------------------------


def test_what_was_added_is_told() -> None:
    told: list[Added] = []
    with contained(told.append):
        sys.path.insert(0, "/first")
        sys.path.append("/last")
        assert added_paths() == ["/first", "/last"]
        sys.modules["added_module"] = ModuleType("added_module")
    assert told[0].paths == ["/first", "/last"]
    assert sys.modules.pop("added_module") is told[0].modules["added_module"]
    assert added_paths() == []


class Finder:
    @staticmethod
    def find_spec(*_: Any) -> None: ...


def test_a_finder_that_a_library_added_stays_behind_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    before = sys.meta_path[:]
    with contained():
        sys.meta_path.insert(0, Finder)
    assert sys.meta_path == [*before, Finder]


def test_a_finder_of_the_extension_itself_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Finder, "__module__", "llms_ext_thing.finder")
    before = sys.meta_path[:]
    with contained():
        sys.meta_path.insert(0, Finder)
    assert sys.meta_path == before


# -- blocks in blocks, and beside each other -------------------------------------------------------------------


def test_a_block_in_a_block_ends_alone() -> None:
    before = state()
    with contained():
        outer = sys.stdout
        with contained():
            sys.path.append("/inner")
        assert sys.stdout is outer
        assert "/inner" not in sys.path
    assert state() == before


def test_blocks_that_overlap_leave_nothing() -> None:
    before = state()
    first, second = contained(), contained()
    first.__enter__()
    sys.path.append("/first")
    second.__enter__()
    sys.path.append("/second")
    first.__exit__(None, None, None)
    assert sys.stdout is not before["streams"][1]  # the second is open yet
    spoil_settings()
    second.__exit__(None, None, None)
    assert state() == before


def test_in_a_thread_signal_handlers_are_let_be() -> None:
    def run() -> str:
        with contained():
            sys.path.append("/thread")
        return "done"

    before = state()
    with ThreadPoolExecutor() as pool:
        assert pool.submit(run).result() == "done"
    assert state() == before
