"""What was seen of the reference and stays: the golden vectors of the contract that concern extensions."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config
from tests.cli.program import Program

from .calling import calls
from .conftest import Write

PROBE = '''
    def probe_add(a: int, b: int = 2):
        """Add two."""
        return {"sum": a + b}

    def __install__(ctx):
        ctx.register_tool(probe_add)
'''
FILES = {"ui/index.mjs": "export default {}", "ui/greetings.json": '["Merry Christmas!"]'}


@pytest.fixture
async def probe(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(PROBE, name="probe", files=FILES)) as server:
        yield server


@pytest.fixture
def of_probe(probe: TestServer) -> Any:
    """The context of that extension."""
    return probe.host.context("probe")


@pytest.fixture
def program(tmp_path: Path, fake_upstream: FakeUpstream) -> Program:
    program = Program(tmp_path / "home", fake_upstream)
    program.configure()
    return program


# -- tools -------------------------------------------------------------------------------------------------------


async def test_a_missing_argument_is_named(of_probe: Any) -> None:
    text, resources = await of_probe.exec_tool("probe_add", {})
    assert (text, resources) == ("Error executing tool 'probe_add':\nMissing required arguments: a", [])


async def test_a_texts_number_is_a_number(of_probe: Any) -> None:
    assert await of_probe.exec_tool("probe_add", {"a": "3"}) == ('{"sum": 5}', [])


def test_a_derived_definition(of_probe: Any) -> None:
    assert of_probe.get_tool_definition("probe_add") == {
        "type": "function",
        "function": {
            "name": "probe_add",
            "description": "Add two.",
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
                "required": ["a"],
            },
        },
    }


def test_a_result_of_several_parts(of_probe: Any) -> None:
    image = {"type": "image", "data": "aGVsbG8=", "format": "png"}
    parts = [{"type": "text", "text": "A"}, image, {"x": 1}]
    text, resources = of_probe.tool_result(parts, "fn", {"prompt": "P"})
    url = f"/~cache/2c/{hashlib.sha256(b'hello').hexdigest()}.png"
    assert text == f'A\n![P]({url})\n\n{{"x": 1}}'
    assert resources == [{"type": "image_url", "image_url": {"url": url}}]


async def test_a_turn_with_four_calls_has_four_results_in_their_order(write: Write) -> None:
    extension = write(
        """
        def works():
            return "worked"

        def breaks():
            raise ValueError("no luck")

        def __install__(ctx):
            ctx.register_tool(works)
            ctx.register_tool(breaks)
        """
    )
    async with make_app(extension) as server:
        asked = calls(("works", {}), ("breaks", {}), ("unknown", {}), ("works", "{not json"))
        server.provider.enqueue(asked, "That is all.")
        answer = await server.chat("Go", metadata={"tools": "all"})
        assert answer.text == "That is all."
        results = server.provider.history[1]["messages"][-4:]
        assert [message["tool_call_id"] for message in results] == ["call_0", "call_1", "call_2", "call_3"]
        ok, raised, unknown, unparsable = [str(message["content"]) for message in results]
        assert ok == "worked"
        assert raised == "Error executing tool 'breaks':\nno luck"
        assert unknown == "Error: Tool 'unknown' not found"
        assert unparsable.startswith("Error: Failed to parse JSON arguments for tool 'works': ")
        assert [message["role"] for message in answer.body["tool_history"]] == ["assistant", *["tool"] * 4]


# -- over HTTP ---------------------------------------------------------------------------------------------------


async def test_the_ui_of_an_extension(probe: TestServer) -> None:
    assert (await probe.get("/ext")).body == [{"id": "probe", "path": "/ext/probe/index.mjs"}]
    assert (await probe.get("/ext/probe/greetings.json")).body == ["Merry Christmas!"]
    assert (await probe.get("/ext/probe/absent.json")).status == 404


def test_the_paths_of_routes(of_probe: Any) -> None:
    assert of_probe.web_path("GET", "") == "/ext/probe"
    assert of_probe.web_path("GET", "/auth") == "/auth"


@pytest.mark.parametrize("model", ["m1", "M ONE", "short", "any/thing/short"])
async def test_a_model_is_found_by_id_name_and_short_name(fake_upstream: FakeUpstream, model: str) -> None:
    models = {"m1": {"id": "m1", "name": "M One"}, "org/short": {"id": "org/short", "name": "Long Name"}}
    async with make_app(config=upstream_config(fake_upstream, models=models)) as server:
        assert (await server.chat("Hi", model=model)).status == 200
        expected = "m1" if model.lower().startswith("m") else "org/short"
        assert fake_upstream.requests[0].body["model"] == expected


async def test_enabling_a_provider_without_its_key_says_which_is_missing() -> None:
    entry = {
        "name": "P3",
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://example.org/v1",
        "env": ["NOPE_KEY"],
        "enabled": False,
    }
    async with make_app(config={"providers": {"p3": entry}}) as server:
        answer = await server.post("/providers/p3", {"enable": True})
        assert answer.status == 200
        assert answer.body["feedback"].startswith("Provider 'P3' requires API Key NOPE_KEY")
        assert (answer.body["enabled"], "p3" in answer.body["disabled"]) == ([], True)


# -- the command line --------------------------------------------------------------------------------------------


async def test_fields_of_the_request_on_the_command_line(program: Program) -> None:
    ran = await program("--args", "temperature=0.7&seed=111&stop=a,b&store=true&x=1&x=2", "Hi")
    assert ran.code == 0
    sent = program.upstream.requests[-1].body
    assert {key: sent[key] for key in ("temperature", "seed", "stop", "store", "x")} == {
        "temperature": 0.7,
        "seed": 111,
        "stop": ["a", "b"],
        "store": True,
        "x": ["1", "2"],
    }


BROKEN = {
    "import": "raise Exception('import fail')",
    "install": "def __install__(ctx):\n    raise Exception('import fail')",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
async def test_a_broken_extension_beside_good_ones_costs_one_line(program: Program, write: Write, source: str) -> None:
    folder = program.home / "extensions"
    folder.mkdir()
    good = "def __run__(ctx):\n    print(ctx.name)\n"
    for name, code in (("aaa", good), ("badext", source), ("zzz", good)):
        write(code, name=name).rename(folder / name)
    ran = await program()
    assert ran.out.startswith("aaa\nzzz\nusage: llms ")  # both good ones were asked
    assert [line for line in ran.err.splitlines() if "badext" in line] == [
        "ERROR: Failed to install extension badext: import fail"
    ]
