"""The models one provider offers, and every name a caller may use for them."""

import re

from llms.kernel.types import Model


class ModelTable:
    """Names to models. A lookup ignores case and costs one dictionary access however many models there are.

    What wins where two models share a name (the first in this list does): a key of `map_models`; a value of it;
    a key of `models` or an id; a display name; the part of an id after its last `/`.
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
        self._keys: dict[str, str] = {}  # lower-cased name -> key in `offered`
        self._indexed: object = None  # how `offered` looked when it was indexed: extensions add and remove some

    def upstream(self, model: str) -> str | None:
        """The provider's own id for `model`, or None if it is not offered here."""
        key = self._key(model)
        return None if key is None else self._own_id(key)

    def facts(self, model: str) -> Model | None:
        """What is known of `model`, or None if it is not offered here."""
        key = self._key(model)
        return None if key is None else self.offered[key]

    def _key(self, model: str) -> str | None:
        """The key in `offered` of the model somebody calls `model`; after the whole name, parts of it count."""
        name = model.lower()
        key = self._named(name)
        if key is None and "/" in name:
            without_provider, last_segment = name.partition("/")[2], name.rpartition("/")[2]
            key = self._named(without_provider) or self._named(last_segment)
        return key

    def _named(self, name: str) -> str | None:
        key = self._keys.get(name)
        if self._looks() != self._indexed or (key is not None and key not in self.offered):
            self._index()
            key = self._keys.get(name)
        return key

    def _index(self) -> None:
        """Made when it is first needed: most providers have no key, and are never asked."""
        offered = self.offered
        self._keys, self._indexed = {}, self._looks()
        ids = {key: self._own_id(key) for key in offered}
        names: list[tuple[str, str]] = [(key, key) for key in self._mapped if key in offered]
        names += [(own, key) for key, own in self._mapped.items() if key in offered]
        names += [(name, key) for key, own in ids.items() for name in (key, own)]
        names += [(model.get("name") or key, key) for key, model in offered.items()]
        names += [(own.rpartition("/")[2], key) for key, own in ids.items()]
        for name, key in names:
            if name:
                self._keys.setdefault(name.lower(), key)

    def _looks(self) -> tuple[int, str | None]:
        """Differs once a model was added, or some were removed."""
        return len(self.offered), next(reversed(self.offered), None)

    def _own_id(self, key: str) -> str:
        return self._mapped.get(key) or self.offered[key].get("id") or key


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
