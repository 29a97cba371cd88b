"""The live providers, and how one is built from its configuration."""

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

from llms.kernel import foreign
from llms.kernel.errors import ConfigError, LlmsError, ModelNotFound
from llms.kernel.types import Json, Model
from llms.kernel.undo import Undo
from llms.providers.base import Provider
from llms.providers.building import ProviderNotReady, lend, made
from llms.providers.classes import Classes
from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.http import HttpClient
from llms.providers.key import find_key
from llms.providers.live import LiveProviders
from llms.providers.loads import Loads
from llms.providers.modality import generators
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
        self._configured: frozenset[str] = frozenset()  # ids in `live` that came from the configuration
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
        fresh = self._build_enabled(config, catalog)
        self.live.rebuilt(fresh, instead_of=self._configured)
        self._configured = frozenset(fresh)
        self._loads.cancel()
        for provider in fresh.values():
            self._loads.begin(one for one in (provider, *generators(provider).values()) if hasattr(one, "load"))

    async def loaded(self, within: float) -> bool:
        """Waits until every provider has listed its models, `within` seconds at most; gives whether all have."""
        return await self._loads.ended(within)

    async def close(self) -> None:
        """Stops asking for models. May be called twice."""
        await self._loads.close()

    def build(self, id: str, entry: Json, catalog: Json, *, headers: dict[str, str]) -> Any:
        """The provider that `entry` describes. Raises ProviderNotReady, with the reason, if it cannot be used."""
        kwargs: Json = {**(catalog.get(entry.get("id") or id) or {}), **entry, "id": id}
        kwargs["headers"] = {**headers, **(entry.get("headers") or {})}
        kwargs["api_key"] = find_key(kwargs, self._environ)
        provider, faults = made(self._classes, kwargs, self._environ)
        foreign.call_now(self._lend, provider, extension=id)
        for fault in faults:
            logger.warning("%s", fault)
        return provider

    def why_not(self, id: str, config: Json, catalog: Json) -> str | None:
        """Why the configured provider `id` cannot be used, or None if it can."""
        try:
            self.build(id, (config.get("providers") or {}).get(id) or {}, catalog, headers={})
        except LlmsError as error:
            return str(error)
        return None

    def _build_enabled(self, config: Json, catalog: Json) -> dict[str, Any]:
        headers = (config.get("defaults") or {}).get("headers") or {}
        built: dict[str, Any] = {}
        for id, entry in (config.get("providers") or {}).items():
            if not entry.get("enabled", True):
                continue
            try:
                built[id] = self.build(id, entry, catalog, headers=headers)
            except ProviderNotReady as reason:
                logger.info("Provider %s is skipped: %s", id, reason)
            except LlmsError as error:
                logger.warning("Provider %s is skipped: %s", id, error)
        return built

    # -- finding -----------------------------------------------------------------------------------------------

    async def find(self, model: str, *, prefer: str | None = None) -> list[Provider]:
        """As `candidates`, but a model that nobody has is looked for once more where no models are known yet."""
        found = self._offering(model, prefer)
        if not found:
            self._loads.again([provider for id, provider in self._all() if self._is_empty(id, provider)])
            await self.loaded(PATIENCE)
        return found or self.candidates(model, prefer=prefer)

    def candidates(self, model: str, *, prefer: str | None = None) -> list[Provider]:
        """Every provider that offers `model`, the one called `prefer` (or named before the first `/`) first.

        Raises ModelNotFound, with the nearest names, if none does.
        """
        if not (found := self._offering(model, prefer)):
            raise ModelNotFound(self._not_found(model))
        return found

    def offers(self) -> Iterator[tuple[str, str, Model]]:
        """Every model: the id of its provider, the name it is offered by, and what is known of it."""
        for id, provider in self._all():
            for name, model in _models(id, provider).items():
                yield id, name, model

    def models(self) -> list[Json]:
        """Every model of every live provider with its provider's id, sorted by model id."""
        all_models: list[Json] = [{**model, "id": name, "provider": id} for id, name, model in self.offers()]
        return sorted(all_models, key=lambda model: (model["id"], model["provider"]))

    def default_model(self) -> str | None:
        """The first model of the first provider that has one; a demo model only where there is no other."""
        offered = [(name, model) for _, name, model in self.offers()]
        real = (name for name, model in offered if not model.get("demo"))
        return next(real, None) or next((name for name, _ in offered), None)

    def _offering(self, model: str, prefer: str | None) -> list[Provider]:
        first = prefer or (model.partition("/")[0] if "/" in model else None)
        found = [(id, provider) for id, provider in self._all() if _offers(id, provider, model)]
        if first is not None:
            found.sort(key=lambda each: each[0] != first)
        return [streaming(provider, id) for id, provider in found]

    def _all(self) -> list[tuple[str, Any]]:
        """A copy: extensions may edit `live` meanwhile, from a thread, or in the middle of being asked."""
        return [*self.live.items()]

    def _is_empty(self, id: str, provider: Any) -> bool:
        return id in self._configured and not _models(id, provider)

    def _not_found(self, model: str) -> str:
        if len(model) > _LONGEST_NAME:
            return f"Model '{model[:60]}…' not found. Run `llms ls` to see all."
        names = {name.lower(): name for _, name, _ in self.offers()}
        if not names:
            return f"Model '{model}' not found: no provider is ready. Set an API key, or run `llms local install`."
        near = [names[name] for name in difflib.get_close_matches(model.lower(), names, n=3, cutoff=0.5)]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"Model '{model}' not found.{hint} Run `llms ls` to see all."


def _offers(id: str, provider: Any, model: str) -> bool:
    """Whether `provider` offers `model`. One that cannot tell does not."""
    try:
        return foreign.call_now(_upstream_name, provider, model, extension=id) is not None
    except LlmsError as error:
        logger.warning("Provider %s is passed over: %s", id, error)
        return False


def _upstream_name(provider: Provider, model: str) -> str | None:
    name = provider.provider_model(model)
    if name is None or isinstance(name, str):
        return name
    raise ConfigError(f"its `provider_model` gives {type(name).__name__}, not a text or None. Mend it.")


def _models(id: str, provider: Any) -> Mapping[str, Model]:
    """What `provider` offers. One that cannot tell offers nothing."""
    try:
        models: Mapping[str, Model] = foreign.call_now(_all_models, id, provider, extension=id)
    except LlmsError as error:
        logger.warning("Provider %s cannot tell its models: %s", id, error)
        return {}
    return models


def _all_models(id: str, provider: Provider) -> Mapping[str, Model]:
    models: Any = provider.models
    if not isinstance(models, Mapping):
        raise ConfigError(f"its `models` is {type(models).__name__}, not a dict. Mend it.")
    sound = {name: model for name, model in models.items() if isinstance(name, str) and isinstance(model, dict)}
    if len(sound) < len(models):
        odd = next(name for name in models if name not in sound)
        logger.warning("Provider %s: %r in its `models` is no model, and is left out.", id, odd)
    return cast(Mapping[str, Model], sound)
