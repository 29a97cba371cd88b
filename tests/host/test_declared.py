"""Decorators leave a note; the host registers what is noted."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llms.host.declared import ext, register_declared
from llms.kernel.errors import ConfigError
from llms.testing import make_app


class Ctx:
    """Writes down what is registered."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: self.calls.append((name, args, options))


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("declaring")
    sys.modules["declaring"] = made
    yield made
    del sys.modules["declaring"]


def of(module: ModuleType, function: Any) -> Any:
    function.__module__ = module.__name__
    setattr(module, function.__name__, function)
    return function


def registered(module: ModuleType) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    ctx: Any = Ctx()
    register_declared(ctx, [module])
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = ctx.calls
    return calls


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_a_route_is_registered_with_its_method(module: ModuleType, method: str) -> None:
    function = of(module, getattr(ext, method)("hello", public=True)(lambda request: request))
    assert registered(module) == [(f"add_{method}", ("hello", function), {"public": True})]


def test_a_tool_needs_no_parentheses(module: ModuleType) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    def sub(a: int, b: int) -> int:
        return a - b

    of(module, ext.tool(add))
    of(module, ext.tool(group="maths")(sub))
    assert registered(module) == [
        ("register_tool", (add,), {"tool_def": None, "group": None}),
        ("register_tool", (sub,), {"tool_def": None, "group": "maths"}),
    ]
    assert add(1, 2) == 3


@pytest.mark.parametrize(
    ("hook", "method"),
    [
        ("chat_request", "register_chat_request_filter"),
        ("tool_call", "register_tool_call_filter"),
        ("startup", "register_startup_handler"),
        ("settings", "register_settings_handler"),
    ],
)
def test_a_filter_is_registered_with_its_hook(module: ModuleType, hook: str, method: str) -> None:
    function = of(module, ext.filter(hook)(lambda: None))
    assert registered(module) == [(method, (function,), {})]


def test_a_hook_that_does_not_exist_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match="no hook 'chat_requst'"):
        ext.filter("chat_requst")


def test_a_schedule_is_registered(module: ModuleType) -> None:
    function = of(module, ext.schedule(every=60, at_once=True)(lambda: None))
    assert registered(module) == [("schedule", (function,), {"every": 60, "at_once": True})]


def test_one_function_may_have_several_notes(module: ModuleType) -> None:
    function = of(module, ext.get("a")(ext.post("b")(lambda request: request)))
    assert [call[0] for call in registered(module)] == ["add_post", "add_get"]
    assert all(call[1][1] is function for call in registered(module))


def test_what_is_imported_from_elsewhere_is_registered_there(module: ModuleType) -> None:
    def other() -> None: ...

    module.other = ext.get("a")(other)  # type: ignore[attr-defined]
    assert registered(module) == []


def test_a_function_that_asks_for_ctx_is_given_it(module: ModuleType) -> None:
    of(module, ext.get("hello")(lambda request, ctx: (request, ctx)))
    ctx: Any = Ctx()
    register_declared(ctx, [module])
    ((_, (_path, handler), _options),) = ctx.calls
    assert handler("request") == ("request", ctx)


async def test_declared_functions_work_in_a_real_server(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "__init__.py").write_text("from . import routes\n")
    (tmp_path / "demo" / "routes.py").write_text(
        "from llms.api import ext\n\n"
        "@ext.get('hello')\nasync def hello(request, ctx):\n    return {'from': ctx.name}\n\n"
        "@ext.tool(group='maths')\ndef add(a: int, ctx, b: int = 2) -> int:\n    '''Adds.'''\n    return a + b\n"
    )
    async with make_app(tmp_path / "demo") as server:
        assert (await server.get("/ext/demo/hello")).body == {"from": "demo"}
        definition = server.app.tools.definition("add")
        assert definition is not None
        assert list(definition["function"]["parameters"]["properties"]) == ["a", "b"]
        assert await server.app.executor.run("add", {"a": 1}) == ("3", [])
