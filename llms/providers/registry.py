"""The live providers, and how one is built from its configuration."""

import asyncio
import difflib
import logging
import os
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import ConfigError, LlmsError, ModelNotFound
from llms.kernel.types import Json
from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.http import HttpClient
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
_NEEDED = ("models", "validate", "test", "load", "provider_model", "model_info", "model_cost", "chat")


class ProviderNotReady(ConfigError):
    """A configured provider lacks something only the operator can add, usually its key."""


class Registry:
    """Provider classes by sdk, and the live providers by id.

    `live` is one dict for the life of the process, in order of priority; extensions put providers of their own into
    it, and these survive `rebuild`.
    """

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self.live: dict[str, Any] = {}
        self.classes: list[type] = [
            *(OpenAiCompatible, GroqProvider, XaiProvider, CodestralProvider),
            *(OllamaProvider, LMStudioProvider, OpenAiLocalProvider),
        ]
        self._configured: set[str] = set()  # ids in `live` that came from the configuration

    def add_class(self, cls: type) -> None:
        """Makes `cls` eligible by its `sdk`; the last one registered for an sdk wins."""
        self.classes.append(cls)

    def class_for(self, sdk: str) -> type | None:
        return next((cls for cls in reversed(self.classes) if getattr(cls, "sdk", None) == sdk), None)

    # -- building ----------------------------------------------------------------------------------------------

    async def rebuild(self, config: Json, catalog: Json) -> None:
        """Builds and loads every enabled provider anew. `live` changes in one step, when all are ready."""
        built = self._build_enabled(config, catalog)
        await asyncio.gather(*(self._load(provider) for provider in built))
        kept = {id: provider for id, provider in self.live.items() if id not in self._configured}
        fresh = {provider.id: provider for provider in built}
        self._configured = set(fresh)
        self.live.clear()
        self.live.update({**fresh, **{id: p for id, p in kept.items() if id not in fresh}})

    def build(self, id: str, entry: Json, catalog: Json, *, headers: dict[str, str]) -> Any:
        """The provider that `entry` describes. Raises ProviderNotReady, with the reason, if it cannot be used."""
        kwargs: Json = {**(catalog.get(entry.get("id") or id) or {}), **entry, "id": id}
        kwargs["headers"] = {**headers, **(entry.get("headers") or {})}
        kwargs["api_key"] = _key(kwargs)
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

    async def _load(self, provider: Any) -> None:
        try:
            await foreign.call(provider.load, extension=provider.id, deadline=10.0)
        except LlmsError as error:
            logger.warning("Provider %s could not load its models: %s", provider.id, error)

    # -- finding -----------------------------------------------------------------------------------------------

    def candidates(self, model: str, *, prefer: str | None = None) -> list[Any]:
        """Every provider that offers `model`, the one called `prefer` (or named before the first `/`) first.

        Raises ModelNotFound, with the nearest names, if none does.
        """
        found = [streaming(p) for p in self.live.values() if p.provider_model(model) is not None]
        first = prefer or (model.partition("/")[0] if "/" in model else None)
        found.sort(key=lambda provider: provider.id != first)
        if not found:
            raise ModelNotFound(self._not_found(model))
        return found

    def _not_found(self, model: str) -> str:
        if not any(provider.models for provider in self.live.values()):
            return f"Model '{model}' not found: no provider is ready. Set an API key, or run `llms local install`."
        names = {name.lower(): name for p in self.live.values() for name in p.models}
        near = [names[name] for name in difflib.get_close_matches(model.lower(), names, n=3, cutoff=0.5)]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"Model '{model}' not found.{hint} Run `llms ls` to see all."

    def models(self) -> list[Json]:
        """Every model of every live provider with its provider's id, sorted by model id."""
        all_models: list[Json] = [
            {**model, "id": key, "provider": provider.id}
            for provider in self.live.values()
            for key, model in provider.models.items()
        ]
        return sorted(all_models, key=lambda model: (model["id"], model["provider"]))

    def default_model(self) -> str | None:
        """The first model of the first provider that has one; a demo model only where there is no other."""
        offered = [(key, model) for provider in self.live.values() for key, model in provider.models.items()]
        real = (key for key, model in offered if not model.get("demo"))
        return next(real, None) or next((key for key, _ in offered), None)


def _ready(cls: type, kwargs: Json, http: HttpClient) -> Any:
    """A provider of class `cls` that says of itself that it can be used."""
    provider = cls(**kwargs)
    if missing := [name for name in _NEEDED if not hasattr(provider, name)]:
        raise InvalidProvider(f"{cls.__name__} lacks {', '.join(missing)}. Derive it from OpenAiCompatible.")
    provider.http = http
    if not provider.test(**kwargs):
        raise ProviderNotReady(provider.validate(**kwargs) or f"Provider '{provider.id}' says that it is not ready")
    return provider


def _key(kwargs: Json) -> str | None:
    """The API key a provider entry names: literal, `$NAME`, or the first of its `env` that is set."""
    literal = kwargs.get("api_key")
    if isinstance(literal, str) and literal.startswith("$"):
        literal = os.environ.get(literal[1:])
    if literal:
        return str(literal)
    return next((value for name in kwargs.get("env") or () if (value := os.environ.get(name))), None)
