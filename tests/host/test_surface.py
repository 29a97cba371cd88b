"""What is read from a class is what its users see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llms.host.surface import Name, names


class Room:
    """A class as ctx is one."""

    # -- facts -------------------------------------------------------------------------------------------------

    size: int
    """How large it is,
    in metres."""

    def __init__(self) -> None:
        self.size = 1

    @property
    def door(self) -> str | None:
        """Where one comes in."""
        return None

    # -- deeds -------------------------------------------------------------------------------------------------

    def paint(self, colour: str = "red", *, twice: bool = False, **more: int) -> None:
        """Paints it."""

    async def clean(self, how: Room = lambda: None) -> None:  # type: ignore[assignment]
        """Cleans it."""

    @asynccontextmanager
    async def lit(self) -> AsyncIterator[int]:
        """With the light on."""
        yield 1

    def _hide(self) -> None: ...


class Attic(Room):
    def climb(self) -> None:
        """Up."""


def found(name: str) -> Name:
    return next(found for found in names(Room) if found.name == name)


def test_public_names_are_found_in_the_order_of_the_code() -> None:
    assert [name.name for name in names(Room)] == ["size", "door", "paint", "clean", "lit"]


def test_what_is_inherited_belongs_to_the_base() -> None:
    assert [name.name for name in names(Attic)] == ["climb"]


def test_an_attribute_has_its_type_and_the_text_below_it() -> None:
    size = found("size")
    assert (size.signature, size.text) == (": int", "How large it is,\nin metres.")


def test_a_property_has_its_type() -> None:
    assert (found("door").signature, found("door").text) == (": str | None", "Where one comes in.")


def test_a_method_is_shown_without_self_and_without_quotes() -> None:
    assert found("paint").signature == "(colour: str = 'red', *, twice: bool = False, **more: int) -> None"


def test_a_default_that_is_a_function_is_not_spelt_out() -> None:
    assert found("clean").signature == "(how: Room = ...) -> None"


def test_it_is_told_how_to_call_what_is_async() -> None:
    assert [found(name).how for name in ("paint", "clean", "lit")] == ["", "async ", "async with "]


def test_each_name_knows_the_comment_it_stands_under() -> None:
    assert [name.section for name in names(Room)] == ["facts", "facts", "deeds", "deeds", "deeds"]
