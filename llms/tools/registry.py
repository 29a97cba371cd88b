"""The tools there are. Everybody may read the three live containers, and extensions also change them themselves."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import ConfigError
from llms.kernel.types import Json
from llms.kernel.undo import Undo
from llms.tools.schema import sanitize_tool_def, tool_definition
from llms.tools.signature import USER, Signature

DEFAULT_GROUP = "custom"
DEEPEST = 128  # levels of a definition, its references replaced
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function that models may call, and whose it is."""

    name: str
    function: Callable[..., Any]
    definition: Json
    group: str = DEFAULT_GROUP
    extension: str = ""

    @property
    def parameters(self) -> Json:
        """The JSON schema of its arguments."""
        parameters = self.definition["function"].get("parameters")  # others may have changed it since
        return parameters if isinstance(parameters, dict) else {}


class Tools:
    """Tools by name. `functions`, `definitions` and `groups` hold the ones in force."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}
        self.definitions: list[Json] = []
        self.groups: dict[str, list[str]] = {}
        self.contextual: list[Any] = []  # objects that offer tools for one user or one turn
        self._registered: dict[str, list[Tool]] = {}  # by name, the one in force last

    def add(
        self,
        func: Callable[..., Any],
        tool_def: Json | None = None,
        group: str | None = None,
        *,
        extension: str = "",
    ) -> Undo:
        """Registers `func`; a tool of the same name is replaced until this one is taken back.

        Without `tool_def` the definition is made from the signature; with one, it is kept and made fit in place.
        Raises ConfigError where any of them is nothing a model could be offered.
        """
        tool = _tool(func, tool_def, group, extension)
        self._registered.setdefault(tool.name, []).append(tool)
        self._show(tool)
        return lambda: self._take_back(tool)

    def get(self, name: Any) -> Tool | None:
        """The tool of this name, also one that was put straight into `functions`."""
        if not isinstance(name, str) or not callable(function := self.functions.get(name)):
            return None
        definition = self.definition(name)
        tool = next(iter(self._registered.get(name, ())[-1:]), None)
        if tool is None or tool.function is not function:
            definition = definition or foreign.call_now(tool_definition, function, extension=foreign.RUNNING.get())
            return Tool(name, function, definition)
        return tool if definition in (None, tool.definition) else replace(tool, definition=definition)

    def definition(self, name: str) -> Json | None:
        """The definition of the tool `name`, as models are given it."""
        return next((definition for definition in self.definitions if _name_of(definition) == name), None)

    def of(self, extension: str) -> list[str]:
        """The names of the tools that `extension` has registered and that are in force."""
        in_force = (registered[-1] for registered in self._registered.values())
        return sorted(tool.name for tool in in_force if tool.extension == extension)

    def selected(self, selector: str | None) -> list[Json]:
        """Copies of the definitions that `selector` names: `all`, `none`, or names with commas between."""
        names = [name.strip() for name in selector.split(",")] if isinstance(selector, str) else []
        offered = ((_name_of(definition) or "", definition) for definition in self.definitions)
        return [
            copy.deepcopy(definition)
            for name, definition in offered
            if ("all" in names or name in names) and callable(self.functions.get(name))
        ]

    def _take_back(self, tool: Tool) -> None:
        registered = self._registered.get(tool.name, [])
        if tool not in registered:
            return
        was_in_force = registered[-1] is tool
        registered.remove(tool)
        before = registered[-1] if registered else None
        current = self.functions.get(tool.name)
        if was_in_force and before is not None and current is tool.function:
            self._show(before)
        elif was_in_force and (current is None or current is tool.function):  # nobody else has put theirs there
            self._hide(tool)
        if before is None:
            del self._registered[tool.name]

    def _show(self, tool: Tool) -> None:
        self.functions[tool.name] = tool.function
        names = [_name_of(definition) for definition in self.definitions]
        at = names.index(tool.name) if tool.name in names else len(names)
        self.definitions[at : at + 1] = [tool.definition]
        self._leave_groups(tool.name, but=tool.group)
        members: Any = self.groups.setdefault(tool.group, [])
        if not isinstance(members, list):
            members = self.groups[tool.group] = []
        if tool.name not in members:
            members.insert(self._place(tool.name, members), tool.name)

    def _hide(self, tool: Tool) -> None:
        self.functions.pop(tool.name, None)
        self.definitions[:] = [other for other in self.definitions if other is not tool.definition]
        self._leave_groups(tool.name)

    def _leave_groups(self, name: str, *, but: str | None = None) -> None:
        groups: list[tuple[str, Any]] = list(self.groups.items())
        for group, members in groups:
            if group != but and isinstance(members, list) and name in members:
                members.remove(name)
                if not members:
                    del self.groups[group]

    def _place(self, name: str, members: list[str]) -> int:
        """Where in its group a tool stands: in the order in which the names were first registered."""
        order = list(self._registered)
        later = order[order.index(name) + 1 :]
        return next((at for at, member in enumerate(members) if member in later), len(members))


def _tool(func: Any, tool_def: Any, group: Any, extension: str) -> Tool:
    if not callable(func):
        raise ConfigError(f"A tool must be a function, not {type(func).__name__}. Pass the function itself.")
    if group is not None and not isinstance(group, str):
        raise ConfigError(f"The group of a tool must be its name as text, not {type(group).__name__}.")
    definition = tool_def
    if definition is None:
        definition = foreign.call_now(tool_definition, func, extension=extension)
    name = _name_of(definition)
    if name is None or not _NAME.fullmatch(name):
        said = "none" if name is None else repr(name[:80])
        raise ConfigError(f"A tool needs a name of letters, digits, _ and -, not {said}. Set tool_def.function.name.")
    _check(definition, name)
    _complete(definition, func)
    return Tool(name, func, definition, group or DEFAULT_GROUP, extension)


def _check(definition: Json, name: str) -> None:
    """Sanitizes `definition`. Raises ConfigError where a provider would refuse every chat for this one."""
    parameters = definition["function"].get("parameters") or {}
    properties = parameters.get("properties", {}) if isinstance(parameters, dict) else None
    if not isinstance(properties, dict) or not all(isinstance(schema, dict | bool) for schema in properties.values()):
        raise ConfigError(f"The parameters of tool '{name}' must be a JSON schema of an object with `properties`.")
    try:
        json.dumps(definition, allow_nan=False, ensure_ascii=False).encode()
        sanitize_tool_def(definition)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"The definition of tool '{name}' must be plain JSON: {error}.") from error
    if not _is_within(DEEPEST, definition):
        raise ConfigError(f"The definition of tool '{name}' is nested deeper than {DEEPEST} levels. Flatten it.")


def _is_within(levels: int, value: Any) -> bool:
    """Whether no more than `levels` are in one another: what is copied and sent at every chat must be."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_within(levels - 1, each) for each in inner)


def _complete(definition: Json, func: Callable[..., Any]) -> None:
    """Adds what providers insist on, and takes out the user, who is never a model's to name."""
    definition.setdefault("type", "function")
    function = definition["function"]
    if function.get("description") is None:
        function.pop("description", None)
    parameters = function["parameters"] = function.get("parameters") or {}
    parameters.setdefault("type", "object")
    properties = parameters.setdefault("properties", {})
    if USER in properties and Signature.of(func).takes_user:
        del properties[USER]
        if isinstance(required := parameters.get("required"), list):
            parameters["required"] = [name for name in required if name != USER]


def _name_of(definition: Any) -> str | None:
    function = definition.get("function") if isinstance(definition, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None
