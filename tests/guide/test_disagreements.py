"""Where the guide and the reference disagree: what we have decided, row by row of the contract's section 9."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from llms.testing import FakeProvider, FakeUpstream, make_app
from llms.testing.app import upstream_config
from tests.cli.program import Program

from .conftest import Write

SAMPLES = Path(__file__).parents[1] / "samples"


async def test_01_install_runs_before_the_providers_exist_and_load_after(
    write: Write, fake_upstream: FakeUpstream
) -> None:
    source = """
        seen = {}

        def __install__(ctx):
            seen["install"] = list(ctx.get_providers())
            ctx.add_get("seen", lambda request: seen)

        async def __load__(ctx):
            seen["load"] = list(ctx.get_providers())
    """
    async with make_app(write(source), config=upstream_config(fake_upstream)) as server:
        assert (await server.get("/ext/myext/seen")).body == {"install": [], "load": ["upstream"]}


@pytest.mark.parametrize(("more", "called"), [("", "init"), ("__install__ = install", "install")])
async def test_02_a_lone_init_is_the_same_as_install(write: Write, more: str, called: str) -> None:
    source = (
        "def init(ctx):\n    ctx.add_get('', lambda request: ['init'])\n\n"
        f"def install(ctx):\n    ctx.add_get('', lambda request: ['install'])\n\n{more}\n"
    )
    async with make_app(write(source)) as server:
        assert (await server.get("/ext/myext")).body == [called]


def test_03_the_template_chat_is_text(ctx: Any) -> None:
    assert ctx.chat_request("chat", text="Hi") == ctx.chat_request("text", text="Hi")


async def test_04_error_auth_required_returned_by_a_handler_is_a_401(write: Write) -> None:
    source = """
        def __install__(ctx):
            ctx.add_get("", lambda request: ctx.error_auth_required)
    """
    async with make_app(write(source)) as server:
        answer = await server.get("/ext/myext")
        assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (401, "application/json")
        assert answer.body["responseStatus"]["message"] == "Authentication required"


def test_05_get_provider_gives_an_instance_by_id_a_class_by_sdk_or_none(ctx: Any) -> None:
    from llms.main import OpenAiCompatible

    provider = ctx.get_providers()["openai"] = FakeProvider("openai")
    assert ctx.get_provider("openai") is provider
    assert ctx.get_provider("@ai-sdk/openai-compatible") is OpenAiCompatible
    assert ctx.get_provider("nobody") is None


def test_06_tool_results_are_pairs(ctx: Any) -> None:
    text, resources = ctx.tool_result("A")
    part_text, resource = ctx.tool_result_part({"type": "text", "text": "A"})
    assert (text, resources, part_text, resource) == ("A", [], "A", None)


@pytest.mark.parametrize("parameters", ["self, chat, provider=None", "self, chat, provider=None, context=None"])
async def test_07_a_generators_chat_may_or_may_not_take_a_context(
    write: Write, fake_upstream: FakeUpstream, parameters: str
) -> None:
    source = f"""
        from llms.main import GeneratorBase

        class Painter(GeneratorBase):
            sdk = "my/image"

            async def chat({parameters}):
                return {{"choices": [{{"index": 0, "message": {{"role": "assistant", "content": "painted"}}}}]}}

        def __install__(ctx):
            ctx.add_provider(Painter)
    """
    config = upstream_config(fake_upstream, modalities={"image": {"npm": "my/image"}})
    async with make_app(write(source), config=config) as server:
        assert (await server.chat("A cat", modalities=["image"])).text == "painted"


def test_08_auth_enabled_is_a_property_and_is_auth_enabled_a_method(ctx: Any) -> None:
    assert ctx.app.auth_enabled is False
    assert ctx.app.is_auth_enabled() is False


def test_09_get_user_path_takes_both_keywords(ctx: Any) -> None:
    assert ctx.get_user_path(username="ann") == ctx.get_user_path(user="ann") == ctx.get_user_path("ann")


def test_10_downloads_are_coroutines(ctx: Any) -> None:
    assert inspect.iscoroutinefunction(ctx.download_file)
    assert inspect.iscoroutinefunction(ctx.session_download_file)


def test_11_the_import_map_keeps_the_guides_entries(ctx: Any) -> None:
    assert {"vue-prod", "idb"} <= ctx.app.import_maps.keys()


def test_12_int_or_none_is_an_integer(ctx: Any) -> None:
    def tool(number: int | None = 5) -> str:
        return str(number)

    ctx.register_tool(tool)
    parameters = ctx.get_tool_definition("tool")["function"]["parameters"]
    assert parameters["properties"]["number"] == {"type": "integer", "default": 5}


def test_13_the_docstrings_args_describe_the_parameters(ctx: Any) -> None:
    def tool(word: str) -> str:
        """Says it.

        Args:
            word: What to say,
                on two lines
        """
        return word

    ctx.register_tool(tool)
    function = ctx.get_tool_definition("tool")["function"]
    told = function["parameters"]["properties"]["word"]["description"]
    assert " ".join(told.split()) == "What to say, on two lines"
    assert function["description"].startswith("Says it.")


async def test_14_extra_args_is_the_list_of_words(tmp_path: Path, fake_upstream: FakeUpstream, write: Write) -> None:
    program = Program(tmp_path / "home", fake_upstream)
    program.configure()
    (program.home / "extensions").mkdir()
    source = "def __install__(ctx):\n    ctx.err(f'words: {ctx.extra_args}', None)\n"
    write(source).rename(program.home / "extensions/myext")
    ran = await program("Hello", "world")
    assert "words: ['Hello', 'world']" in ran.err
    assert ran.out == "ok\n"


async def test_15_a_missing_requirement_is_told_at_load() -> None:
    with pytest.raises(AssertionError, match=r"'ddgs', which is not installed\. Run `pip install -r "):
        async with make_app(SAMPLES / "web_search"):
            pass


async def test_16_an_api_key_below_auth_does_no_harm(write: Write) -> None:
    source = """
        def __install__(ctx):
            ctx.add_get("key", lambda request: [ctx.get_config().get("auth", {}).get("api_key")])
    """
    async with make_app(write(source), config={"auth": {"api_key": "0123456789"}}) as server:
        assert (await server.get("/ext/myext/key")).body == ["0123456789"]
        assert (await server.chat("Hi")).text == "ok"
