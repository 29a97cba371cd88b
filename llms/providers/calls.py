"""The tool calls of a stream told apart. No I/O."""

import uuid
from collections import defaultdict
from typing import cast

from llms.kernel.types import Chunk, Json


class CallPlaces:
    """Gives each tool call of one stream an `index` and an id of its own, by which clients put its pieces together.

    Some vendors leave the index out, give all calls the same, or give no id.
    """

    def __init__(self) -> None:
        self._calls: defaultdict[int, list[_Call]] = defaultdict(list)  # by choice, in the order they began

    def tell(self, chunk: Chunk) -> bool:
        """Corrects one chunk in place. True if anything was changed."""
        changed = False
        for choice in chunk.get("choices") or ():
            calls = self._calls[choice.get("index") or 0]
            for piece in cast(Json, choice.get("delta") or {}).get("tool_calls") or ():
                changed |= _place(piece, calls)
        return changed


class _Call:
    __slots__ = ("id", "index")

    def __init__(self, index: int | None, id: str | None) -> None:
        self.index, self.id = index, id  # as the vendor tells them


def _place(piece: Json, calls: list[_Call]) -> bool:
    index, id = piece.get("index"), piece.get("id") or None
    begins = bool((piece.get("function") or {}).get("name"))
    given: Json = {}
    place = _found(calls, index, id, begins=begins)
    if place is None:
        place = len(calls)
        calls.append(_Call(index, id))
        if id is None:
            given["id"] = f"call_{uuid.uuid4().hex[:24]}"
    if index != place:
        given["index"] = place
    piece.update(given)
    return bool(given)


def _found(calls: list[_Call], index: int | None, id: str | None, *, begins: bool) -> int | None:
    """Which of `calls` a piece goes on with; None where it begins another."""
    places = reversed(range(len(calls)))
    if index is None and id is None:
        return None if begins else next(places, None)
    if index is None:
        return next((place for place in places if calls[place].id == id), None)
    found = next((place for place in places if calls[place].index == index), None)
    is_another = found is not None and begins and id is not None and calls[found].id not in (None, id)
    return None if is_another else found
