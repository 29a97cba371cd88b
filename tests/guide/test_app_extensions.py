"""`ctx.app`: what all extensions share, with the defaults that the guide prints."""

import argparse
import re
from typing import Any

import pytest

from llms.testing import make_app

from . import seed
from .conftest import Write

REQUEST_ARGS = {
    "image_config": dict,
    "temperature": float,
    "max_completion_tokens": int,
    "seed": int,
    "top_p": float,
    "frequency_penalty": float,
    "presence_penalty": float,
    "stop": list,
    "reasoning_effort": str,
    "verbosity": str,
    "service_tier": str,
    "top_logprobs": int,
    "safety_identifier": str,
    "store": bool,
    "enable_thinking": bool,
}
ASPECT_RATIOS = {
    "1:1": "1024×1024",
    "2:3": "832×1248",
    "3:2": "1248×832",
    "3:4": "864×1184",
    "4:3": "1184×864",
    "4:5": "896×1152",
    "5:4": "1152×896",
    "9:16": "768×1344",
    "16:9": "1344×768",
    "21:9": "1536×672",
}
IMPORT_MAPS = {
    "vue-prod": "/ui/lib/vue.min.mjs",
    "vue": "/ui/lib/vue.mjs",
    "vue-router": "/ui/lib/vue-router.min.mjs",
    "@servicestack/client": "/ui/lib/servicestack-client.mjs",
    "@servicestack/vue": "/ui/lib/servicestack-vue.mjs",
    "idb": "/ui/lib/idb.min.mjs",
    "marked": "/ui/lib/marked.min.mjs",
    "highlight.js": "/ui/lib/highlight.min.mjs",
    "chart.js": "/ui/lib/chart.js",
    "color.js": "/ui/lib/color.js",
    "ctx.mjs": "/ui/ctx.mjs",
}


# -- defaults ----------------------------------------------------------------------------------------------------


def printed(title: str) -> dict[str, str]:
    """The entries of a dict in the guide, as texts."""
    block = seed.text().rpartition(title)[2].partition("\n}")[0]
    return {name: value.strip('"') for name, value in re.findall(r'^"(.+?)": (".+?"|\w+),', block, re.MULTILINE)}


@seed.here
def test_the_defaults_here_are_those_that_the_guide_prints() -> None:
    types = {name: type_.__name__ for name, type_ in REQUEST_ARGS.items()}
    assert printed("Default Request Arguments") == types
    assert printed("Default Aspect Ratios") == ASPECT_RATIOS
    assert printed("Default Import Maps") == IMPORT_MAPS


def test_the_default_request_arguments(ctx: Any) -> None:
    extra = {"tool_combination": bool}  # from newer releases than the guide's
    assert ctx.app.request_args == {**REQUEST_ARGS, **extra}


def test_the_default_aspect_ratios(ctx: Any) -> None:
    assert ctx.app.aspect_ratios == ASPECT_RATIOS


def test_the_default_import_maps(ctx: Any) -> None:
    assert ctx.app.import_maps == IMPORT_MAPS


# -- shared state ------------------------------------------------------------------------------------------------


def test_cli_args_and_extra_args_are_those_of_the_context(ctx: Any) -> None:
    assert isinstance(ctx.app.cli_args, argparse.Namespace)
    assert ctx.app.cli_args is ctx.cli_args
    assert ctx.app.extra_args is ctx.extra_args


def test_config_is_the_servers_configuration(ctx: Any) -> None:
    assert ctx.app.config is ctx.get_config() is ctx.config
    assert ctx.app.config["version"] == 3


async def test_a_key_of_the_configuration_is_read_as_the_guide_does(write: Write) -> None:
    extension = write(
        """
        def __install__(ctx):
            async def key(request):
                config = ctx.get_config()
                api_key = config.get("auth", {}).get("api_key")
                return {"api_key": api_key}

            ctx.add_get("key", key)
        """
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext/myext/key")).body == {"api_key": None}


def test_auth_is_not_enabled_by_itself(ctx: Any) -> None:
    assert ctx.app.auth_enabled is False


def test_a_registered_tool_is_in_all_three_registries(ctx: Any) -> None:
    def tool(a: int) -> int:
        """Doubles."""
        return a * 2

    ctx.register_tool(tool, group="maths")
    assert ctx.app.tools == {"tool": tool}
    assert ctx.app.tool_groups == {"maths": ["tool"]}
    assert [definition["function"]["name"] for definition in ctx.app.tool_definitions] == ["tool"]


def test_all_providers_holds_the_built_in_classes_and_those_that_are_added(ctx: Any) -> None:
    from llms.main import GroqProvider, OpenAiCompatible

    class Mine(OpenAiCompatible):
        sdk = "mine"

    assert {OpenAiCompatible, GroqProvider} <= set(ctx.app.all_providers)
    ctx.add_provider(Mine)
    assert Mine in ctx.app.all_providers


def test_what_is_added_to_the_page_is_in_its_lists(ctx: Any) -> None:
    ctx.register_ui_extension("index.mjs")
    ctx.add_importmaps({"my-lib": "/ext/myext/lib/my-lib.mjs"})
    ctx.add_index_header("<h>")
    ctx.add_index_footer("<f>")
    assert ctx.app.ui_extensions == [{"id": "myext", "path": "/ext/myext/index.mjs"}]
    assert ctx.app.import_maps["my-lib"] == "/ext/myext/lib/my-lib.mjs"
    assert (ctx.app.index_headers, ctx.app.index_footers) == (["<h>"], ["<f>"])


async def test_two_extensions_share_one_state(write: Write) -> None:
    async with make_app(write(name="one"), write(name="two")) as server:
        one, two = (server.host.context(name) for name in ("one", "two"))
        assert one is not None
        assert two is not None
        one.aspect_ratios["1:2"] = "512×1024"
        one.request_args["mine"] = int
        assert (two.app.aspect_ratios["1:2"], two.app.request_args["mine"]) == ("512×1024", int)


# -- what existing extensions use beside the guide ----------------------------------------------------------------

REFERENCE = (
    *("limits", "mode", "is_local", "error_auth_required", "extensions", "loaded"),
    *("chat_request_filters", "chat_tool_filters", "chat_status_filters", "chat_response_filters"),
    *("chat_error_filters", "cache_saved_filters"),
    *("server_add_get", "server_add_post", "server_add_put", "server_add_delete", "server_add_patch"),
    *("startup_handlers", "cleanup_handlers", "shutdown_handlers", "setup_user_handlers"),
    *("auth_provider", "auth_extension", "sessions", "oauth_states", "last_seen", "aliased_directories"),
    *("allowed_directories", "threads", "media", "projects", "contextual_tool_providers"),
)
METHODS = (
    *("is_auth_enabled", "set_config", "on_chat_error", "on_chat_status", "on_chat_tool", "on_cache_saved_filters"),
    *("shutdown", "exit", "get_providers", "chat_completion", "chat_request", "get_username", "get_user_path"),
)


@pytest.mark.parametrize("name", REFERENCE)
def test_a_name_of_the_reference_is_there(ctx: Any, name: str) -> None:
    assert not callable(getattr(ctx.app, name))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_the_reference_is_there(ctx: Any, name: str) -> None:
    assert callable(getattr(ctx.app, name))


def test_filters_and_routes_are_listed(ctx: Any) -> None:
    def handler(*_: Any) -> None: ...

    for kind in ("chat_request", "chat_tool", "chat_status", "chat_response", "chat_error", "cache_saved"):
        getattr(ctx, f"register_{kind}_filter")(handler)
        assert getattr(ctx.app, f"{kind}_filters") == [handler]
    for kind in ("startup", "cleanup", "shutdown", "setup_user"):
        getattr(ctx, f"register_{kind}_handler")(handler)
        assert getattr(ctx.app, f"{kind}_handlers") == [handler]
    for method in ("get", "post", "put", "delete", "patch"):
        getattr(ctx, f"add_{method}")("thing", handler)
        assert getattr(ctx.app, f"server_add_{method}") == [("/ext/myext/thing", handler, {})]


def test_the_loaded_extensions_are_listed(ctx: Any) -> None:
    (extension,) = ctx.app.extensions
    assert (extension.name, extension.ctx, extension.load, extension.run) == ("myext", ctx, None, None)
    assert ctx.app.loaded == ["myext"]
