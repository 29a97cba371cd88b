"""The provider catalogue: facts in the shape of models.dev, and what the user adds to them.

A catalogue file is models.dev's `api.json` with one key more, `$catalog`, which tells since when its facts hold and
where they come from. It is no provider: whoever reads a file takes it out with `split`.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from llms.kernel.types import Json

MARK = "$catalog"


class Origin(msgspec.Struct, frozen=True):
    """Where the facts of a catalogue come from."""

    date: str | None = None  # as 2026-09-28; None where the file does not tell, as one that was made by hand
    source: str | None = None


def split(data: Json) -> tuple[Json, Origin]:
    """The providers in a catalogue file, and where they come from."""
    mark = data.get(MARK)
    told = mark if isinstance(mark, dict) else {}
    date, source = told.get("date"), told.get("source")
    origin = Origin(date if isinstance(date, str) else None, source if isinstance(source, str) else None)
    return {id: provider for id, provider in data.items() if id != MARK}, origin


def to_bytes(providers: Json, origin: Origin) -> bytes:
    """A catalogue file: small enough to be read at every start, and a line for each model, so that people can read it.

    `split` of it gives what it was made from.
    """
    parts = [f"{_text(MARK)}:{_text({'date': origin.date, 'source': origin.source})}"]
    parts += [f"{_text(id)}:{_provider_text(provider)}" for id, provider in providers.items()]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode("utf-8", "backslashreplace")


def _provider_text(provider: Json) -> str:
    models = provider.get("models") or {}
    lines = ",\n".join(f"  {_text(id)}:{_text(model)}" for id, model in models.items())
    facts = [f"{_text(key)}:{_text(value)}" for key, value in provider.items() if key != "models"]
    return "{" + ",".join([*facts, f'"models":{{\n{lines}\n }}' if lines else '"models":{}']) + "}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def looked_up(config: Json) -> dict[str, Json]:
    """The entries of llms.json's `providers`, by the id under which each is looked up in the catalogue."""
    return {str(entry.get("id") or id): entry for id, entry in (config.get("providers") or {}).items()}


def in_order(models: Json) -> Json:
    """`models` with those first that somebody would want who names none.

    Chat models that can call tools come before others, newer before older, cheaper before dearer.
    """
    return dict(sorted(models.items(), key=lambda each: _rank(each[1])))


def _rank(model: Json) -> tuple[bool, bool, int, float]:
    modalities = model.get("modalities") or {}
    chats = "text" in (modalities.get("output") or ()) and "text" in (modalities.get("input") or ())
    released = str(model.get("release_date") or "").replace("-", "").ljust(8, "0")[:8]
    price = (model.get("cost") or {}).get("output")
    return (
        not (chats and model.get("tool_call")),
        model.get("status") == "deprecated",
        -int(released) if released.isascii() and released.isdigit() else 0,
        price if isinstance(price, int | float) else float("inf"),
    )


# -- laying over ---------------------------------------------------------------------------------------------------


def overlay(providers: Json, extras: Json, *, date: str | None = None) -> Json:
    """`providers` under `extras`: key by key and model by model; providers only `extras` has are kept.

    Every provider and model gets its `id` (its key) and a `name` where it has none. A model whose prices are those of
    `providers` is told `priced_at`, the `date` since when they hold.
    """
    ids = [*providers, *(id for id in extras if id not in providers)]
    return {id: _provider(id, providers.get(id, {}), extras.get(id, {}), date) for id in ids}


def overridden(models: Json, facts: Json) -> Json:
    """`models` with single facts of some replaced by `facts`, which has them by model id.

    A fact is replaced whole, so prices are too, and then hold since nobody knows when. A model that only `facts` has
    is added.
    """
    return {**models, **{id: _laid_over(models.get(id) or {}, more) for id, more in facts.items()}}


def configured(catalog: Json, id: str, entry: Json) -> Json:
    """The provider `id` as it is to be built: the catalogue's facts under those of its entry in llms.json.

    Key by key, so `models` replaces the catalogue's; `override_models` then changes facts of single models.
    """
    merged: Json = {**(catalog.get(entry.get("id") or id) or {}), **entry}
    if facts := merged.pop("override_models", None):
        merged["models"] = overridden(merged.get("models") or {}, facts)
    return merged


def _provider(id: str, known: Json, extra: Json, date: str | None) -> Json:
    models = {name: _named(name, _dated(model, date)) for name, model in known.get("models", {}).items()}
    for name, more in extra.get("models", {}).items():
        models[name] = _named(name, _laid_over(models.get(name, {}), more))
    return {**_named(id, {**known, **extra}), "models": models}


def _dated(model: Json, date: str | None) -> Json:
    return {**model, "priced_at": date} if date and model.get("cost") else model


def _laid_over(model: Json, more: Json) -> Json:
    laid = {**model, **more}
    if "cost" in more and "priced_at" not in more:
        laid.pop("priced_at", None)
    return laid


def _named(id: str, facts: Json) -> Json:
    return facts if "id" in facts and "name" in facts else {"id": id, "name": title(id), **facts}


def title(id: str) -> str:
    """`My Model` for `my-model` and for `maker/my-model`."""
    words = id.rsplit("/", 1)[-1].replace("_", "-").split("-")
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


# -- taking over newer facts ---------------------------------------------------------------------------------------

_ADDRESS = ("api", "npm", "env")  # where a provider's key travels, and which key
_OF_A_PROVIDER = frozenset(("id", "name", "doc", "models", *_ADDRESS))
_OF_A_MODEL = frozenset(  # models.dev's own words: anything else would be a setting, which is not its to make
    (
        *("id", "name", "description", "family", "attachment", "reasoning", "reasoning_options", "tool_call"),
        *("structured_output", "temperature", "knowledge", "release_date", "last_updated", "modalities"),
        *("open_weights", "limit", "cost", "interleaved", "status", "provider"),
    )
)


def taken_over(
    old: Json, fresh: Json, *, wanted: Collection[str], addresses: bool, problem: Any
) -> tuple[Json, list[str]]:
    """The wanted providers as `fresh` tells them, else as `old` does; and a sentence for each that needs a look.

    Facts alone are taken from `fresh`, and nothing else that a provider's entry may say.

    `problem` says what is wrong with one provider of `fresh`, or None. Without `addresses`, nothing that decides where
    a key travels is taken from `fresh`: who can change the catalogue could have keys sent to himself.
    """
    said: list[str] = []
    result: Json = {}
    for id in [*(id for id in fresh if id in wanted), *(id for id in old if id in wanted and id not in fresh)]:
        known, new = old.get(id), fresh.get(id)
        fault = None if new is None else problem(new) or _unprintable(new)
        if fault:
            said.append(f"{id} cannot be used as it comes ({fault}), so it stays as it was.")
        if new is None or fault or (known is None and not addresses):
            if known is not None:
                result[id] = known
            continue
        new = _facts(new)
        if known is not None and not addresses:
            new = _readdressed(new, known)
        elif known is not None:
            said += _moves(id, known, new)
        result[id] = {**new, "models": in_order(new["models"])}
    return result, said


def _facts(provider: Json) -> Json:
    """What a catalogue may tell of a provider and its models."""
    models = {
        id: {key: value for key, value in model.items() if key in _OF_A_MODEL}
        for id, model in (provider.get("models") or {}).items()
        if not _unprintable({id: model})
    }
    return {**{key: value for key, value in provider.items() if key in _OF_A_PROVIDER}, "models": models}


def _moves(id: str, known: Json, new: Json) -> Iterable[str]:
    for key in _ADDRESS:
        if known.get(key) != new.get(key):
            yield f"{id}: `{key}` is now {json.dumps(new.get(key))}, and was {json.dumps(known.get(key))}."


def _readdressed(new: Json, known: Json) -> Json:
    kept = {key: known[key] for key in _ADDRESS if key in known}
    facts = {key: value for key, value in new.items() if key not in _ADDRESS}
    before = known.get("models") or {}
    models = {id: _model_readdressed(model, before.get(id) or {}) for id, model in new.get("models", {}).items()}
    return {**facts, **kept, "models": models}


def _model_readdressed(new: Json, known: Json) -> Json:
    facts = {key: value for key, value in new.items() if key != "provider"}
    return {**facts, "provider": known["provider"]} if "provider" in known else facts


def _unprintable(data: Any) -> str | None:
    """Why `data` could play tricks with a terminal, or None. Models are judged each by itself, descriptions never."""
    if isinstance(data, str):
        return None if data.isprintable() else f"{json.dumps(data[:40])} is no plain text"
    if isinstance(data, list):
        return next(filter(None, map(_unprintable, data)), None)
    if isinstance(data, dict):
        told = ((key, value) for key, value in data.items() if key not in ("models", "description"))
        return next((why for key, value in told if (why := _unprintable(key) or _unprintable(value))), None)
    return None
