"""The definition of a tool, as models are given it, from a function or from what an extension wrote."""

from collections.abc import Callable
from inspect import isroutine
from typing import Any

from llms.kernel.types import Json
from llms.tools.annotations import object_schema
from llms.tools.fields import NO_DEFAULT, Field
from llms.tools.references import inline
from llms.tools.signature import Signature, bare


def tool_definition(func: Callable[..., Any]) -> Json:
    """The definition of `func`: its name, its docstring, and a JSON schema of what it can be given."""
    inner: Any = bare(func)
    doc = _doc(inner)
    fields = [
        Field(name, parameter.annotation, parameter.default, parameter.default is NO_DEFAULT)
        for name, parameter in Signature.of(func).parameters.items()
    ]
    return {
        "type": "function",
        "function": {
            "name": getattr(inner, "__name__", type(inner).__name__),
            "description": doc,
            "parameters": object_schema(fields, doc),
        },
    }


def sanitize_tool_def(tool_def: Json) -> Json:
    """`tool_def`, changed in place: no `$ref` is left in its parameters, and no `$defs`."""
    function = tool_def.get("function")
    parameters = function.get("parameters") if isinstance(function, dict) else None
    if isinstance(parameters, dict):
        inline(parameters)
    return tool_def


def _doc(function: Any) -> str:
    """The docstring of a function or class; of another object, that of its `__call__` or of its class."""
    if isroutine(function) or isinstance(function, type):
        return (function.__doc__ or "").strip()
    return (type(function).__call__.__doc__ or type(function).__doc__ or "").strip()
