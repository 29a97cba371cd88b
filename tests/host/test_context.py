"""What an extension is given: `ctx`."""

import logging
from typing import Any

import msgspec
import pytest

from llms.app import App
from llms.host.context import ExtensionContext
from llms.kernel.errors import ModelNotFound, NotFound
from llms.kernel.limits import Limits
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeProvider

from .conftest import Install


@pytest.fixture
async def ctx(installed: Install) -> ExtensionContext:
    context = (await installed(mine={})).context("mine")
    assert context is not None
    return context


class Custom(OpenAiCompatible):
    sdk = "custom"


# -- settings and logging --------------------------------------------------------------------------------------


def test_the_configuration_is_the_one_in_use(ctx: ExtensionContext, app: App) -> None:
    assert ctx.get_config() is app.config.data


def test_home_and_limits_are_those_of_the_app(ctx: ExtensionContext, app: App) -> None:
    assert ctx.home == app.home
    assert msgspec.convert(ctx.limits, Limits) == app.config.limits


def test_debug_and_verbose_are_those_of_the_app(ctx: ExtensionContext, app: App) -> None:
    app.verbose = True
    assert (ctx.debug, ctx.verbose) == (False, True)


def test_log_gives_back_what_it_logs(ctx: ExtensionContext, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    message = ["%s", 5]
    assert ctx.log(message) is message
    assert caplog.record_tuples == [("llms.ext.mine", logging.INFO, "['%s', 5]")]


def test_log_json_gives_back_what_it_logs(ctx: ExtensionContext, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    data = {"a": 1, "when": object}
    assert ctx.log_json(data) is data
    assert caplog.messages[0].startswith('{\n  "a": 1,')


def test_dbg_is_for_debugging_only(ctx: ExtensionContext, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ctx.dbg("detail")
    assert caplog.record_tuples == [("llms.ext.mine", logging.DEBUG, "detail")]


@pytest.mark.parametrize("verbose", [False, True])
def test_err_logs_always_and_its_stack_when_verbose(
    ctx: ExtensionContext, app: App, caplog: pytest.LogCaptureFixture, verbose: bool
) -> None:
    app.verbose = verbose
    ctx.err("It broke", ValueError("no luck"))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "It broke: no luck")
    assert bool(record.exc_info) is verbose


# -- providers -------------------------------------------------------------------------------------------------


def test_assigning_into_the_providers_adds_one(ctx: ExtensionContext, app: App) -> None:
    provider = FakeProvider("mine")
    ctx.get_providers()["mine"] = provider
    assert app.registry.candidates("fake-model") == [provider]


def test_get_provider_finds_an_instance_by_id_a_class_by_sdk_or_nothing(ctx: ExtensionContext) -> None:
    provider = ctx.get_providers()["openai"] = FakeProvider("openai")
    ctx.add_provider(Custom)
    assert ctx.get_provider("openai") is provider
    assert ctx.get_provider("custom") is Custom
    assert ctx.get_provider("nobody") is None


# -- chats -----------------------------------------------------------------------------------------------------


def test_a_chat_is_made_from_a_template(ctx: ExtensionContext) -> None:
    chat: Any = ctx.chat_request("text", text="Hi", model="m", system_prompt="Be brief.")
    assert chat["model"] == "m"
    assert chat["messages"][0] == {"role": "system", "content": "Be brief."}
    assert chat["messages"][1]["content"][-1]["text"] == "Hi"


def test_nothing_done_to_a_chat_reaches_the_configuration(ctx: ExtensionContext) -> None:
    ctx.chat_request(text="Hi")["messages"].clear()
    assert ctx.chat_request(text="Hi")["messages"] != []


@pytest.mark.parametrize(("given", "template", "chosen"), [("a", "b", "a"), (None, "b", "b"), (None, "", "fake-model")])
def test_the_model_is_the_one_given_or_the_templates_or_the_default(
    ctx: ExtensionContext, given: str | None, template: str, chosen: str
) -> None:
    ctx.get_providers()["fake"] = FakeProvider()
    ctx.get_config()["defaults"]["mine"] = {"model": template}
    assert ctx.chat_request("mine", model=given)["model"] == chosen


def test_without_any_model_the_chat_names_none(ctx: ExtensionContext) -> None:
    ctx.get_config()["defaults"]["mine"] = {}
    assert ctx.chat_request("mine") == {"messages": []}


def test_an_unknown_template_is_an_error(ctx: ExtensionContext) -> None:
    with pytest.raises(NotFound, match="Chat template 'nothing' not found"):
        ctx.chat_request("nothing")


async def test_chat_completion_goes_through_the_whole_pipeline(ctx: ExtensionContext) -> None:
    ctx.get_providers()["fake"] = FakeProvider()
    ctx.register_chat_request_filter(lambda chat, context: chat["messages"].append({"role": "user", "content": "more"}))
    completion: Any = await ctx.chat_completion(ctx.chat_request(text="Hi", model="fake-model"))
    assert completion["choices"][0]["message"]["content"] == "ok"
    assert completion["metadata"]["duration"] >= 0
    assert ctx.get_providers()["fake"].history[0]["messages"][-1]["content"] == "more"


async def test_chat_completion_raises_the_first_error(ctx: ExtensionContext) -> None:
    with pytest.raises(ModelNotFound):
        await ctx.chat_completion({"model": "nothing", "messages": [{"role": "user", "content": "Hi"}]})


# -- hooks -----------------------------------------------------------------------------------------------------

REGISTER = {
    "register_startup_handler": "startup",
    "register_setup_user_handler": "setup_user",
    "register_chat_request_filter": "chat_request",
    "register_chat_status_filter": "chat_status",
    "register_chat_delta_filter": "chat_delta",
    "register_chat_tool_filter": "chat_tool",
    "register_tool_call_filter": "tool_call",
    "register_cache_saved_filter": "cache_saved",
    "register_settings_handler": "settings_changed",
    "register_chat_response_filter": "chat_response",
    "register_chat_error_filter": "chat_error",
    "register_cleanup_handler": "cleanup",
    "register_shutdown_handler": "shutdown",
}


def test_every_way_to_take_part_in_a_hook_is_tested_here() -> None:
    ways = ("_filter", "_handler")
    found = {name for name in dir(ExtensionContext) if name.startswith("register_") and name.endswith(ways)}
    assert found - {"register_provider_handler"} == REGISTER.keys()


@pytest.mark.parametrize(("method", "hook"), REGISTER.items())
def test_a_handler_is_registered_in_the_extensions_name(
    ctx: ExtensionContext, app: App, method: str, hook: str
) -> None:
    def handler(*_: Any) -> None: ...

    getattr(ctx, method)(handler)
    assert getattr(app.hooks, hook).handlers == [(handler, "mine")]


@pytest.mark.parametrize(("method", "hook"), REGISTER.items())
def test_what_was_registered_can_be_undone(ctx: ExtensionContext, app: App, method: str, hook: str) -> None:
    getattr(ctx, method)(lambda *_: None)
    ctx.undo.pop()()
    assert not getattr(app.hooks, hook)
