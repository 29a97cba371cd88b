"""Names that the operator gives to several models at once."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger("llms.providers")
Draw = Callable[[], float]  # a random number from 0 to 1


@dataclass(frozen=True, slots=True)
class Target:
    """A model, or another alias. `weight` is how often it is asked first, compared with the others."""

    model: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Alias:
    name: str
    targets: tuple[Target, ...]
    strategy: str | None = None
    is_weighted: bool = False

    def ordered(self, draw: Draw | None) -> list[Target]:
        """The targets as written; by lot where they have weights and `draw` decides.

        Who is drawn comes first, and so on among the rest (Efraimidis and Spirakis, 2006). A weight of 0 comes last.
        """
        if not self.is_weighted or draw is None:
            return [*self.targets]
        lots = {target: draw() ** (1 / target.weight) if target.weight else -1.0 for target in self.targets}
        return sorted(self.targets, key=lambda target: lots[target], reverse=True)


class Aliases:
    """The `aliases` of llms.json. A name is found in whatever case."""

    def __init__(self, aliases: Mapping[str, Alias] | None = None) -> None:
        self._aliases = {name.lower(): alias for name, alias in (aliases or {}).items()}

    @classmethod
    def of(cls, told: Any) -> "Aliases":
        """Those that `told` describes; one that cannot be used is left out, with a warning."""
        found = {}
        for name, value in told.items() if isinstance(told, dict) else ():
            if alias := _alias(name, value):
                found[name] = alias
            else:
                logger.warning("Alias %r is left out: it names no models. Write a list of models in llms.json.", name)
        return cls(found)

    def __iter__(self) -> Iterator[Alias]:
        return iter(self._aliases.values())

    def get(self, name: str) -> Alias | None:
        return self._aliases.get(name.lower()) if self._aliases else None

    def models(self, name: str, draw: Draw | None = None) -> list[str]:
        """The models that the alias `name` stands for, in order; none where it is no alias.

        An alias inside an alias stands for its own models. One that leads back to itself means the model of that name.
        """
        return [*dict.fromkeys(self._expanded(name, draw, (), set()))]

    def _expanded(self, name: str, draw: Draw | None, path: tuple[str, ...], seen: set[str]) -> Iterator[str]:
        alias = self.get(name)
        if alias is None or alias.name in path:
            if path:
                yield name
        elif alias.name not in seen:  # its models stand further up already
            seen.add(alias.name)
            for target in alias.ordered(draw):
                yield from self._expanded(target.model, draw, (*path, alias.name), seen)


def _alias(name: str, told: Any) -> Alias | None:
    """The alias in an entry: a model, a list of them, or an object with `models` and its own `strategy`."""
    strategy = None
    if isinstance(told, dict) and "models" in told:
        told, strategy = told["models"], told.get("strategy")
    each = told if isinstance(told, list) else [told]
    targets = [_target(one) for one in each]
    if not name or not targets or None in targets or not isinstance(strategy, str | None):
        return None
    is_weighted = any(isinstance(one, dict) and "weight" in one for one in each)
    return Alias(name, tuple(dict.fromkeys(filter(None, targets))), strategy, is_weighted)


def _target(told: Any) -> Target | None:
    model, weight = (told.get("model"), told.get("weight", 1)) if isinstance(told, dict) else (told, 1)
    if not isinstance(model, str) or not model or isinstance(weight, bool) or not isinstance(weight, int | float):
        return None
    return Target(model, float(weight)) if 0 <= weight < float("inf") else None
