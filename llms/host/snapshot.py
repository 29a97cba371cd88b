"""What somebody changed in shared containers without saying so."""

from collections.abc import Sequence
from typing import Any

from llms.tools.registry import Tools

Containers = Sequence[dict[Any, Any] | list[Any]]


class Snapshot:
    """The state of some dicts and lists, and of the tools, to be compared with a later one.

    `others` are the snapshots that count already: one that is taken back tells those what was there before it.
    """

    def __init__(self, containers: Containers, tools: Tools, others: "list[Snapshot]") -> None:
        self._containers = [*containers, tools.functions, tools.contextual]
        self._before = [container.copy() for container in self._containers]
        self._after = self._before
        self._tools, self._others = tools, others
        self._definitions = list(tools.definitions)

    def close(self) -> None:
        """Notes the state now: whatever changed since the beginning is taken back by `undo`."""
        self._after = [container.copy() for container in self._containers]
        known = _identities(self._definitions)
        self._definitions = [found for found in self._tools.definitions if id(found) not in known]
        self._others.append(self)

    def undo(self) -> None:
        """Takes back what was added or replaced between the two states, where it still stands."""
        if not any(other is self for other in self._others):
            return
        self._others[:] = [other for other in self._others if other is not self]
        for container, before, after in zip(self._containers, self._before, self._after, strict=True):
            if isinstance(container, dict) and isinstance(before, dict) and isinstance(after, dict):
                _restore_dict(container, before, after)
            elif isinstance(container, list):
                _restore_list(container, list(before), list(after))
        self._leave_tools()
        for other in self._others:
            other._rebase(self)

    def _leave_tools(self) -> None:
        """Takes out definitions that were added, and from the groups whatever is no tool any more."""
        tools, added = self._tools, _identities(self._definitions)
        tools.definitions[:] = [found for found in tools.definitions if id(found) not in added]
        gone = set(self._after[-2]) - tools.functions.keys()
        for group, members in list(tools.groups.items()):
            members[:] = [name for name in members if name not in gone]
            if not members:
                del tools.groups[group]

    def _rebase(self, gone: "Snapshot") -> None:
        """Where `gone` had put what this one found there, this one shall bring back what that had found."""
        for mine, before, after in zip(self._before, gone._before, gone._after, strict=True):
            if isinstance(mine, dict) and isinstance(before, dict) and isinstance(after, dict):
                for key in before.keys() | after.keys():
                    found, put = before.get(key, _NOTHING), after.get(key, _NOTHING)
                    if put is not found and mine.get(key, _NOTHING) is put:
                        _put(mine, key, found)


def _put(entries: dict[Any, Any], key: Any, value: Any) -> None:
    if value is _NOTHING:
        entries.pop(key, None)
    else:
        entries[key] = value


def _restore_dict(now: dict[Any, Any], before: dict[Any, Any], after: dict[Any, Any]) -> None:
    for key in before.keys() | after.keys():
        changed = after.get(key, _NOTHING) is not before.get(key, _NOTHING)
        if not changed or now.get(key, _NOTHING) is not after.get(key, _NOTHING):
            continue
        _put(now, key, before.get(key, _NOTHING))


def _restore_list(now: list[Any], before: list[Any], after: list[Any]) -> None:
    """The entries of `before`, but for those that somebody took out since, then what others have added."""
    old, new, current = _identities(before), _identities(after), _identities(now)
    if old == new:
        return
    kept = [entry for entry in before if id(entry) in current or id(entry) not in new]
    now[:] = kept + [entry for entry in now if id(entry) not in old | new]


def _identities(entries: list[Any]) -> set[int]:
    return {id(entry) for entry in entries}


_NOTHING = object()
