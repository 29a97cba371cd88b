"""The provider catalogue: facts in the shape of models.dev, and what the user adds to them."""

from llms.kernel.types import Json


def overlay(providers: Json, extras: Json) -> Json:
    """`providers` under `extras`: key by key and model by model; providers only `extras` has are kept.

    Every provider and model gets its `id` (its key) and a `name` where it has none.
    """
    ids = [*providers, *(id for id in extras if id not in providers)]
    return {id: _provider(id, providers.get(id, {}), extras.get(id, {})) for id in ids}


def _provider(id: str, known: Json, extra: Json) -> Json:
    models, more = known.get("models", {}), extra.get("models", {})
    names = [*models, *(name for name in more if name not in models)]
    return {
        **_named(id, {**known, **extra}),
        "models": {name: _named(name, {**models.get(name, {}), **more.get(name, {})}) for name in names},
    }


def _named(id: str, facts: Json) -> Json:
    return {"id": id, "name": title(id), **facts}


def title(id: str) -> str:
    """`My Model` for `my-model` and for `maker/my-model`."""
    words = id.rsplit("/", 1)[-1].replace("_", "-").split("-")
    return " ".join(word[:1].upper() + word[1:] for word in words if word)
