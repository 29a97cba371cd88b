"""The dict of live providers, edited by extensions, and put right when they go."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from llms.kernel.errors import ConfigError
from llms.kernel.foreign import RUNNING
from llms.providers.live import LiveProviders


@contextmanager
def running(extension: str) -> Iterator[None]:
    """As in a hook of `extension`."""
    before = RUNNING.set(extension)
    try:
        yield
    finally:
        RUNNING.reset(before)


@pytest.fixture
def live() -> LiveProviders:
    """With `a` and `b` configured."""
    live = LiveProviders()
    live.rebuilt({"a": "A", "b": "B"})
    return live


def assign(live: LiveProviders, id: str, provider: Any) -> None:
    live[id] = provider


PUTTING = [
    assign,
    lambda live, id, provider: live.update({id: provider}),
    lambda live, id, provider: live.update([(id, provider)]),
    lambda live, id, provider: live.update(**{id: provider}),
    lambda live, id, provider: live.__ior__({id: provider}),
    lambda live, id, provider: live.register(id, provider),
]
TAKING = [
    lambda live, id: live.pop(id),
    lambda live, id: live.pop(id, None),
    lambda live, id: live.__delitem__(id),
]


@pytest.mark.parametrize("put", [*PUTTING, lambda live, id, provider: live.setdefault(id, provider)])
def test_what_an_extension_put_in_goes_with_it(live: LiveProviders, put: Any) -> None:
    with running("x"):
        put(live, "c", "C")
    assert live == {"a": "A", "b": "B", "c": "C"}
    live.forget("x")
    assert live == {"a": "A", "b": "B"}


@pytest.mark.parametrize("put", PUTTING)
def test_what_an_extension_replaced_stands_again(live: LiveProviders, put: Any) -> None:
    with running("x"):
        put(live, "a", "X")
    assert live == {"a": "X", "b": "B"}
    live.forget("x")
    assert list(live.items()) == [("a", "A"), ("b", "B")]


@pytest.mark.parametrize("take", TAKING)
def test_what_an_extension_took_out_is_there_again(live: LiveProviders, take: Any) -> None:
    with running("x"):
        take(live, "a")
    assert live == {"b": "B"}
    live.forget("x")
    assert live == {"a": "A", "b": "B"}


def test_what_an_extension_emptied_is_full_again(live: LiveProviders) -> None:
    with running("x"):
        live.clear()
        live["c"] = "C"
    assert live == {"c": "C"}
    live.forget("x")
    assert live == {"a": "A", "b": "B"}


def test_an_extension_may_take_out_what_it_put_in(live: LiveProviders) -> None:
    with running("x"):
        live["c"] = "C"
        del live["c"]
        live["a"] = "X"
        assert live.popitem() == ("b", "B")
        assert live.pop("a") == "X"
    assert live == {}
    live.forget("x")
    assert live == {"a": "A", "b": "B"}


def test_only_the_last_thing_it_did_counts(live: LiveProviders) -> None:
    with running("x"):
        for provider in range(1000):
            live["a"] = provider
    assert live["a"] == 999
    live.forget("x")
    assert live["a"] == "A"


@pytest.mark.parametrize("order", [("x", "y"), ("y", "x")])
def test_extensions_that_replace_each_other_go_in_any_order(live: LiveProviders, order: tuple[str, str]) -> None:
    with running("x"):
        live["a"] = "X"
    with running("y"):
        live["a"] = "Y"
    live.forget(order[0])
    assert live["a"] == {"x": "Y", "y": "X"}[order[0]]
    live.forget(order[1])
    assert live["a"] == "A"


def test_what_nobody_put_in_nobody_takes_away(live: LiveProviders) -> None:
    live["c"] = "C"
    live["a"] = "core"
    live.forget("")
    live.forget("x")
    assert live == {"a": "core", "b": "B", "c": "C"}


def test_what_we_put_over_an_extension_stays_when_it_goes(live: LiveProviders) -> None:
    with running("x"):
        live["a"] = "X"
    live["a"] = "core"
    live.forget("x")
    assert live["a"] == "core"


def test_what_we_take_out_does_not_come_back(live: LiveProviders) -> None:
    with running("x"):
        live["a"] = "X"
    del live["a"]
    live.forget("x")
    assert live == {"b": "B"}


# -- registered ------------------------------------------------------------------------------------------------


def test_a_registration_is_taken_back_once(live: LiveProviders) -> None:
    undo = live.register("c", "C")
    undo()
    assert "c" not in live
    live["c"] = "other"
    undo()
    assert live["c"] == "other"


def test_registrations_are_taken_back_in_any_order(live: LiveProviders) -> None:
    with running("x"):
        first, second = live.register("a", "1"), live.register("a", "2")
    first()
    assert live["a"] == "2"
    second()
    assert live["a"] == "A"


def test_what_replaced_a_registration_outlives_it(live: LiveProviders) -> None:
    with running("x"):
        undo = live.register("a", "X")
        live["a"] = "newer"
    undo()
    assert live["a"] == "newer"


def test_an_extension_that_is_forgotten_has_no_registrations_left(live: LiveProviders) -> None:
    with running("x"):
        undo = live.register("a", "X")
    live.forget("x")
    undo()
    assert live == {"a": "A", "b": "B"}


# -- built anew ------------------------------------------------------------------------------------------------


def test_what_extensions_put_in_survives_a_rebuild_and_still_goes_with_them(live: LiveProviders) -> None:
    with running("x"):
        live["c"] = "C"
    with running("configuration"):
        live.rebuilt({"b": "B2"}, instead_of=["a", "b"])
    assert list(live.items()) == [("b", "B2"), ("c", "C")]
    live.forget("configuration")
    live.forget("x")
    assert live == {"b": "B2"}


def test_a_rebuild_takes_the_place_of_what_was_put_over_the_configured(live: LiveProviders) -> None:
    with running("x"):
        live["a"] = "X"
        del live["b"]
    live.rebuilt({"a": "A2", "b": "B2"}, instead_of=["a", "b"])
    assert live == {"a": "A2", "b": "B2"}
    live.forget("x")
    assert live == {"a": "A2", "b": "B2"}


# -- as a dict -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [None, "", 1, ("a",)])
def test_an_id_is_a_text(live: LiveProviders, id: Any) -> None:
    with pytest.raises(ConfigError, match="cannot be the id of a provider"):
        live[id] = "X"
    assert live == {"a": "A", "b": "B"}


def test_it_raises_as_a_dict_does(live: LiveProviders) -> None:
    for take in TAKING:
        if take is not TAKING[1]:
            with pytest.raises(KeyError):
                take(live, "nobody")  # type: ignore[no-untyped-call]
    live.clear()
    with pytest.raises(KeyError):
        live.popitem()


def test_it_reads_as_a_dict_does(live: LiveProviders) -> None:
    assert live.setdefault("a", "X") == "A"
    assert live.pop("nobody", 5) == 5
    assert {**live} == live.copy() == copy.copy(live) == (live | {}) == {"a": "A", "b": "B"}
    assert isinstance(live, dict)


def test_a_copy_is_no_way_in(live: LiveProviders) -> None:
    copied = copy.copy(live)
    copied["c"] = "C"
    assert "c" not in live


def test_whoever_is_put_in_is_made_welcome() -> None:
    welcomed: list[Any] = []
    live = LiveProviders(welcomed.append)
    live["a"] = "A"
    live.update(b="B")
    live.register("c", "C")
    del live["a"]
    assert welcomed == ["A", "B", "C"]
