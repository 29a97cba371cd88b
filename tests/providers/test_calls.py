"""The tool calls of a stream are told apart."""

from typing import Any

from llms.providers.calls import CallPlaces


def told(*pieces: Any) -> list[tuple[Any, Any]]:
    places = CallPlaces()
    for piece in pieces:
        places.tell({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]})
    return [(piece.get("index"), piece.get("id")) for piece in pieces]


def test_what_is_told_well_stays() -> None:
    chunk: Any = {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}}]}
    assert not CallPlaces().tell(chunk)


def test_calls_at_one_place_are_given_their_own() -> None:
    pieces = [{"index": 0, "id": id, "function": {"name": "f"}} for id in ("a", "b")]
    assert told(*pieces, {"index": 0, "function": {"arguments": "{}"}}) == [(0, "a"), (1, "b"), (1, None)]


def test_pieces_without_a_place_go_on_with_the_last_call_or_that_of_their_id() -> None:
    begun = [{"id": id, "function": {"name": "f"}} for id in ("a", "b")]
    assert told(*begun, {"function": {}}, {"id": "a", "function": {"name": "f"}}) == [
        (0, "a"),
        (1, "b"),
        (1, None),
        (0, "a"),
    ]


def test_a_name_repeated_with_every_piece_begins_no_other_call() -> None:
    (_, first), *more = told(*({"index": 0, "function": {"name": "f", "arguments": "x"}} for _ in range(3)))
    assert first.startswith("call_")
    assert more == [(0, None), (0, None)]
