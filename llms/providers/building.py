"""Makes one provider, and its generators, from an entry of the configuration."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import ConfigError, LlmsError
from llms.kernel.types import Json
from llms.providers.base import NEEDED
from llms.providers.classes import Classes
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.key import find_key
from llms.providers.modality import generators
from llms.providers.openai_compatible import InvalidProvider, OpenAiCompatible
from llms.providers.processing import Resolve
from llms.providers.signatures import accepted

DEFAULT_SDK = OpenAiCompatible.sdk


class ProviderNotReady(ConfigError):
    """A configured provider lacks something only the operator can add, usually its key."""


def made(classes: Classes, kwargs: Json, environ: Mapping[str, str]) -> tuple[Any, list[str]]:
    """The provider that `kwargs` describe, and what is wrong with those of its generators that it has to do without.

    Raises LlmsError, ProviderNotReady where it says so itself.
    """
    id, sdk = kwargs["id"], kwargs.get("npm") or DEFAULT_SDK
    cls = classes.named(sdk)
    if cls is None:
        raise ProviderNotReady(f"Provider '{id}' needs an extension that speaks {sdk}")
    modalities, faults = _generators(classes, kwargs, environ)
    if "modalities" in kwargs:
        kwargs = {**kwargs, "modalities": modalities}
    return foreign.call_now(_ready, cls, kwargs, extension=id), faults


def lend(provider: Any, http: HttpClient, resolve: Resolve | None) -> None:
    """Gives a provider and its generators what they share with all others, unless they have brought their own."""
    for one in (provider, *generators(provider).values()):
        if isinstance(one, OpenAiCompatible | GeneratorBase):
            if not hasattr(one, "http"):
                one.http = http
            if one.resolve is None:
                one.resolve = resolve


def _ready(cls: type, kwargs: Json) -> Any:
    """A provider of class `cls` that says of itself that it can be used."""
    provider = cls(**kwargs)
    if missing := [name for name in NEEDED if not hasattr(provider, name)]:
        raise InvalidProvider(f"{cls.__name__} lacks {', '.join(missing)}. Derive it from OpenAiCompatible.")
    if not hasattr(provider, "id"):
        provider.id = kwargs["id"]
    if not provider.test(**accepted(provider.test, kwargs)):
        why = provider.validate(**accepted(provider.validate, kwargs))
        raise ProviderNotReady(str(why or f"Provider '{provider.id}' says that it is not ready"))
    return provider


def _generators(classes: Classes, kwargs: Json, environ: Mapping[str, str]) -> tuple[Json, list[str]]:
    """The generators of a provider's `modalities`, and a sentence for each that cannot be made."""
    found: Json = {}
    faults = []
    given = kwargs.get("modalities")
    for modality, entry in given.items() if isinstance(given, dict) else ():
        try:
            found[modality] = _generator(classes, kwargs, entry, environ)
        except LlmsError as error:
            faults.append(f"Provider {kwargs['id']} makes no {modality}: {error}")
    return found, faults


def _generator(classes: Classes, provider: Json, entry: Any, environ: Mapping[str, str]) -> Any:
    """The generator that `entry` describes: what it does not say of itself, it has from `provider`."""
    npm = entry.get("npm") if isinstance(entry, dict) else None
    if not npm:
        raise InvalidProvider("it names no generator. Write one as `npm`.")
    cls = classes.named(npm)
    if cls is None:
        raise InvalidProvider(f"it needs an extension that speaks {npm}. Add one, or correct its `npm`.")
    if hasattr(cls, "provider_model"):
        raise InvalidProvider(f"{npm} is a provider, not a generator. Correct its `npm`.")
    shared = {key: value for key, value in provider.items() if key not in _PROVIDERS_OWN}
    key = find_key(entry, environ) or provider.get("api_key")
    return foreign.call_now(partial(cls, **{**shared, **entry, "api_key": key}), extension=provider["id"])


_PROVIDERS_OWN = ("modalities", "models", "npm", "name")
