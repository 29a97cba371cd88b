"""Who takes turns with whom: whoever was asked longest ago is next."""

from collections.abc import Sequence

from llms.chat.candidate import Candidate
from llms.providers.offer import Keyed, Offer

_MOST = 10_000  # models and keys that are remembered; what is forgotten first was asked longest ago


class Turns:
    """Remembers the order in which models of providers, and keys, were asked.

    Only who is asked has had its turn: one that is merely on a list, or is passed over, keeps it. So lists that have
    members in common, as those of aliases, do not disturb each other.
    """

    def __init__(self) -> None:
        self._asked: dict[tuple[str, ...], int] = {}
        self._count = 0

    def asks(self, candidate: Candidate) -> None:
        """It is being asked."""
        self._note("model", *candidate.offer)
        if candidate.number:
            self._note("key", *candidate.place)

    def offers(self, offers: Sequence[Offer]) -> list[Offer]:
        """`offers`, whose turn it is coming first. Those that were never asked stay in order."""
        return sorted(offers, key=lambda offer: self._asked.get(("model", offer.id, offer.upstream), 0))

    def keys(self, offer: Offer) -> list[tuple[int, Keyed]]:
        """The keys of `offer` with their numbers, from 1, in the same way."""
        numbered = enumerate(offer.keyed, start=1)
        return sorted(numbered, key=lambda each: self._asked.get(("key", offer.id, each[1].key), 0))

    def _note(self, *whose: str) -> None:
        self._asked.pop(whose, None)  # so that the dict is in the order of asking
        if len(self._asked) >= _MOST:
            del self._asked[next(iter(self._asked))]
        self._count += 1
        self._asked[whose] = self._count
