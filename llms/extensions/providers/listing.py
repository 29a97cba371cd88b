"""The models that a vendor lists, in the words of the catalogue. What a vendor does not tell stays untold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

from llms.api import Model, OpenAiCompatible, ProviderError

Json = dict[str, Any]
logger = logging.getLogger("llms.providers")

_MODALITIES = MappingProxyType({"file": "pdf"})  # the catalogue's word for what another calls it
_PRICES = MappingProxyType(
    {
        "prompt": "input",
        "completion": "output",
        "internal_reasoning": "reasoning",
        "input_cache_read": "cache_read",
        "input_cache_write": "cache_write",
    }
)


async def listed(provider: OpenAiCompatible, url: str = "") -> dict[str, Model]:
    """The models that `<api>/models`, or what `url` names, lists now; none where it does not answer."""
    try:
        async with provider.http.get(
            url or f"{provider.api}/models", headers=provider.headers, provider=provider.name
        ) as response:
            models = models_in(await provider.response_json(response))
    except ProviderError as error:
        logger.info("%s lists no models: %s", provider.id, error)
        return {}
    found: dict[str, Model] = {}
    for model in models:  # some list one twice
        found.setdefault(model["id"], model)
    return found


def models_in(answer: Any) -> list[Model]:
    """The models in an answer, whichever vendor's. What is no model is passed over."""
    told = answer if isinstance(answer, list) else (answer.get("data") or answer.get("models") or ())
    return [_model(one) for one in told if isinstance(one, dict) and (one.get("id") or one.get("name"))]


def _model(told: Json) -> Model:
    id = str(told.get("id") or told["name"]).removeprefix("models/")  # Google's ids begin so
    known = {name: value for name, value in _facts(told).items() if value not in (None, {})}
    return cast(Model, {"id": id, "name": id, "tool_call": True, **known})


def _facts(told: Json) -> Json:
    """What is told beside the id; nothing where that is in a form we do not know."""
    try:
        return _reader(told)(told)
    except (KeyError, TypeError, AttributeError, ArithmeticError):
        return {}


def _reader(told: Json) -> Callable[[Json], Json]:
    """Who can read it: seen by what one vendor's models have, and no other's."""
    if "display_name" in told:
        return _anthropics
    if "supportedGenerationMethods" in told:
        return _googles
    if "prompt" in (told.get("pricing") or ()):
        return _openrouters
    if "completion_chat" in (told.get("capabilities") or ()):
        return _mistrals
    return _huggingfaces if isinstance(told.get("providers"), list) else _untold


def _untold(_: Json) -> Json:
    return {}


def _anthropics(told: Json) -> Json:
    """https://platform.claude.com/docs/en/api/models/list"""
    can = {name: (ability or {}).get("supported") for name, ability in (told.get("capabilities") or {}).items()}
    takes = [*(["image"] if can.get("image_input") else []), *(["pdf"] if can.get("pdf_input") else [])]
    return {
        "name": told["display_name"],
        "reasoning": can.get("thinking"),
        "structured_output": can.get("structured_outputs"),
        "modalities": _modalities(["text", *takes]) if can else None,
        "limit": _limit(told.get("max_input_tokens"), told.get("max_tokens")),
    }


def _googles(told: Json) -> Json:
    """https://ai.google.dev/api/models"""
    chats = "generateContent" in told["supportedGenerationMethods"]
    return {
        "name": told.get("displayName"),
        "description": told.get("description"),
        "reasoning": bool(told.get("thinking")) if chats else None,
        "tool_call": chats,
        "limit": _limit(told.get("inputTokenLimit"), told.get("outputTokenLimit")),
    }


def _mistrals(told: Json) -> Json:
    """https://docs.mistral.ai/api/#tag/models"""
    can = told["capabilities"]
    takes = [*(["image"] if can.get("vision") else []), *(["audio"] if can.get("audio") else [])]
    return {
        "name": told.get("name"),
        "description": told.get("description"),
        "tool_call": bool(can.get("function_calling")),
        "modalities": _modalities(["text", *takes]),
        "limit": _limit(told.get("max_context_length"), None),
    }


def _openrouters(told: Json) -> Json:
    """https://openrouter.ai/docs/api-reference/list-available-models"""
    shape, can = told.get("architecture") or {}, told.get("supported_parameters") or ()
    prices = {own: _per_million(told["pricing"][name]) for name, own in _PRICES.items() if name in told["pricing"]}
    top = told.get("top_provider") or {}
    return {
        "name": told.get("name"),
        "description": told.get("description"),
        "tool_call": "tools" in can,
        "reasoning": "reasoning" in can,
        "structured_output": "structured_outputs" in can,
        "modalities": _modalities(shape.get("input_modalities"), shape.get("output_modalities")),
        "limit": _limit(told.get("context_length"), top.get("max_completion_tokens")),
        "cost": {name: price for name, price in prices.items() if price is not None},
    }


def _huggingfaces(told: Json) -> Json:
    """https://huggingface.co/docs/inference-providers: a model is served by several, and the first is asked first."""
    shape, live = told.get("architecture") or {}, [one for one in told["providers"] if one.get("status") == "live"]
    first = live[0] if live else {}
    return {
        "tool_call": any(one.get("supports_tools") for one in live),
        "structured_output": any(one.get("supports_structured_output") for one in live),
        "modalities": _modalities(shape.get("input_modalities"), shape.get("output_modalities")),
        "limit": _limit(first.get("context_length"), None),
        "cost": first.get("pricing"),
    }


def _modalities(takes: list[str] | None, makes: list[str] | None = None) -> Json | None:
    if not takes:
        return None
    return {"input": [*_words(takes)], "output": [*_words(makes or ["text"])]}


def _words(modalities: list[str]) -> Iterator[str]:
    return (_MODALITIES.get(one, one) for one in modalities)


def _limit(context: int | None, output: int | None) -> Json:
    return {name: size for name, size in (("context", context), ("output", output)) if size}


def _per_million(price: Any) -> float | None:
    """Dollars for a token as dollars for a million; None where OpenRouter says -1, which is: it depends."""
    dollars = Decimal(str(price)) * 1_000_000
    return float(dollars) if dollars >= 0 else None
