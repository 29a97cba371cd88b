"""How it works: a folder with hooks in its `__init__.py`, and a `ui` beside it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from llms.testing import FakeUpstream, make_app
from tests.cli.program import Program

from .conftest import Write

FOUR_HOOKS = """
    calls = []

    def __parser__(parser):
        calls.append("parser")
        parser.add_argument("--greeting", help="what to say")

    def __install__(ctx):
        calls.append("install")

    async def __load__(ctx):
        calls.append("load")
        assert "upstream" in ctx.get_providers()

    def __run__(ctx):
        print(ctx.name, *calls, ctx.cli_args.greeting)
        return True
"""
SAID = "my_extension parser install load Hello\n"


@pytest.fixture
def program(tmp_path: Path, fake_upstream: FakeUpstream) -> Program:
    """The program of a user whose home says nothing special: `~/.llms`."""
    program = Program(tmp_path / ".llms", fake_upstream)
    program.configure()
    del program.environ["LLMS_HOME"]
    return program


def clone(work: Path, target: Path) -> None:
    """Makes a repository of `work`, and of that a clone."""
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "First"]):
        subprocess.run(["git", *words], cwd=work, check=True)
    subprocess.run(["git", "clone", "-q", work, target], check=True)


# -- installation ------------------------------------------------------------------------------------------------


async def test_a_folder_in_the_users_extensions_is_an_extension_and_its_four_hooks_are_called(
    program: Program, write: Write
) -> None:
    shutil.copytree(write(FOUR_HOOKS), program.home / "extensions/my_extension")
    ran = await program("--greeting", "Hello")
    assert (ran.out, ran.code) == (SAID, 0)


async def test_a_cloned_repository_in_the_users_extensions_is_an_extension(program: Program, write: Write) -> None:
    clone(write(FOUR_HOOKS), program.home / "extensions/my_extension")
    ran = await program("--greeting", "Hello")
    assert (ran.out, ran.code) == (SAID, 0)


async def test_the_help_tells_of_an_extensions_flags(program: Program, write: Write) -> None:
    shutil.copytree(write(FOUR_HOOKS), program.home / "extensions/my_extension")
    ran = await program("--help")
    assert "--greeting GREETING" in ran.out
    assert "what to say" in ran.out


# -- server ------------------------------------------------------------------------------------------------------


async def test_the_parameter_is_the_extension_context(write: Write) -> None:
    extension = write(
        """
        from llms.main import ExtensionContext

        def __install__(ctx: ExtensionContext):
            assert type(ctx) is ExtensionContext

        async def __load__(ctx):
            assert type(ctx) is ExtensionContext
        """
    )
    async with make_app(extension) as server:
        assert server.host.context("myext") is not None


async def test_install_and_load_run_before_the_server_does(write: Write) -> None:
    extension = write(
        """
        order = []

        def __install__(ctx):
            order.append("install")
            ctx.register_startup_handler(lambda: order.append("server"))
            ctx.add_get("order", lambda request: order)

        async def __load__(ctx):
            order.append("load")
        """
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext/myext/order")).body == ["install", "load", "server"]


async def test_install_may_be_assigned(write: Write) -> None:
    source = "def install(ctx):\n    ctx.add_get('', lambda request: {})\n\n# register install extension handler\n"
    async with make_app(write(f"{source}__install__ = install\n")) as server:
        assert (await server.get("/ext/myext")).status == 200


async def test_a_function_called_install_that_is_not_assigned_is_no_hook(write: Write) -> None:
    async with make_app(write("def install(ctx):\n    raise ValueError('called')\n")) as server:
        assert server.host.loaded


async def test_the_overviews_init_is_called_with_the_context(write: Write) -> None:
    extension = write(
        """
        from llms.main import ExtensionContext

        def my_tool_function():
            return "used"

        async def handle_status(request):
            return {"status": "ok"}

        def init(ctx: ExtensionContext):
            # Your extension initialization code here
            ctx.register_tool(my_tool_function, group="my_tools")
            ctx.add_get("status", handle_status)
        """
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext/myext/status")).body == {"status": "ok"}
        assert server.app.tools.groups == {"my_tools": ["my_tool_function"]}


async def test_what_load_has_loaded_is_there_when_the_server_answers(write: Write) -> None:
    extension = write(
        """
        import asyncio

        loaded = {}

        def __install__(ctx):
            ctx.add_get("loaded", lambda request: loaded)

        async def __load__(ctx):
            await asyncio.sleep(0.01)
            loaded["data"] = [1, 2, 3]
        """
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext/myext/loaded")).body == {"data": [1, 2, 3]}


# -- ui ----------------------------------------------------------------------------------------------------------


async def test_the_files_in_ui_are_served_below_the_extensions_address(write: Write) -> None:
    files = {"ui/styles.css": "p {}", "ui/lib/deep.json": '{"a": 1}', "secret.txt": "not below ui"}
    async with make_app(write(files=files)) as server:
        assert (await server.get("/ext/myext/styles.css")).body == "p {}"
        assert (await server.get("/ext/myext/lib/deep.json")).body == {"a": 1}
        assert (await server.get("/ext/myext/secret.txt")).status == 404


async def test_index_mjs_is_the_entry_point_that_the_page_loads(write: Write) -> None:
    files = {"ui/index.mjs": "export default { install(ctx) {} }"}
    async with make_app(write(files=files)) as server:
        assert (await server.get("/ext")).body == [{"id": "myext", "path": "/ext/myext/index.mjs"}]
        module = await server.get("/ext/myext/index.mjs")
        assert module.body == files["ui/index.mjs"]
        assert module.headers["Content-Type"].startswith("text/javascript")


async def test_a_ui_without_index_mjs_is_only_served(write: Write) -> None:
    async with make_app(write(files={"ui/styles.css": "p {}"})) as server:
        assert (await server.get("/ext")).body == []


async def test_an_extension_may_be_nothing_but_its_ui(write: Write) -> None:
    extension = write(files={"ui/index.mjs": "export default {}"})
    (extension / "__init__.py").unlink()
    async with make_app(extension) as server:
        assert (await server.get("/ext")).body == [{"id": "myext", "path": "/ext/myext/index.mjs"}]
