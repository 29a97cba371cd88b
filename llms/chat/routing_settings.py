"""The `routing` of llms.json."""

from collections.abc import Mapping
from typing import Any

from llms.kernel.types import Json

_DEFAULTS: Mapping[str, float] = {"failures": 3, "cooldown": 30.0, "longest_cooldown": 600.0, "key_cooldown": 600.0}


class RoutingSettings:
    """Always as the configuration says now; what is missing or makes no sense has its default.

    Times are seconds, and 0 means that nobody is put aside so.
    """

    def __init__(self, config: Json) -> None:
        self._config = config

    @property
    def strategy(self) -> str:
        """How candidates are ordered where neither the chat nor an alias says."""
        return self._told("strategy") or "priority"

    @property
    def failures(self) -> int:
        """How many in a row put a provider, with the key they met, aside."""
        return int(self._number("failures", least=1))

    @property
    def cooldown(self) -> float:
        """For how long at first; twice as long each time that it has not helped."""
        return self._number("cooldown")

    @property
    def longest_cooldown(self) -> float:
        """For how long at most, unless the provider itself asks for more."""
        return self._number("longest_cooldown")

    @property
    def key_cooldown(self) -> float:
        """For how long a key is put aside that was refused."""
        return self._number("key_cooldown")

    def _number(self, name: str, *, least: float = 0) -> float:
        told = self._told(name)
        is_number = isinstance(told, int | float) and not isinstance(told, bool)
        return told if is_number and told >= least else _DEFAULTS[name]

    def _told(self, name: str) -> Any:
        told = self._config.get("routing")
        return told.get(name) if isinstance(told, dict) else None
