"""Every heading and every table row of the guide stands for something that is there, under the printed names."""

import inspect
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from llms.main import ExtensionContext

from . import seed

METHODS = MappingProxyType(
    {
        "log": "message",
        "log_json": "obj",
        "dbg": "message",
        "err": "message e",
        "add_get": "path handler kwargs",
        "add_post": "path handler kwargs",
        "add_put": "path handler kwargs",
        "add_delete": "path handler kwargs",
        "add_patch": "path handler kwargs",
        "add_static_files": "ext_dir",
        "web_path": "method path",
        "register_chat_request_filter": "handler",
        "register_chat_tool_filter": "handler",
        "register_chat_response_filter": "handler",
        "register_chat_error_filter": "handler",
        "register_cache_saved_filter": "handler",
        "register_shutdown_handler": "handler",
        "register_tool": "func tool_def group",
        "get_tool_definition": "name",
        "sanitize_tool_def": "tool_def",
        "exec_tool": "name args",
        "tool_result": "result function_name function_args",
        "tool_result_part": "result function_name function_args",
        "to_content": "result",
        "chat_request": "template text model system_prompt",
        "chat_completion": "chat context",
        "create_chat_with_tools": "chat use_tools",
        "chat_to_prompt": "chat",
        "chat_to_system_prompt": "chat",
        "last_user_prompt": "chat",
        "chat_response_to_message": "response",
        "chat_to_aspect_ratio": "chat",
        "text_from_file": "path",
        "json_from_file": "path",
        "download_file": "url",
        "session_download_file": "session url",
        "read_binary_file": "url",
        "get_cache_path": "path",
        "save_image_to_cache": "base64_data filename image_info ignore_info",
        "save_bytes_to_cache": "bytes_data filename file_info",
        "cache_message_inline_data": "message",
        "get_providers": "",
        "get_provider": "name",
        "add_provider": "provider",
        "check_auth": "request",
        "get_session": "request",
        "get_username": "request",
        "get_user_path": "username",
        "context_to_username": "context",
        "get_config": "",
        "get_file_mime_type": "filename",
        "to_file_info": "chat info response",
        "group_resources": "resources",
        "should_cancel_thread": "context",
        "error_message": "e",
        "error_response": "e stacktrace",
        "register_ui_extension": "index",
        "add_importmaps": "dict",
        "add_index_header": "html",
        "add_index_footer": "html",
    }
)
# The guide lists the two downloads as plain functions, but to wait for them is the only way they can be used.
ASYNC = frozenset({"exec_tool", "chat_completion", "download_file", "session_download_file"})
PROPERTIES = (
    *("app", "cli_args", "extra_args", "error_auth_required", "path", "name", "ext_prefix", "debug", "verbose"),
    *("aspect_ratios", "request_args", "disabled"),
)
APP_PROPERTIES = (
    *("cli_args", "extra_args", "config", "auth_enabled", "ui_extensions", "tools", "tool_definitions"),
    *("tool_groups", "all_providers", "import_maps", "index_headers", "index_footers", "aspect_ratios", "request_args"),
)
HOOKS = ("__parser__", "__install__", "__load__", "__run__")


# -- what is printed here is what the guide prints ---------------------------------------------------------------


@seed.here
def test_the_methods_here_are_all_that_the_guide_has() -> None:
    printed = {_unstuck(heading.name): " ".join(heading.parameters) for heading in seed.headings()}
    assert printed == METHODS


@seed.here
def test_the_guide_says_async_of_none_that_is_not() -> None:
    assert {_unstuck(heading.name) for heading in seed.headings() if heading.is_async} <= ASYNC


@seed.here
def test_the_properties_here_are_all_that_the_guide_has() -> None:
    context = seed.chapter("The ExtensionContext class is", "Logging Methods")
    app = seed.chapter("The AppExtensions class manages", "Default Request Arguments")
    hooks = seed.chapter("| Hook | Purpose |", "How it Works (UI)")
    assert tuple(seed.rows(context)) == PROPERTIES
    assert tuple(seed.rows(app)) == APP_PROPERTIES
    assert tuple(seed.rows(hooks)) == HOOKS


@seed.here
@pytest.mark.parametrize("call", sorted(set(seed.calls())) if seed.GUIDE.is_file() else [])
def test_every_call_in_a_sample_of_the_guide_is_made_in_a_test(call: str) -> None:
    here = Path(__file__).parent
    sources = [path.read_text("utf-8") for folder in (here, here.parent / "samples") for path in _sources(folder)]
    assert any(call in source for source in sources)


def _sources(folder: Path) -> list[Path]:
    return [path for kind in ("*.py", "*.mjs") for path in folder.rglob(kind)]


def _unstuck(name: str) -> str:
    """`name` without the end of the sample before it, which the guide's text has glued to it."""
    return max((known for known in METHODS if name.endswith(known)), key=len, default=name)


# -- and it is there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "printed"), METHODS.items())
def test_a_method_takes_what_the_guide_prints_and_the_rest_can_be_left_out(name: str, printed: str) -> None:
    _, *parameters = inspect.signature(getattr(ExtensionContext, name)).parameters.values()
    expected = [parameter for parameter in printed.split() if parameter != "kwargs"]
    assert [parameter.name for parameter in parameters][: len(expected)] == expected
    more = parameters[len(expected) :]
    assert [p.name for p in more if p.default is p.empty and p.kind is not p.VAR_KEYWORD] == []
    assert any(p.kind is p.VAR_KEYWORD for p in more) is ("kwargs" in printed)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_a_coroutine_where_it_has_to_be(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(ExtensionContext, name)) is (name in ASYNC)


def test_ctx_app_has_the_methods_too(ctx: Any) -> None:
    assert [name for name in METHODS if not callable(getattr(ctx.app, name, None))] == []


def test_ctx_and_ctx_app_have_the_properties(ctx: Any) -> None:
    assert [name for name in PROPERTIES if callable(getattr(ctx, name))] == []
    assert [name for name in APP_PROPERTIES if callable(getattr(ctx.app, name))] == []
