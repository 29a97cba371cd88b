"""Words to show while something takes its time."""

import random

from llms.kernel.types import Json


class LoadingWords:
    """The `loading` words of the configuration in use, one at a time."""

    def __init__(self, config_data: Json) -> None:
        self._config = config_data  # read anew each time: it changes when the file does
        self._last = ""

    def next(self) -> str:
        """A word at random with three dots after it; never the same twice in a row, unless there is but one."""
        configured = self._config.get("loading") or ()
        words = [word for given in configured if (word := str(given).rstrip(".… "))] or ["Thinking"]
        others = [word for word in words if word != self._last]
        self._last = random.choice(others or words)  # noqa: S311 - a matter of taste, not of secrecy
        return f"{self._last}..."
