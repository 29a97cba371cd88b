"""The live providers by id, and who put each of them there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import ConfigError
from llms.kernel.undo import Undo


@dataclass(slots=True, eq=False)
class _Layer:
    """What one extension, or nobody (""), made of an id."""

    owner: str
    provider: Any = None
    is_gone: bool = False  # it took away what lies below
    is_registered: bool = False  # to be taken back by its own undo


class LiveProviders(dict[str, Any]):
    """One dict for the life of the process, in order of priority, which extensions may edit like any other.

    What an extension puts in, replaces or takes out lies over what was there before, and `forget` brings that back.
    `welcome` is called with whatever is put in.
    """

    def __init__(self, welcome: Callable[[Any], None] = lambda _: None) -> None:
        super().__init__()
        self._layers: dict[str, list[_Layer]] = {}  # by id, the one that counts last; none where nobody has changed it
        self._welcome = welcome

    def rebuilt(self, fresh: Mapping[str, Any], *, instead_of: Collection[str] = ()) -> None:
        """Takes `fresh` in place of these ids, however they were changed since. All others stay, after it."""
        stale = {*instead_of, *fresh}
        kept = {id: provider for id, provider in self.items() if id not in stale}
        for id in stale:
            self._layers.pop(id, None)
        super().clear()
        super().update({**fresh, **kept})

    def register(self, id: str, provider: Any) -> Undo:
        """As assigning, but with a way back: what it replaced stands again, unless somebody has replaced it since."""
        layer = _Layer(foreign.RUNNING.get(), provider, is_registered=True)
        self._lay(id, layer)
        return lambda: self._take_away(id, lambda other: other is layer)

    def forget(self, extension: str) -> None:
        """Takes back whatever `extension` has changed by assigning, updating or deleting."""
        for id in [*self._layers] if extension else ():
            self._take_away(id, lambda layer: layer.owner == extension)

    # -- what a dict can do ------------------------------------------------------------------------------------

    def __setitem__(self, id: str, provider: Any) -> None:
        self._lay(id, _Layer(foreign.RUNNING.get(), provider))

    def __delitem__(self, id: str) -> None:
        if id not in self:
            raise KeyError(id)
        if owner := foreign.RUNNING.get():
            self._lay(id, _Layer(owner, is_gone=True))
        else:
            self._layers.pop(id, None)
            super().__delitem__(id)

    def pop(self, id: str, *default: Any) -> Any:
        if id not in self and default:
            return default[0]
        provider = self[id]
        del self[id]
        return provider

    def popitem(self) -> tuple[str, Any]:
        if not self:
            raise KeyError("There is no provider left")
        id = next(reversed(self))
        return id, self.pop(id)

    def clear(self) -> None:
        for id in [*self]:
            del self[id]

    def setdefault(self, id: str, provider: Any = None) -> Any:
        if id not in self:
            self[id] = provider
        return self[id]

    def update(self, *others: Any, **more: Any) -> None:
        for id, provider in dict(*others, **more).items():
            self[id] = provider

    def __ior__(self, other: Any) -> "LiveProviders":  # type: ignore[override, misc]
        self.update(other)
        return self

    def __copy__(self) -> dict[str, Any]:
        return {**self}

    # -- layers ------------------------------------------------------------------------------------------------

    def _lay(self, id: str, layer: _Layer) -> None:
        if not id or not isinstance(id, str):
            raise ConfigError(f"{id!r} cannot be the id of a provider. Use a text.")
        if not layer.is_gone:
            self._welcome(layer.provider)
        layers = self._layers.get(id) or ([_Layer("", self[id])] if id in self else [])
        if not layer.is_registered:  # it takes the place of what the same owner assigned before
            layers = [other for other in layers if other.is_registered or other.owner != layer.owner]
        self._layers[id] = [*layers, layer]
        self._show(id)

    def _take_away(self, id: str, is_unwanted: Callable[[_Layer], bool]) -> None:
        layers = self._layers.get(id, [])
        kept = [layer for layer in layers if not is_unwanted(layer)]
        if len(kept) < len(layers):
            self._layers[id] = kept
            self._show(id)

    def _show(self, id: str) -> None:
        """Makes the uppermost layer the one that is seen, and forgets layers that nobody can take back."""
        layers = self._layers[id]
        if not layers or layers[-1].is_gone:
            super().pop(id, None)
        else:
            super().__setitem__(id, layers[-1].provider)
        if not layers or all(layer.is_gone for layer in layers) or (len(layers) == 1 and _is_nobodys(layers[0])):
            del self._layers[id]


def _is_nobodys(layer: _Layer) -> bool:
    return not layer.owner and not layer.is_registered
