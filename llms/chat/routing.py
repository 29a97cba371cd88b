"""Whom a chat is asked of, in which order, and what is remembered of how that went."""

import random
import time
from collections.abc import Callable

from llms.chat.candidate import Candidate
from llms.chat.cooldown import Cooldowns
from llms.chat.path import Path
from llms.chat.routing_settings import RoutingSettings
from llms.chat.strategies import Strategies, UnknownStrategy
from llms.chat.timings import Timings
from llms.chat.turns import Turns
from llms.kernel.errors import ConfigError
from llms.kernel.types import Json
from llms.providers.offer import Offer, preferred_first, prefix_of
from llms.providers.registry import Registry
from llms.providers.whole import streaming


class Routing:
    """One for the life of the process: what it has learnt outlives a change of the configuration.

    `clock` gives seconds, `draw` a number from 0 to 1 by which weights decide.
    """

    def __init__(
        self,
        registry: Registry,
        config: Json,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.draw = draw
        self.settings = RoutingSettings(config)
        self.cooldowns = Cooldowns(self.settings, clock)
        self.timings = Timings(clock)
        self._turns = Turns()
        self._strategies = Strategies(self.timings, self._turns)
        self._registry = registry

    async def candidates(
        self,
        model: str,
        *,
        prefer: str | None = None,
        strategy: str | None = None,
        streamed: bool = False,
        last: Candidate | None = None,
    ) -> list[Candidate]:
        """Everybody who can be asked for `model`, whom to ask first coming first.

        That is by the strategy of the chat, else of the alias, else of the configuration; but before that the one
        who answered this chat `last`, then the provider called `prefer` or named before the first `/`; and after all
        others whoever is cooling down. Raises ModelNotFound, RequestError.
        """
        offers = await self._registry.seek(model, draw=None if strategy else self.draw)
        if strategy:
            offers = self._strategies.ordered(offers, strategy, streamed=streamed)
        elif len(offers) > 1:
            offers = self._as_usual(offers, model, streamed=streamed)
        if len(offers) > 1:
            offers = preferred_first(offers, prefer or prefix_of(model))
        found = [candidate for offer in offers for candidate in self._each_key(offer)]
        if len(found) > 1 and last is not None:
            found.sort(key=lambda each: (each.offer != last.offer, each.offer == last.offer and each.key != last.key))
        if len(found) > 1:
            found.sort(key=lambda each: self.cooldowns.is_cooling(each.place))
        return found

    def path(self, request_id: str, *, streamed: bool) -> Path:
        """What follows one search for an answer, so that the next ones know more."""
        return Path(request_id, self.cooldowns, self.timings, self._turns, streamed=streamed)

    def _as_usual(self, offers: list[Offer], model: str, *, streamed: bool) -> list[Offer]:
        """`offers` in order where the chat has no strategy of its own. An alias with weights has said what it wants."""
        alias = self._registry.aliases.get(model)
        own = alias and (alias.strategy or ("priority" if alias.is_weighted else None))
        try:
            return self._strategies.ordered(offers, own or self.settings.strategy, streamed=streamed)
        except UnknownStrategy as exc:
            place = f"`aliases.{model}`" if own else "`routing.strategy`"
            raise ConfigError(f"{exc} Correct {place} in llms.json.") from exc

    def _each_key(self, offer: Offer) -> list[Candidate]:
        """The candidates of an offer: its keys take turns."""
        keyed = offer.keyed
        if len(keyed) == 1:
            provider = streaming(keyed[0].provider, offer.id)
            return [Candidate(provider, offer.id, offer.model, offer.upstream, keyed[0].key)]
        return [
            Candidate(streaming(one.provider, offer.id), offer.id, offer.model, offer.upstream, one.key, number)
            for number, one in self._turns.keys(offer)
        ]
