"""The models one provider offers, and every name a caller may use for them."""

import re

from llms.kernel.types import Model


class ModelTable:
    """Names to models. A lookup ignores case and costs one dictionary access however many models there are.

    What wins where two models share a name (the first in this list does): a key of `map_models`; a value of it;
    an id; a display name; the part of an id after its last `/`.
    """

    def __init__(
        self,
        models: dict[str, Model],
        *,
        map_models: dict[str, str] | None = None,
        include: str | None = None,
        exclude: str | None = None,
    ) -> None:
        self._mapped = map_models or {}
        self.offered = _offered(models, self._mapped, include, exclude)
        self._upstream: dict[str, str] = {}  # lower-cased name -> the provider's own model id
        self._facts: dict[str, Model] = {}  # the provider's own model id -> what is known of it
        self._indexed = -1  # how many of `offered` can be looked up: extensions add and remove some
        self._index()

    def _index(self) -> None:
        mapped = self._mapped
        self._upstream.clear()
        self._indexed = len(self.offered)
        ids = {key: mapped.get(key) or model.get("id") or key for key, model in self.offered.items()}
        self._facts = {ids[key]: model for key, model in self.offered.items()}
        names: list[tuple[str, str]] = [(key, value) for key, value in mapped.items() if key in self.offered]
        names += [(value, value) for key, value in mapped.items() if key in self.offered]
        names += [(name, ids[key]) for key, model in self.offered.items() for name in (key, model.get("id") or key)]
        names += [(model.get("name") or key, ids[key]) for key, model in self.offered.items()]
        names += [(ids[key].rpartition("/")[2], ids[key]) for key in self.offered]
        for name, upstream in names:
            self._upstream.setdefault(name.lower(), upstream)

    def upstream(self, model: str) -> str | None:
        """The provider's own id for `model`, or None if it is not offered here."""
        if len(self.offered) != self._indexed:
            self._index()
        name = model.lower()
        found = self._upstream.get(name)
        if found is None and "/" in name:
            without_provider, last_segment = name.partition("/")[2], name.rpartition("/")[2]
            found = self._upstream.get(without_provider) or self._upstream.get(last_segment)
        return found

    def facts(self, model: str) -> Model | None:
        """What is known of `model`, or None if it is not offered here."""
        upstream = self.upstream(model)
        return None if upstream is None else self._facts.get(upstream)


def _offered(
    models: dict[str, Model], mapped: dict[str, str], include: str | None, exclude: str | None
) -> dict[str, Model]:
    if mapped:
        chosen = {public: _find(models, own, public) for public, own in mapped.items()}
    else:
        chosen = {key: _named(model, key) for key, model in models.items()}
    return {
        key: model
        for key, model in chosen.items()
        if (not include or re.search(include, key)) and not (exclude and re.search(exclude, key))
    }


def _find(models: dict[str, Model], own: str, public: str) -> Model:
    known: Model = models.get(own) or models.get(public) or {"name": public}
    found = known.copy()
    found["id"] = own
    return _named(found, own)


def _named(model: Model, key: str) -> Model:
    if model.get("id") and model.get("name"):
        return model
    named = model.copy()
    named.setdefault("id", key)
    named.setdefault("name", key)
    return named
