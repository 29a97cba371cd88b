"""`ctx`: its properties, and what it writes to the log."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from llms.main import AppExtensions
from llms.testing import FakeUpstream, TestServer, make_app
from tests.cli.program import Program

from .conftest import Write

# -- properties --------------------------------------------------------------------------------------------------


def test_app_is_what_all_extensions_share(ctx: Any) -> None:
    assert isinstance(ctx.app, AppExtensions)


def test_cli_args_are_the_flags_given_to_the_server(ctx: Any) -> None:
    assert isinstance(ctx.cli_args, argparse.Namespace)


def test_error_auth_required_is_a_ready_made_answer(ctx: Any) -> None:
    status = {"errorCode": "Unauthorized", "message": "Authentication required"}
    assert ctx.error_auth_required == {"responseStatus": status}


async def test_name_path_and_prefix_come_from_the_folder(write: Write) -> None:
    folder = write(name="gallery")
    async with make_app(folder) as server:
        ctx: Any = server.host.context("gallery")
        assert (ctx.name, ctx.path, ctx.ext_prefix) == ("gallery", str(folder), "/ext/gallery")


def test_debug_and_verbose_say_how_much_is_logged(server: TestServer, ctx: Any) -> None:
    assert (ctx.debug, ctx.verbose) == (False, False)
    server.app.debug = server.app.verbose = True
    assert (ctx.debug, ctx.verbose) == (True, True)


def test_aspect_ratios_tell_sizes_in_pixels(ctx: Any) -> None:
    assert ctx.aspect_ratios["1:1"] == "1024×1024"


def test_request_args_tell_the_types_of_a_chats_fields(ctx: Any) -> None:
    assert ctx.request_args["temperature"] is float


def test_an_extension_is_not_disabled(ctx: Any) -> None:
    assert ctx.disabled is False


async def test_an_extension_that_disables_itself_has_nothing_left(write: Write) -> None:
    extension = write(
        """
        def __install__(ctx):
            ctx.add_get("status", lambda request: {})
            ctx.disabled = True

        async def __load__(ctx):
            raise ValueError("loaded all the same")
        """,
        files={"ui/index.mjs": "export default {}"},
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext")).body == []
        assert (await server.get("/ext/myext/status")).status == 404


# -- logging -----------------------------------------------------------------------------------------------------

LOGGING = """
    def process_data():
        raise ValueError("no data")

    def __install__(ctx):
        ctx.log("Processing request...")
        ctx.log_json({"status": "ok", "count": 42})
        ctx.dbg("Entering handler with params: ...")
        try:
            process_data()
        except Exception as e:
            ctx.err("Failed to process data", e)

    def __run__(ctx):
        print(ctx.debug, ctx.verbose)
        return True
"""


@pytest.fixture
def program(tmp_path: Path, fake_upstream: FakeUpstream, write: Write) -> Program:
    """The program with an extension that logs."""
    program = Program(tmp_path / "home", fake_upstream)
    program.configure()
    folder = program.home / "extensions/myext"
    folder.parent.mkdir()
    write(LOGGING).rename(folder)
    return program


async def test_of_a_quiet_run_only_errors_are_logged_without_their_stack(program: Program) -> None:
    ran = await program()
    assert ran.out == "False False\n"
    assert [line for line in ran.err.splitlines() if "myext" in line] == [
        "ERROR [myext]: Failed to process data: no data"
    ]
    assert "Traceback" not in ran.err


async def test_a_verbose_run_logs_messages_json_and_the_stack_of_errors(program: Program) -> None:
    ran = await program("--verbose")
    assert ran.out == "False True\n"
    assert "[myext] Processing request...\n" in ran.err
    assert '[myext] {\n  "status": "ok",\n  "count": 42\n}\n' in ran.err
    assert "ERROR [myext]: Failed to process data: no data\nTraceback (most recent call last):" in ran.err
    assert "ValueError: no data" in ran.err
    assert "Entering handler" not in ran.err


async def test_debugging_logs_what_is_for_debugging_too(program: Program) -> None:
    ran = await program(DEBUG="1")
    assert ran.out.startswith("True")
    assert "DEBUG [myext]: Entering handler with params: ...\n" in ran.err


def test_log_and_log_json_give_back_what_they_log(ctx: Any) -> None:
    message, data = ["a message"], {"status": "ok"}
    assert ctx.log(message) is message
    assert ctx.log_json(data) is data
