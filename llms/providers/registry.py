"""The live providers, and how one is built from its configuration."""

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import ConfigError, LlmsError, ModelNotFound
from llms.kernel.types import Json, Model
from llms.providers.base import NEEDED, Provider
from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.http import HttpClient
from llms.providers.key import find_key
from llms.providers.loads import Loads
from llms.providers.openai_compatible import (
    CodestralProvider,
    GroqProvider,
    InvalidProvider,
    OpenAiCompatible,
    XaiProvider,
)
from llms.providers.whole import streaming

logger = logging.getLogger("llms.providers")
DEFAULT_SDK = OpenAiCompatible.sdk
PATIENCE = 2.0  # seconds that a chat waits for providers to list their models, where none known has its own
_LONGEST_NAME = 256  # characters of a model's name; a longer one is no slip of the pen


class ProviderNotReady(ConfigError):
    """A configured provider lacks something only the operator can add, usually its key."""


class Registry:
    """Provider classes by sdk, and the live providers by id.

    `live` is one dict for the life of the process, in order of priority; extensions put providers of their own into
    it, and these survive `rebuild`. `environ` is where keys are looked up.
    """

    def __init__(self, http: HttpClient, *, environ: Mapping[str, str] = os.environ) -> None:
        self.http = http
        self._environ = environ
        self.live: dict[str, Any] = {}
        self.classes: list[type] = [
            *(OpenAiCompatible, GroqProvider, XaiProvider, CodestralProvider),
            *(OllamaProvider, LMStudioProvider, OpenAiLocalProvider),
        ]
        self._configured: set[str] = set()  # ids in `live` that came from the configuration
        self._loads = Loads()

    def add_class(self, cls: type) -> None:
        """Makes `cls` eligible by its `sdk`; the last one registered for an sdk wins."""
        self.classes.append(cls)

    def class_for(self, sdk: str) -> type | None:
        return next((cls for cls in reversed(self.classes) if getattr(cls, "sdk", None) == sdk), None)

    # -- building ----------------------------------------------------------------------------------------------

    def rebuild(self, config: Json, catalog: Json) -> None:
        """Builds every enabled provider anew and changes `live` in one step. Their models may follow: see `loaded`."""
        fresh = {provider.id: provider for provider in self._build_enabled(config, catalog)}
        kept = {id: provider for id, provider in self.live.items() if id not in self._configured | fresh.keys()}
        self._configured = set(fresh)
        self.live.clear()
        self.live.update({**fresh, **kept})
        self._loads.cancel()
        self._loads.begin(fresh.values())

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
        sdk = kwargs.get("npm") or DEFAULT_SDK
        cls = self.class_for(sdk)
        if cls is None:
            raise ProviderNotReady(f"Provider '{id}' needs an extension that speaks {sdk}")
        return foreign.call_now(_ready, cls, kwargs, self.http, extension=id)

    def why_not(self, id: str, config: Json, catalog: Json) -> str | None:
        """Why the configured provider `id` cannot be used, or None if it can."""
        try:
            self.build(id, (config.get("providers") or {}).get(id) or {}, catalog, headers={})
        except LlmsError as error:
            return str(error)
        return None

    def _build_enabled(self, config: Json, catalog: Json) -> list[Any]:
        headers = (config.get("defaults") or {}).get("headers") or {}
        built = []
        for id, entry in (config.get("providers") or {}).items():
            if not entry.get("enabled", True):
                continue
            try:
                built.append(self.build(id, entry, catalog, headers=headers))
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
            self._loads.again([provider for id, provider in self.live.items() if self._is_empty(id, provider)])
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
        for id, provider in self.live.items():
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
        found = [(id, provider) for id, provider in self.live.items() if _offers(id, provider, model)]
        if first is not None:
            found.sort(key=lambda each: each[0] != first)
        return [streaming(provider) for _, provider in found]

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


def _ready(cls: type, kwargs: Json, http: HttpClient) -> Any:
    """A provider of class `cls` that says of itself that it can be used."""
    provider = cls(**kwargs)
    if missing := [name for name in NEEDED if not hasattr(provider, name)]:
        raise InvalidProvider(f"{cls.__name__} lacks {', '.join(missing)}. Derive it from OpenAiCompatible.")
    if not hasattr(provider, "id"):
        provider.id = kwargs["id"]
    provider.http = http
    if not provider.test(**kwargs):
        raise ProviderNotReady(provider.validate(**kwargs) or f"Provider '{provider.id}' says that it is not ready")
    return provider


def _offers(id: str, provider: Any, model: str) -> bool:
    """Whether `provider` offers `model`. One that cannot tell does not."""
    try:
        return foreign.call_now(_upstream_name, provider, model, extension=id) is not None
    except LlmsError as error:
        logger.warning("Provider %s is passed over: %s", id, error)
        return False


def _upstream_name(provider: Provider, model: str) -> str | None:
    return provider.provider_model(model)


def _models(id: str, provider: Any) -> Mapping[str, Model]:
    """What `provider` offers. One that cannot tell offers nothing."""
    try:
        models: Mapping[str, Model] = foreign.call_now(_all_models, provider, extension=id)
    except LlmsError as error:
        logger.warning("Provider %s cannot tell its models: %s", id, error)
        return {}
    return models


def _all_models(provider: Provider) -> Mapping[str, Model]:
    return provider.models
