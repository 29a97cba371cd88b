"""Provider and generator classes, and the names by which entries of the configuration choose them."""

from collections.abc import Sequence
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.undo import Undo


class Classes:
    """`known` is one list for the life of the process; extensions may add to it. The last one of a name wins."""

    def __init__(self, *known: type) -> None:
        self.known: list[type] = [*known]

    def add(self, cls: Any) -> Undo:
        """Makes `cls` eligible under `name_of` it. Raises ConfigError where that would be of no use."""
        if not isinstance(cls, type):
            raise ConfigError(f"{cls!r} is no class. Pass the class itself, derived from OpenAiCompatible.")
        if "sdk" not in vars(cls) and not callable(getattr(cls, "chat", None)):
            raise ConfigError(f"{cls.__name__} has no method `chat`. Derive it from OpenAiCompatible or GeneratorBase.")
        self.known.append(cls)
        standing = [cls]  # until it is taken back

        def undo() -> None:
            if standing and (place := self._last(standing.pop())) is not None:
                del self.known[place]

        return undo

    def named(self, name: str) -> type | None:
        """The class that `npm: name` chooses."""
        return next((cls for cls in reversed(self.known) if name_of(cls, self.known) == name), None)

    def _last(self, cls: type) -> int | None:
        return next((i for i in reversed(range(len(self.known))) if self.known[i] is cls), None)


def name_of(cls: Any, known: Sequence[type]) -> str | None:
    """What `npm` calls `cls`: its `sdk`, or else its class attribute `name`, or else its own name.

    An `sdk` inherited from a class that is known is that one's: who derives a class does not mean to replace it.
    """
    if not isinstance(cls, type):  # whatever an extension has put into the list
        return None
    sdk = getattr(cls, "sdk", None)
    if isinstance(sdk, str) and sdk and ("sdk" in vars(cls) or not _is_inherited(sdk, cls, known)):
        return sdk
    name = vars(cls).get("name")
    return name if isinstance(name, str) and name else cls.__name__


def _is_inherited(sdk: str, cls: type, known: Sequence[type]) -> bool:
    return any(base in known and getattr(base, "sdk", None) == sdk for base in cls.__mro__[1:])
