"""Who offers a model, and by which name."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from llms.kernel import foreign
from llms.kernel.errors import ConfigError, LlmsError
from llms.kernel.types import Model
from llms.providers.base import Provider

logger = logging.getLogger("llms.providers")


class Keyed(NamedTuple):
    """A provider with one of its keys. `key` tells keys apart, and is none."""

    provider: Any
    key: str = ""


class Offer(NamedTuple):
    """A live provider that offers `model`, with each of its keys. `upstream` is what it calls that model itself."""

    id: str
    model: str
    upstream: str
    keyed: tuple[Keyed, ...]


def prefix_of(model: str) -> str | None:
    """What stands before the first `/`: perhaps the id of a provider."""
    before, slash, _ = model.partition("/")
    return before if slash else None


def preferred_first(offers: Sequence[Offer], id: str | None) -> list[Offer]:
    """`offers` with those of the provider `id` first."""
    return sorted(offers, key=lambda offer: offer.id != id) if id is not None and len(offers) > 1 else [*offers]


def upstream_name(id: str, provider: Any, model: str) -> str | None:
    """What `provider` calls `model`, or None where it does not offer it. One that cannot tell does not."""
    if _is_ours(provider):  # on every chat's way, for every provider: a border costs more than the question
        return provider.provider_model(model)  # type: ignore[no-any-return]
    try:
        return cast(str | None, foreign.call_now(_upstream_name, provider, model, extension=id))
    except LlmsError as error:
        logger.warning("Provider %s is passed over: %s", id, error)
        return None


def models_of(id: str, provider: Any) -> Mapping[str, Model]:
    """What `provider` offers. One that cannot tell offers nothing."""
    try:
        models: Mapping[str, Model] = foreign.call_now(_models, id, provider, extension=id)
    except LlmsError as error:
        logger.warning("Provider %s cannot tell its models: %s", id, error)
        return {}
    return models


def _is_ours(provider: Any) -> bool:
    """Whether it is one of our classes that answers, on which nobody has put a method of his own."""
    return type(provider).__module__.startswith("llms.") and "provider_model" not in vars(provider)


def _upstream_name(provider: Provider, model: str) -> str | None:
    name = provider.provider_model(model)
    if name is None or isinstance(name, str):
        return name
    raise ConfigError(f"its `provider_model` gives {type(name).__name__}, not a text or None. Mend it.")


def _models(id: str, provider: Provider) -> Mapping[str, Model]:
    models: Any = provider.models
    if not isinstance(models, Mapping):
        raise ConfigError(f"its `models` is {type(models).__name__}, not a dict. Mend it.")
    sound = {name: model for name, model in models.items() if isinstance(name, str) and isinstance(model, dict)}
    if len(sound) < len(models):
        odd = next(name for name in models if name not in sound)
        logger.warning("Provider %s: %r in its `models` is no model, and is left out.", id, odd)
    return cast(Mapping[str, Model], sound)
