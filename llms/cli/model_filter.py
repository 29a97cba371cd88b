"""Which models `llms ls` shows."""

from argparse import Namespace
from dataclasses import dataclass

from llms.kernel.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFilter:
    """What a model must be. Of what is not known of it, it is taken that it does not have it."""

    search: str = ""
    modalities: tuple[str, ...] = ()
    max_price: float | None = None
    min_context: int | None = None

    @classmethod
    def from_flags(cls, options: Namespace) -> "ModelFilter":
        named = (options.modality or "").lower().split(",")
        return cls(
            search=(options.search or "").lower(),
            modalities=tuple(name.strip() for name in named if name.strip()),
            max_price=options.max_price,
            min_context=options.min_context,
        )

    def takes(self, name: str, model: Model) -> bool:
        """Whether `model`, offered as `name`, is one to show."""
        return (
            self._is_called(name, model) and self._does(model) and self._is_affordable(model) and self._remembers(model)
        )

    def _is_called(self, name: str, model: Model) -> bool:
        return self.search in name.lower() or self.search in str(model.get("name") or "").lower()

    def _does(self, model: Model) -> bool:
        known = model.get("modalities") or {}
        return set(self.modalities) <= {*(known.get("input") or ()), *(known.get("output") or ())}

    def _is_affordable(self, model: Model) -> bool:
        if self.max_price is None:
            return True
        cost = model.get("cost") or {}
        prices = [cost.get("input"), cost.get("output")]
        return all(isinstance(price, int | float) and price <= self.max_price for price in prices)

    def _remembers(self, model: Model) -> bool:
        return self.min_context is None or ((model.get("limit") or {}).get("context") or 0) >= self.min_context
