"""No extension can fill the log."""

import logging
from collections.abc import Iterator

import pytest

from llms.kernel.flood import ERRORS, LINES, Flood
from llms.kernel.foreign import RUNNING


class Log(logging.Handler):
    """A handler behind the filter, with a clock to turn."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.lines: list[str] = []
        self.addFilter(Flood(clock=lambda: self.now))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")

    def after(self, seconds: float) -> list[str]:
        """The lines since the last call; time goes on."""
        lines, self.lines = self.lines, []
        self.now += seconds
        return lines


@pytest.fixture
def log() -> Iterator[Log]:
    log, root = Log(), logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(log)
    root.setLevel(level)


def flood(name: str = "llms.ext.loud", level: int = logging.INFO, times: int = 1000) -> None:
    logger = logging.getLogger(name)
    for _ in range(times):
        logger.log(level, "drip")


def test_a_burst_passes_whole(log: Log) -> None:
    flood(times=LINES.burst)
    assert len(log.after(0)) == LINES.burst


def test_what_is_more_than_a_burst_is_left_out(log: Log) -> None:
    flood()
    assert log.after(0) == ["llms.ext.loud: drip"] * LINES.burst


def test_when_it_goes_on_one_line_says_how_many_were_left_out(log: Log) -> None:
    flood()
    log.after(1)
    flood()
    first, *others = log.after(0)
    assert first == f"llms.ext.loud: {1000 - LINES.burst} lines were left out here: it logs too much."
    assert others == ["llms.ext.loud: drip"] * LINES.per_second


def test_a_steady_flood_is_summed_up_once_a_second(log: Log) -> None:
    flood()
    log.after(0)
    for _ in range(1000):  # ten seconds
        flood(times=10)
        log.now += 0.01
    lines = log.after(0)
    assert 9 <= sum("left out" in line for line in lines) <= 10
    assert len(lines) <= 10 * (LINES.per_second + 1)


def test_after_a_rest_there_is_a_whole_burst_again(log: Log) -> None:
    flood()
    log.after(3600)
    flood()
    assert log.after(0).count("llms.ext.loud: drip") == LINES.burst


def test_errors_have_an_allowance_of_their_own(log: Log) -> None:
    flood()
    log.after(0)
    flood(level=logging.ERROR)
    assert len(log.after(1)) == ERRORS.burst
    flood(level=logging.CRITICAL)
    assert f"{1000 - ERRORS.burst} errors were left out" in log.after(0)[0]


def test_what_one_extension_logs_costs_no_other(log: Log) -> None:
    flood()
    flood("llms.ext.quiet", times=1)
    assert log.after(0)[-1] == "llms.ext.quiet: drip"


@pytest.mark.parametrize("name", ["llms.ext.loud.db", "llms_ext_loud", "llms_ext_loud.db.rows"])
def test_loggers_below_its_own_count_too(log: Log, name: str) -> None:
    flood("llms.ext.loud")
    flood(name)
    assert len(log.after(0)) == LINES.burst


def test_what_libraries_log_while_its_code_runs_counts_too(log: Log) -> None:
    token = RUNNING.set("loud")
    flood("some.library")
    RUNNING.reset(token)
    assert len(log.after(0)) == LINES.burst


@pytest.mark.parametrize("name", ["llms", "llms.host", "llms.chat"])
def test_our_own_lines_always_pass(log: Log, name: str) -> None:
    token = RUNNING.set("loud")
    flood(name)
    RUNNING.reset(token)
    assert len(log.after(0)) == 1000


def test_lines_that_are_nobodys_always_pass(log: Log) -> None:
    flood("some.library")
    assert len(log.after(0)) == 1000


def test_a_clock_that_goes_back_does_no_harm(log: Log) -> None:
    flood()
    log.after(-100)
    flood()
    assert log.after(0) == []
