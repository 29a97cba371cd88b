"""In which order those who offer a model are asked."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from llms.chat.timings import Timings
from llms.chat.turns import Turns
from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Json
from llms.providers.offer import Offer
from llms.providers.whole import streaming

_INPUT, _OUTPUT = 3000, 1000  # tokens of the chat by whose price providers are compared
_UNKNOWN = math.inf


class UnknownStrategy(RequestError):
    """There is no strategy of this name."""

    def __init__(self, message: str) -> None:
        super().__init__(message, param="metadata.strategy")


def strategy_in(metadata: Any) -> str | None:
    """In which order a request wants candidates to be asked. Raises RequestError where that is no text."""
    strategy = metadata.get("strategy") if isinstance(metadata, dict) else None
    if not isinstance(strategy, str | None):
        raise RequestError("`metadata.strategy` must be a text, such as 'cheapest'.", param="metadata.strategy")
    return strategy or None


class Strategies:
    """Orders offers. Equal ones stay in the order of the configuration."""

    def __init__(self, timings: Timings, turns: Turns) -> None:
        self._timings, self._turns = timings, turns
        self._orders: dict[str, Callable[[list[Offer], bool], list[Offer]]] = {
            "priority": self._by_priority,
            "cheapest": self._cheapest_first,
            "fastest": self._fastest_first,
            "round-robin": self._in_turn,
        }

    def ordered(self, offers: list[Offer], strategy: str, *, streamed: bool) -> list[Offer]:
        """`offers` as `strategy` has it. Raises UnknownStrategy."""
        order = self._orders.get(strategy)
        if order is None:
            raise UnknownStrategy(f"There is no strategy '{strategy[:40]}'. Use one of {', '.join(self._orders)}.")
        return order(offers, streamed) if len(offers) > 1 else offers

    def _by_priority(self, offers: list[Offer], _: bool) -> list[Offer]:
        return offers

    def _in_turn(self, offers: list[Offer], _: bool) -> list[Offer]:
        return self._turns.offers(offers)

    def _cheapest_first(self, offers: list[Offer], _: bool) -> list[Offer]:
        return sorted(offers, key=price)

    def _fastest_first(self, offers: list[Offer], streamed: bool) -> list[Offer]:
        """One that nobody has measured of late is asked first, so that it is; meanwhile others ask it last."""
        expected = [self._timings.expected((offer.id, offer.upstream, streamed)) for offer in offers]
        waits = [_UNKNOWN if seconds is None else seconds for seconds in expected]
        for place, offer in enumerate(offers):
            if expected[place] is None and self._timings.explores((offer.id, offer.upstream, streamed)):
                waits[place] = 0.0
                break
        return [offers[place] for place in sorted(range(len(offers)), key=waits.__getitem__)]


def price(offer: Offer) -> float:
    """Micro-dollars of a usual chat, by the catalogue; endless where it does not tell."""
    cost: Json = {}
    with suppress(LlmsError):  # a provider of an extension that cannot tell
        cost = streaming(offer.keyed[0].provider, offer.id).model_cost(offer.model) or {}
    given, taken = _number(cost.get("input")), _number(cost.get("output"))
    if cost.get("type") == "request":
        return taken * 1_000_000
    return given * _INPUT + taken * _OUTPUT


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _UNKNOWN
