"""The live providers, and how one is built from its configuration."""

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from llms.kernel import foreign
from llms.kernel.catalog import configured
from llms.kernel.errors import ConfigError, LlmsError, ModelNotFound
from llms.kernel.types import Json, Model
from llms.kernel.undo import Undo
from llms.providers.aliases import Aliases, Draw
from llms.providers.base import Provider
from llms.providers.building import ProviderNotReady, lend, made
from llms.providers.classes import Classes
from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.http import HttpClient
from llms.providers.key import find_keys, fingerprint
from llms.providers.live import LiveProviders
from llms.providers.loads import Loads
from llms.providers.modality import generators
from llms.providers.offer import Keyed, Offer, models_of, preferred_first, prefix_of, upstream_name
from llms.providers.openai_compatible import (
    CodestralProvider,
    GroqProvider,
    OpenAiCompatible,
    XaiProvider,
)
from llms.providers.processing import Resolve
from llms.providers.whole import streaming

__all__ = ["PATIENCE", "ProviderNotReady", "Registry"]

logger = logging.getLogger("llms.providers")
PATIENCE = 2.0  # seconds that a chat waits for providers to list their models, where none known has its own
ALIAS = "alias"  # stands for the provider of an alias where models are listed
_LONGEST_NAME = 256  # characters of a model's name; a longer one is no slip of the pen


class Registry:
    """Provider and generator classes by sdk, and the live providers by id.

    `live` is one dict for the life of the process, in order of priority; extensions put providers of their own into
    it, and these survive `rebuild`. `environ` is where keys are looked up. `resolve` puts a chat's attachments inside
    it, for providers and generators that are asked without our pipeline.
    """

    def __init__(
        self, http: HttpClient, *, environ: Mapping[str, str] = os.environ, resolve: Resolve | None = None
    ) -> None:
        self.http, self.resolve = http, resolve
        self._environ = environ
        self.live = LiveProviders(self._lend)
        self._classes = Classes(
            *(OpenAiCompatible, GroqProvider, XaiProvider, CodestralProvider),
            *(OllamaProvider, LMStudioProvider, OpenAiLocalProvider),
        )
        self.aliases = Aliases()
        self._configured: frozenset[str] = frozenset()  # ids in `live` that came from the configuration
        self._named: frozenset[str] = frozenset()  # ids that the configuration names, whether they can be used or not
        self._keyed: dict[str, tuple[Keyed, ...]] = {}  # of those with several keys: all of them, the live one first
        self._loads = Loads()

    # -- what extensions add -----------------------------------------------------------------------------------

    @property
    def classes(self) -> list[type]:
        """Every provider and generator class: one list for the life of the process."""
        return self._classes.known

    def add_class(self, cls: Any) -> Undo:
        """Makes a provider or generator class eligible by its `sdk`; the last one registered for an sdk wins.

        One without an `sdk` of its own goes by its class attribute `name`, or else by its own name. Raises ConfigError
        where nothing could be made of it.
        """
        return self._classes.add(cls)

    def class_for(self, sdk: str) -> type | None:
        return self._classes.named(sdk)

    def get(self, name: str) -> Any | None:
        """The live provider with this id, else the class registered for this sdk, else None."""
        return self.live[name] if name in self.live else self.class_for(name)

    def get_registered_provider(self, id: str) -> Any | None:
        """The live provider with this id, or None."""
        return self.live.get(id)

    def register_provider_handler(self, id: str, instance: Any) -> Undo:
        """Puts a live provider into the registry, in front of one of the same id. Raises ConfigError if it is none."""
        if not callable(getattr(instance, "chat", None)):
            raise ConfigError(f"Provider '{id}' has no method `chat`. Derive its class from OpenAiCompatible.")
        return self.live.register(id, instance)

    def forget(self, extension: str) -> None:
        """Takes the live providers away that `extension` has put in, and puts those back that it took out."""
        self.live.forget(extension)

    def _lend(self, provider: Any) -> None:
        lend(provider, self.http, self.resolve)

    # -- building ----------------------------------------------------------------------------------------------

    def rebuild(self, config: Json, catalog: Json) -> None:
        """Builds every enabled provider anew and changes `live` in one step. Their models may follow: see `loaded`."""
        self._keyed = self._build_enabled(config, catalog)
        fresh = {id: keyed[0].provider for id, keyed in self._keyed.items()}
        self._named = frozenset(config.get("providers") or ())
        self.aliases = Aliases.of(config.get("aliases"))
        self.live.rebuilt(fresh, instead_of=self._configured)
        self._configured = frozenset(fresh)
        self._loads.cancel()
        for keyed in (each for several in self._keyed.values() for each in several):
            each = (keyed.provider, *generators(keyed.provider).values())
            self._loads.begin(one for one in each if hasattr(one, "load"))

    async def loaded(self, within: float) -> bool:
        """Waits until every provider has listed its models, `within` seconds at most; gives whether all have."""
        return await self._loads.ended(within)

    async def close(self) -> None:
        """Stops asking for models. May be called twice."""
        await self._loads.close()

    def build(self, id: str, entry: Json, catalog: Json, *, headers: dict[str, str]) -> Any:
        """The provider that `entry` describes. Raises ProviderNotReady, with the reason, if it cannot be used."""
        return self._build_each(id, entry, catalog, headers=headers)[0].provider

    def keys(self) -> Iterator[str]:
        """Every API key of every provider, to be masked wherever somebody is shown something."""
        spares = [(id, keyed.provider) for id, several in self._keyed.items() for keyed in several[1:]]
        for id, provider in (*self._all(), *spares):
            with suppress(LlmsError):  # one of an extension that cannot tell has none to hide
                yield from foreign.call_now(_keys_of, provider, extension=id)

    def _build_each(self, id: str, entry: Json, catalog: Json, *, headers: dict[str, str]) -> tuple[Keyed, ...]:
        """As `build`, once for each of its keys: so a class need not know that there are several."""
        kwargs: Json = {**configured(catalog, id, entry), "id": id}
        kwargs["headers"] = {**headers, **(entry.get("headers") or {})}
        keys = find_keys(kwargs, self._environ) or (None,)
        kwargs.pop("api_keys", None)
        keyed = [self._build_one({**kwargs, "api_key": keys[0]})]
        for number, key in enumerate(keys[1:], 2):
            try:
                keyed.append(self._build_one({**kwargs, "api_key": key}, is_spare=True))
            except LlmsError as error:
                logger.warning("Provider %s does without its key %d: %s", id, number, error)
        return tuple(keyed)

    def _build_one(self, kwargs: Json, *, is_spare: bool = False) -> Keyed:
        provider, faults = made(self._classes, kwargs, self._environ)
        foreign.call_now(self._lend, provider, extension=kwargs["id"])
        for fault in () if is_spare else faults:
            logger.warning("%s", fault)
        return Keyed(provider, fingerprint(kwargs["api_key"]))

    def why_not(self, id: str, config: Json, catalog: Json) -> str | None:
        """Why the configured provider `id` cannot be used, or None if it can."""
        try:
            self.build(id, (config.get("providers") or {}).get(id) or {}, catalog, headers={})
        except LlmsError as error:
            return str(error)
        return None

    def _build_enabled(self, config: Json, catalog: Json) -> dict[str, tuple[Keyed, ...]]:
        headers = (config.get("defaults") or {}).get("headers") or {}
        built: dict[str, tuple[Keyed, ...]] = {}
        for id, entry in (config.get("providers") or {}).items():
            if not entry.get("enabled", True):
                continue
            try:
                built[id] = self._build_each(id, entry, catalog, headers=headers)
            except ProviderNotReady as reason:
                logger.info("Provider %s is skipped: %s", id, reason)
            except LlmsError as error:
                logger.warning("Provider %s is skipped: %s", id, error)
        return built

    # -- finding -----------------------------------------------------------------------------------------------

    async def find(self, model: str, *, prefer: str | None = None) -> list[Provider]:
        """As `candidates`, but a model that nobody has is looked for once more where no models are known yet."""
        return _providers(preferred_first(await self.seek(model), prefer or prefix_of(model)))

    def candidates(self, model: str, *, prefer: str | None = None) -> list[Provider]:
        """Every provider that offers `model`, the one called `prefer` (or named before the first `/`) first.

        Raises ModelNotFound, with the nearest names, if none does.
        """
        if not (found := self.offering(model)):
            raise ModelNotFound(self._not_found(model))
        return _providers(preferred_first(found, prefer or prefix_of(model)))

    async def seek(self, model: str, *, draw: Draw | None = None) -> list[Offer]:
        """As `offering`, but asks providers without models for them first. Raises ModelNotFound if nobody offers it."""
        if found := self.offering(model, draw=draw):
            return found
        self._loads.again([provider for id, provider in self._all() if self._is_empty(id, provider)])
        await self.loaded(PATIENCE)
        if not (found := self.offering(model, draw=draw)):
            raise ModelNotFound(self._not_found(model))
        return found

    def offering(self, model: str, *, draw: Draw | None = None) -> list[Offer]:
        """Every offer of `model`, in the order of the configuration; of an alias, those of its models one by one.

        A model of an alias that names a configured provider before its first `/` is that provider's alone.
        """
        if not (models := self.aliases.models(model, draw)):
            return self._offering(model)
        found: dict[tuple[str, str], Offer] = {}
        for offer in (offer for each in models for offer in self._offering_alone(each)):
            found.setdefault((offer.id, offer.upstream), offer)
        return [*found.values()]

    def offers(self) -> Iterator[tuple[str, str, Model]]:
        """Every model: the id of its provider, the name it is offered by, and what is known of it."""
        for id, provider in self._all():
            for name, model in models_of(id, provider).items():
                yield id, name, model

    def aliased(self) -> Iterator[tuple[str, Model]]:
        """Every alias that can be answered, with what is known of the first model it stands for."""
        for alias in self.aliases:
            if found := self.offering(alias.name):
                facts: Model = {}
                with suppress(LlmsError):  # a provider of an extension that cannot tell
                    facts = streaming(found[0].keyed[0].provider, found[0].id).model_info(found[0].model) or {}
                yield alias.name, {**facts, "id": alias.name, "name": alias.name}

    def models(self) -> list[Json]:
        """Every model of every live provider with its provider's id, and every alias, sorted by model id."""
        all_models: list[Json] = [{**model, "id": name, "provider": id} for id, name, model in self.offers()]
        all_models += [{**model, "provider": ALIAS} for _, model in self.aliased()]
        return sorted(all_models, key=lambda model: (model["id"], model["provider"]))

    def default_model(self) -> str | None:
        """The first model of the first provider that has one; a demo model only where there is no other."""
        offered = [(name, model) for _, name, model in self.offers()]
        real = (name for name, model in offered if not model.get("demo"))
        return next(real, None) or next((name for name, _ in offered), None)

    def _offering(self, model: str) -> list[Offer]:
        return [
            Offer(id, model, upstream, self._all_keys(id, provider))
            for id, provider in self._all()
            if (upstream := upstream_name(id, provider, model)) is not None
        ]

    def _offering_alone(self, model: str) -> list[Offer]:
        """As `_offering`; where `model` begins with the id of a provider, only of that one."""
        id = prefix_of(model)
        offers = self._offering(model)
        is_restricted = id in self._named or id in self.live
        return [offer for offer in offers if offer.id == id] if is_restricted else offers

    def _all_keys(self, id: str, provider: Any) -> tuple[Keyed, ...]:
        """`provider` with each of its keys. One that somebody has put over a configured one brings its own."""
        several = self._keyed.get(id)
        if several is None or several[0].provider is not provider:
            return (Keyed(provider),)
        for keyed in several[1:]:  # what was learnt with one key holds for all
            if isinstance(keyed.provider, OpenAiCompatible):
                keyed.provider.table = provider.table
        return several

    def _all(self) -> list[tuple[str, Any]]:
        """A copy: extensions may edit `live` meanwhile, from a thread, or in the middle of being asked."""
        return [*self.live.items()]

    def _is_empty(self, id: str, provider: Any) -> bool:
        return id in self._configured and not models_of(id, provider)

    def _not_found(self, model: str) -> str:
        if len(model) > _LONGEST_NAME:
            return f"Model '{model[:60]}…' not found. Run `llms ls` to see all."
        if models := self.aliases.models(model):
            return f"Model '{model}' stands for {', '.join(models)}, and none is offered. Check `aliases` in llms.json."
        names = {name.lower(): name for _, name, _ in self.offers()} | {a.name.lower(): a.name for a in self.aliases}
        if not names:
            return f"Model '{model}' not found: no provider is ready. Set an API key, or run `llms local install`."
        near = [names[name] for name in difflib.get_close_matches(model.lower(), names, n=3, cutoff=0.5)]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"Model '{model}' not found.{hint} Run `llms ls` to see all."


def _keys_of(provider: Any) -> list[str]:
    keys = (getattr(one, "api_key", None) for one in (provider, *generators(provider).values()))
    return [key for key in keys if isinstance(key, str)]


def _providers(offers: list[Offer]) -> list[Provider]:
    """Those who offer, each once."""
    found: dict[str, Any] = {}
    for offer in offers:
        found.setdefault(offer.id, offer.keyed[0].provider)
    return [streaming(provider, id) for id, provider in found.items()]
