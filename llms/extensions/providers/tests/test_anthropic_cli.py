"""The `claude` program as a provider: a script of the test's own stands for it."""

import asyncio
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from llms.api import ExtensionContext, HttpClient, Limits, ProviderError, ProviderTimeout, RequestError, StreamAssembler
from llms.extensions.providers.anthropic_cli import AnthropicCliProvider
from llms.extensions.providers.tests.anthropic_samples import CALL, HI, LOOK, PNG, events
from llms.testing import make_app

TEXT = {"type": "text", "text": "It is blue."}
RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "It is blue.", "session_id": "s1"}
USAGE = {"input_tokens": 3, "output_tokens": 5}
HEAD = """
import json, os, sys, time
asked = sys.stdin.readline()
given = sys.argv[1:]
system = open(given[given.index("--system-prompt-file") + 1]).read()
with open({seen!r}, "w") as seen:
    json.dump({{"given": given, "asked": json.loads(asked), "system": system, "folder": os.getcwd()}}, seen)
def say(event):
    print(json.dumps(event), flush=True)
"""


class Program:
    """A script that can be run as `claude`, and what it was told."""

    def __init__(self, folder: Path) -> None:
        self.path, self._seen = folder / "claude", folder / "seen.json"

    def does(self, *lines: str) -> "Program":
        code = HEAD.format(seen=str(self._seen)) + "\n".join(lines)
        self.path.write_text(f"#!{sys.executable}\n{code}\n")
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        return self

    def says(self, *told: Any) -> "Program":
        return self.does(f"for event in json.loads({json.dumps(list(told))!r}): say(event)")

    @property
    def seen(self) -> Any:
        return json.loads(self._seen.read_text())


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path).says(*streamed(), {**RESULT, "usage": USAGE, "total_cost_usd": 0.5})


def streamed(*blocks: Any) -> list[Any]:
    return [{"type": "stream_event", "event": event} for event in events(*(blocks or (TEXT,)))]


def made(program: Program, **entry: Any) -> AnthropicCliProvider:
    return AnthropicCliProvider(id="acme", name="Acme", binary=str(program.path), **entry)


async def ask(program: Program, *messages: Any, entry: Any = None, **chat: Any) -> Any:
    asked: Any = {"model": "sonnet", "messages": [*messages] or [HI], **chat}
    return await made(program, **(entry or {})).chat(asked)


# -- answers ---------------------------------------------------------------------------------------------------


async def test_it_answers(program: Program) -> None:
    completion = await ask(program)
    assert completion["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "It is blue."}, "finish_reason": "stop"}
    ]
    assert (completion["usage"]["prompt_tokens"], completion["usage"]["cost"]) == (3, 0.5)


async def test_its_answer_is_streamed(program: Program) -> None:
    texts, assembler = [], StreamAssembler()
    async for batch in made(program).stream({"model": "sonnet", "messages": [HI]}):
        assembler.feed_all(batch)
        texts += [c["delta"].get("content") for event in batch for c in event.chunk["choices"]]
    assert [text for text in texts if text] == ["It", " is blue."]
    assert assembler.so_far()["choices"][0]["finish_reason"] == "stop"


async def test_a_version_that_does_not_stream_tells_its_result(program: Program) -> None:
    program.says({"type": "system", "subtype": "init"}, {"type": "assistant", "message": {}}, RESULT)
    assert (await ask(program))["choices"][0]["message"]["content"] == "It is blue."


async def test_what_else_a_program_prints_is_passed_over(program: Program) -> None:
    program.does("print('\\x1b[?1004lWelcome!')", "print()", f"say({RESULT!r})", "sys.stdout.write('bye')")
    assert (await ask(program))["choices"][0]["message"]["content"] == "It is blue."


# -- what it is told -------------------------------------------------------------------------------------------


async def test_it_is_told_the_model_and_how_hard_to_think(program: Program) -> None:
    await ask(program, reasoning_effort="minimal", entry={"map_models": {"sonnet": "claude-sonnet-5"}})
    given = program.seen["given"]
    assert given[given.index("--model") + 1] == "claude-sonnet-5"
    assert given[given.index("--effort") + 1] == "low"
    assert given[given.index("--tools") + 1] == ""


async def test_it_is_told_the_instructions_in_a_file_and_runs_in_a_folder_of_its_own(program: Program) -> None:
    await ask(program, {"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, HI)
    assert program.seen["system"] == "Be brief.\n\nBe kind."
    assert not any("Be brief." in argument for argument in program.seen["given"])
    assert program.seen["asked"]["message"] == {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    assert program.seen["folder"] != str(Path.cwd())


async def test_an_earlier_conversation_is_told_as_text(program: Program) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    await ask(
        program,
        {"role": "user", "content": [{"type": "text", "text": "See:"}, picture]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "blue"},
        {"role": "assistant", "content": "Blue."},
        {"role": "user", "content": "Sure?"},
    )
    told = program.seen["asked"]["message"]["content"]
    assert [block.get("text", block["type"]) for block in told] == [
        *("<conversation>", "<user>", "See:", "image", "</user>", "<assistant>", "Let me see."),
        *('<call>look({"at":"sky"})</call>', "</assistant>", "<user>", "<result>", "blue", "</result>", "</user>"),
        *("<assistant>", "Blue.", "</assistant>", "</conversation>", "Sure?"),
    ]


async def test_tools_are_not_offered_to_it(program: Program) -> None:
    await ask(program, tools=[LOOK], temperature=0.5)
    with pytest.raises(RequestError, match=r"cannot be told `tools`, `temperature`"):
        await ask(program, tools=[LOOK], temperature=0.5, entry={"unsupported": "error"})


# -- when it fails ---------------------------------------------------------------------------------------------


def test_it_can_be_used_where_the_program_is(program: Program, tmp_path: Path) -> None:
    assert made(program).validate() is None
    missing = AnthropicCliProvider(id="acme", name="Acme", binary=str(tmp_path / "none"))
    assert "Install Claude Code" in str(missing.validate())
    assert [*missing.models] == ["opus", "sonnet", "haiku"]


async def test_a_program_that_is_gone_is_an_error(program: Program) -> None:
    program.path.unlink()
    with pytest.raises(ProviderError, match=r"could not be started \(No such file or directory\)"):
        await ask(program)


async def test_its_last_words_are_in_the_error(program: Program) -> None:
    program.does("sys.stderr.write('x' * 9000 + 'Please run /login')", "sys.exit(1)")
    with pytest.raises(ProviderError, match=r"ended without an answer \(x+Please run /login\)") as raised:
        await ask(program)
    assert len(str(raised.value)) < 2500


async def test_a_program_that_does_not_even_listen_is_an_error(program: Program) -> None:
    program.path.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.close()\nsys.exit('No.')\n")
    with pytest.raises(ProviderError, match=r"\(No\.\)"):
        await ask(program, {"role": "user", "content": "x" * 2**20})


async def test_a_result_that_is_an_error_is_one(program: Program) -> None:
    program.says({**RESULT, "is_error": True, "result": "Usage limit reached", "api_error_status": 429})
    with pytest.raises(ProviderError, match=r"^Acme: Usage limit reached$") as raised:
        await ask(program)
    assert raised.value.upstream_status == 429


async def test_a_stream_that_was_cut_is_an_error(program: Program) -> None:
    program.says(*streamed()[:4])
    with pytest.raises(ProviderError, match="ended without an answer"):
        await ask(program)


async def test_a_program_that_tells_without_end_is_stopped(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llms.extensions.providers.anthropic_cli._MOST_BYTES", 10_000)
    program.does("while True: print('x' * 1000)")
    with pytest.raises(ProviderError, match="told more than 10000 bytes"):
        await ask(program)


async def test_a_program_that_says_nothing_is_stopped(program: Program) -> None:
    program.does("time.sleep(60)")
    provider = made(program)
    provider.http = HttpClient(Limits(client_timeout=0.2))
    with pytest.raises(ProviderTimeout, match=r"Acme said nothing for 0\.2 s"):
        await provider.chat({"model": "sonnet", "messages": [HI]})


async def test_who_goes_away_ends_the_program_and_what_it_started(program: Program, tmp_path: Path) -> None:
    children = tmp_path / "children"
    program.does(
        "import subprocess",
        "child = subprocess.Popen(['sleep', '60'])",
        f"open({str(children)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')",
        f"for event in json.loads({json.dumps(streamed())!r})[:4]: say(event)",
        "time.sleep(60)",
    )
    stream = made(program).stream({"model": "sonnet", "messages": [HI]})
    await anext(stream)
    await stream.aclose()
    for pid in map(int, children.read_text().split()):
        assert await gone(pid)


async def gone(pid: int) -> bool:
    """Whether this process has ended; its parent may not have been told yet."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if is_zombie(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


# -- through a server ------------------------------------------------------------------------------------------


async def test_it_answers_through_a_server(program: Program) -> None:
    def install(ctx: ExtensionContext) -> None:
        ctx.add_provider(AnthropicCliProvider)

    entry = {"npm": "@ai-sdk/anthropic-cli", "binary": str(program.path)}
    async with make_app(install, config={"providers": {"claude-cli": entry}}) as server:
        assert (await server.chat(model="sonnet")).text == "It is blue."
        assert (await server.chat(model="haiku", stream=True)).text == "It is blue."
