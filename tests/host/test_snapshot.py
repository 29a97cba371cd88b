"""What was changed without saying so is taken back, and nothing else."""

from llms.host.snapshot import Snapshot
from llms.tools.registry import Tools


def test_added_and_replaced_entries_of_a_dict_are_taken_back() -> None:
    shared = {"a": "old", "b": "kept"}
    snapshot = Snapshot([shared], Tools(), [])
    shared |= {"a": "new", "c": "added"}
    snapshot.close()
    shared["d"] = "of somebody else"
    snapshot.undo()
    snapshot.undo()
    assert shared == {"a": "old", "b": "kept", "d": "of somebody else"}


def test_what_others_have_put_over_it_stays() -> None:
    shared = {"a": "old"}
    snapshot = Snapshot([shared], Tools(), [])
    shared["a"] = "new"
    snapshot.close()
    shared["a"] = "newest"
    snapshot.undo()
    assert shared == {"a": "newest"}


def test_added_entries_of_a_list_are_taken_back() -> None:
    shared: list[object] = [first := object()]
    snapshot = Snapshot([shared], Tools(), [])
    shared.append(object())
    snapshot.close()
    shared.append(last := object())
    snapshot.undo()
    assert shared == [first, last]


def test_an_entry_that_was_taken_out_comes_back() -> None:
    shared = {"a": "old"}
    snapshot = Snapshot([shared], Tools(), [])
    del shared["a"]
    snapshot.close()
    snapshot.undo()
    assert shared == {"a": "old"}


def test_a_cleared_list_comes_back_in_order() -> None:
    shared = ["a", "b", "c"]
    snapshot = Snapshot([shared], Tools(), [])
    shared.clear()
    snapshot.close()
    snapshot.undo()
    assert shared == ["a", "b", "c"]


def test_what_one_has_replaced_twice_over_comes_back_in_whatever_order_they_go() -> None:
    for first in (0, 1):
        shared, others = {"a": "old"}, list[Snapshot]()
        snapshots = []
        for value in ("one", "two"):
            snapshots.append(Snapshot([shared], Tools(), others))
            shared |= {"a": value, "b": value}
            snapshots[-1].close()
        snapshots[first].undo()
        assert shared == ({"a": "two", "b": "two"} if first == 0 else {"a": "one", "b": "one"})
        snapshots[1 - first].undo()
        assert shared == {"a": "old"}
