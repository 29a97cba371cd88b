"""What functions that we did not write take."""

import inspect
from collections.abc import Callable
from typing import Any


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether `function` can be called with a keyword argument `name`. False where that cannot be told."""
    return name in accepted(function, {name: None})


def accepted(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Those of `arguments` that `function` can be called with. None where that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return arguments
    named = {name for name, each in parameters.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    return {name: value for name, value in arguments.items() if name in named}


async def settled(result: Any) -> Any:
    """`result`, awaited where a function that may be sync or async turned out to be async."""
    return await result if inspect.isawaitable(result) else result
