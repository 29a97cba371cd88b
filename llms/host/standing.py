"""What stands in the containers that extensions may edit themselves, so that no one takes out what others put in."""

from collections.abc import Mapping
from typing import Any

from llms.host.snapshot import Containers
from llms.tools.registry import Tools


class Standing:
    """Notes what stands, and brings back what was taken out since. Replacing an entry is everybody's right.

    `renew` it after every change that is in order.
    """

    def __init__(self, containers: Containers, tools: Tools) -> None:
        self._containers, self._tools = containers, tools
        self.renew()

    def renew(self) -> None:
        """From now on counts what stands now."""
        tools = self._tools
        self._before = [container.copy() for container in self._containers]
        self._functions, self._definitions = dict(tools.functions), list(tools.definitions)
        self._groups = {group: list(members) for group, members in tools.groups.items()}

    def put_back(self) -> bool:
        """Brings back what is missing; whether anything was."""
        found = [_put_back(now, before) for now, before in zip(self._containers, self._before, strict=True)]
        return any([*found, self._put_back_tools()])

    def _put_back_tools(self) -> bool:
        tools = self._tools
        lost = _put_back(tools.functions, self._functions)
        known = {_name(definition) for definition in tools.definitions}
        definitions = [each for each in self._definitions if _name(each) not in known]
        tools.definitions += definitions
        grouped = {name for members in tools.groups.values() for name in members}
        for group, members in self._groups.items():
            ungrouped = [name for name in members if name not in grouped]
            if ungrouped:
                tools.groups.setdefault(group, []).extend(ungrouped)
                lost = True
        return lost or bool(definitions)


def _put_back(now: Any, before: Any) -> bool:
    """Of a list only what makes it shorter is missed: an entry may have been replaced."""
    if isinstance(before, dict):
        missing = {key: value for key, value in before.items() if key not in now}
        now.update(missing)
        return bool(missing)
    if len(now) >= len(before):
        return False
    standing = {id(entry) for entry in before}
    now[:] = [*before, *(entry for entry in now if id(entry) not in standing)]
    return True


def _name(definition: Any) -> Any:
    function = definition.get("function") if isinstance(definition, Mapping) else None
    return function.get("name") if isinstance(function, Mapping) else None
