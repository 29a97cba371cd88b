"""The samples of the page about hooks do what its text says."""

from pathlib import Path
from textwrap import indent

from llms.testing import FakeUpstream, make_app, tool_call
from tests.cli.program import Program

from .pages import blocks

REQUEST, CALL = "stay_on_topic", "ask_first"


def extension(folder: Path, sample: str) -> Path:
    """An extension whose `__install__` is the sample with this word in it."""
    source = next(block for block in blocks("hooks.md", "python") if sample in block)
    tool = "def delete_file(path: str) -> str:\n    return 'deleted'\n\n"
    body = indent(f"ctx.register_tool(delete_file)\n{source}", "    ")
    (folder / "sample").mkdir()
    text = f"from llms.api import RequestError\n\n{tool}def __install__(ctx):\n{body}"
    (folder / "sample/__init__.py").write_text(text, "utf-8")
    return folder / "sample"


async def test_the_request_filter_changes_the_chat_or_ends_it(tmp_path: Path) -> None:
    async with make_app(extension(tmp_path, REQUEST)) as server:
        await server.chat("Hi")
        assert server.provider.history[0]["messages"][0] == {"role": "system", "content": "Be brief."}
        refused = await server.chat("my password is x")
        assert (refused.status, refused.body["error"]["message"]) == (400, "Leave passwords out of chats.")


async def test_the_filter_of_tool_calls_refuses_one(tmp_path: Path) -> None:
    async with make_app(extension(tmp_path, CALL)) as server:
        server.provider.enqueue(tool_call("delete_file", path="/"), "Then not.")
        await server.chat("Delete it", metadata={"tools": "all"})
        assert server.provider.history[1]["messages"][-1]["content"] == "Files are not deleted here."


async def test_the_command_greets(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    program = Program(tmp_path / "home", fake_upstream)
    program.configure()
    folder = program.home / "extensions/greeter"
    folder.mkdir(parents=True)
    source = next(block for block in blocks("hooks.md", "python") if "__parser__" in block)
    (folder / "__init__.py").write_text(source, "utf-8")
    assert (await program("greet", "--loud")).out == "HELLO!\n"
    assert (await program("greet", "the", "queen")).out == "ok\n"
