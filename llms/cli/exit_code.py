"""What a run tells the shell."""

from enum import IntEnum


class ExitCode(IntEnum):
    SUCCESS = 0
    FAILED = 1
    UNHANDLED = 9  # nothing on the line calls anything; no run ends with it
    INTERRUPTED = 130  # Ctrl-C, as shells count it
    PIPE_CLOSED = 141  # the reader of our output went away, as in `llms ls | head -1`
