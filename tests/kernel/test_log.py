"""The log: on stderr, in the agreed form, without secrets."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llms.kernel import log
from llms.kernel.secrets import Secrets

LLMS = logging.getLogger("llms.test")
EXTENSION = logging.getLogger("llms.ext.weather")
SECRET = "a very secret value"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    ours = logging.getLogger("llms")
    level = ours.level
    yield
    each_handler(logging.getLogger().removeHandler)
    ours.setLevel(level)


def each_handler(act: Callable[[logging.Handler], None], *, others: bool = False) -> None:
    """Calls `act` with the root handlers that are ours, or with all others."""
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, log.StderrHandler) is not others:
            act(handler)


@pytest.fixture
def setup(capsys: pytest.CaptureFixture[str]) -> Callable[..., Callable[[], str]]:
    """Sets the log up; what it gives back reads stderr, and checks that stdout stayed empty."""

    def setup(**options: Any) -> Callable[[], str]:
        secrets = Secrets()
        secrets.add(SECRET)
        log.setup(secrets=secrets, **options)

        def read() -> str:
            captured = capsys.readouterr()
            assert captured.out == ""
            return captured.err

        return read

    return setup


def raised(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_errors_and_warnings_are_always_heard(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    LLMS.error("no")
    LLMS.warning("careful")
    LLMS.info("by the way")
    LLMS.debug("detail")
    assert read() == "ERROR: no\nWARNING: careful\n"


def test_verbose_adds_plain_lines(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(verbose=True)
    LLMS.info("by the way")
    LLMS.debug("detail")
    assert read() == "by the way\n"


def test_debug_adds_debug_lines(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(debug=True)
    LLMS.info("by the way")
    LLMS.debug("detail")
    assert read() == "by the way\nDEBUG: detail\n"


def test_lines_of_an_extension_carry_its_name(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(debug=True)
    EXTENSION.info("sunny")
    EXTENSION.debug("asked")
    EXTENSION.error("rain")
    assert read() == "[weather] sunny\nDEBUG [weather]: asked\nERROR [weather]: rain\n"


def test_lines_of_an_extensions_own_modules_carry_its_name_too(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    logging.getLogger("llms_ext_weather.db").error("rain")
    assert read() == "ERROR [weather.db]: rain\n"


def test_an_extension_that_floods_the_log_is_cut_short(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(verbose=True)
    for _ in range(10_000):
        EXTENSION.info("drip")
    LLMS.info("heard")
    lines = read().splitlines()
    assert len(lines) < 2_000
    assert lines[-1] == "heard"


@pytest.mark.parametrize("options", [{}, {"verbose": True}, {"json_lines": True}])
def test_nothing_is_longer_than_the_longest(setup: Callable[..., Callable[[], str]], options: dict[str, bool]) -> None:
    read = setup(**options)
    LLMS.error("x" * 1_000_000, exc_info=raised("y" * 1_000_000))
    text = read()
    assert len(text) < 3 * log.LONGEST
    assert "... (980000 more characters)" in text


def test_a_secret_where_a_message_is_cut_stays_secret(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    LLMS.error("x" * (log.LONGEST - 6) + SECRET)
    assert SECRET[:6] not in read()


def test_a_prefix_leads_every_line(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(verbose=True, prefix="> ")
    LLMS.info("by the way")
    LLMS.error("no")
    assert read() == "> by the way\n> ERROR: no\n"


def test_an_exception_is_one_line_without_verbose(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    LLMS.error("It failed", exc_info=raised("the reason"))
    LLMS.error("It failed: the reason", exc_info=raised("the reason"))
    assert read() == "ERROR: It failed: the reason\nERROR: It failed: the reason\n"


def test_an_exception_has_its_trace_with_verbose(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(verbose=True)
    LLMS.error("It failed", exc_info=raised("the reason"))
    assert "Traceback (most recent call last)" in (text := read())
    assert text.endswith("ValueError: the reason\n")


@pytest.mark.parametrize("options", [{}, {"verbose": True}, {"json_lines": True}])
def test_no_secret_reaches_the_log(setup: Callable[..., Callable[[], str]], options: dict[str, bool]) -> None:
    read = setup(**options)
    LLMS.error(f"in the message {SECRET}")
    LLMS.error("in an argument %s", SECRET)
    LLMS.error("in an error", exc_info=raised(f"sent {SECRET}"))
    LLMS.error("in a url %s", "https://x.test/?key=abcdef&a=b")
    logging.getLogger("some.library").error("elsewhere %s", SECRET)
    text = read()
    assert SECRET not in text
    assert "abcdef" not in text
    assert text.count("***") >= 5


def test_libraries_are_heard_from_warnings_up(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(debug=True)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    assert read() == "WARNING: trouble\n"


def test_json_lines_are_one_object_each(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup(json_lines=True)
    LLMS.error("two\nlines %s", 1, extra={"request_id": "r1"}, exc_info=raised("the reason"))
    LLMS.warning("plain")
    first, second = (json.loads(line) for line in read().splitlines())
    assert first["time"].endswith("+00:00")
    assert first["level"] == "ERROR"
    assert first["logger"] == "llms.test"
    assert first["message"] == "two\nlines 1"
    assert first["request_id"] == "r1"
    assert first["exception"].endswith("ValueError: the reason")
    assert sorted(second) == ["level", "logger", "message", "time"]


def test_control_characters_cannot_move_the_cursor(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    LLMS.error("a\x1b[2Jb\rc")
    assert read() == "ERROR: a\\x1b[2Jb\\x0dc\n"


def test_a_call_with_wrong_arguments_is_still_logged_and_masked(setup: Callable[..., Callable[[], str]]) -> None:
    read = setup()
    each_handler(logging.getLogger().removeHandler, others=True)  # pytest's handlers raise for such a call
    LLMS.error("%d things", SECRET)
    assert read() == "ERROR: %d things ('***',)\n"


def test_setting_up_twice_does_not_log_twice(setup: Callable[..., Callable[[], str]]) -> None:
    setup()
    read = setup()
    LLMS.error("once")
    assert read() == "ERROR: once\n"


def test_a_closed_stderr_stops_nothing(
    setup: Callable[..., Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    LLMS.error("to nobody")
