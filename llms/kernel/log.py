"""Logging: everything goes to stderr, and every line passes through the mask."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from llms.kernel.flood import Flood, own_logger
from llms.kernel.secrets import Secrets

LONGEST = 20_000  # characters of one message or trace
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # would move the cursor of whoever reads the log


def setup(
    *,
    secrets: Secrets,
    verbose: bool = False,
    debug: bool = False,
    json_lines: bool = False,
    prefix: str = "",
) -> None:
    """Sends the log to stderr: errors and warnings, with `verbose` plain lines, with `debug` everything.

    Libraries are heard from WARNING up, and no extension more than its allowance. Calling it again replaces the
    earlier setup.
    """
    handler = StderrHandler()
    handler.addFilter(Flood())
    handler.setFormatter(
        JsonLines(secrets) if json_lines else HumanLines(secrets, traces=verbose or debug, prefix=prefix)
    )
    root = logging.getLogger()
    for earlier in [found for found in root.handlers if isinstance(found, StderrHandler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    level = logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING
    logging.getLogger("llms").setLevel(level)


class StderrHandler(logging.Handler):
    """Writes to what `sys.stderr` is at that moment. A closed or broken stderr is no reason to fail."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record) + "\n"
        try:
            sys.stderr.write(line)
            sys.stderr.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return


class Masked(logging.Formatter):
    """What the formatters share: the parts of a record with secrets and control characters taken out."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self.secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong % in the call must not lose the line
            text = f"{record.msg} {record.args}"
        return self.clean(text)

    def trace(self, record: logging.LogRecord) -> str | None:
        if not record.exc_info or record.exc_info[0] is None:
            return None
        return self.clean(self.formatException(record.exc_info))

    def clean(self, text: str) -> str:
        text = self.secrets.mask(text)  # first: of a secret that was cut nobody would know the rest
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}... ({len(text) - LONGEST} more characters)"
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class HumanLines(Masked):
    """`ERROR: …`, `DEBUG: …`, a plain line when verbose; what an extension logs carries `[its name]`."""

    def __init__(self, secrets: Secrets, *, traces: bool, prefix: str) -> None:
        super().__init__(secrets)
        self.traces = traces
        self.prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.prefix}{_label(record)}{self.message(record)}"
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return line
        if self.traces:
            return f"{line}\n{self.trace(record)}"
        why = self.clean(str(error) or type(error).__name__)
        return line if why in line else f"{line}: {why}"


class JsonLines(Masked):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            "request_id": getattr(record, "request_id", None),
            "exception": self.trace(record),
        }
        return json.dumps({key: value for key, value in found.items() if value is not None}, ensure_ascii=False)


def _label(record: logging.LogRecord) -> str:
    level = "" if record.levelno == logging.INFO else record.levelname
    own = own_logger(record.name)
    extension = f"[{own}]" if own else ""
    label = f"{level} {extension}".strip()
    return f"{label}: " if level else f"{label} ".lstrip()
