"""`ls`, `--check`, `--enable`, `--disable`, `--default`, `--serve`."""

import asyncio
import json
import os
import signal
from typing import Any

import aiohttp
import pytest

from llms.testing import Gate, Hang

from .program import DEADLINE, Program

MODELS: dict[str, dict[str, Any]] = {
    "free": {"id": "free", "name": "Free", "cost": {"input": 0, "output": 0}},
    "priced-model": {"id": "priced-model", "name": "Priced", "cost": {"input": 0.5, "output": 15}},
    "unknown": {"id": "unknown", "name": "Unknown"},
}


@pytest.mark.parametrize("words", [["ls"], ["--list"], ["ls", "upstream"], ["--list", "upstream"]])
async def test_ls_shows_models_with_prices_then_totals_and_status(program: Program, words: list[str]) -> None:
    program.configure(models=MODELS)
    ran = await program(*words, LLMS_DISABLE="local")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "upstream:",
        "  free               0",
        "  priced-model   0.5 / 15",
        "  unknown",
        "",
        "3 models available from 1 providers",
        "",
        "Enabled: upstream",
        "Disabled: None",
    ]


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--search", "FR"], ["free"]),
        (["--search", "priced"], ["priced-model"]),
        (["--max-price", "0"], ["free"]),
        (["--max-price", "20"], ["free", "priced-model"]),
        (["--modality", "image,text"], ["free"]),
        (["--min-context", "100000"], ["priced-model"]),
        (["--max-price", "20", "--min-context", "5000"], ["free", "priced-model"]),
        (["--search", "nothing"], []),
    ],
)
async def test_ls_shows_the_models_that_are_wanted(program: Program, flags: list[str], shown: list[str]) -> None:
    sees = {"modalities": {"input": ["text", "image"], "output": ["text"]}, "limit": {"context": 8000}}
    models = {**MODELS, "free": {**MODELS["free"], **sees}}
    models["priced-model"] = {**MODELS["priced-model"], "limit": {"context": 200000}}
    program.configure(models=models)
    ran = await program("ls", "--json", *flags)
    assert [model["id"] for model in json.loads(ran.out) if model["provider"] == "upstream"] == shown


async def test_ls_on_a_terminal_is_a_table(program: Program) -> None:
    sees = {"modalities": {"input": ["text", "image"], "output": ["text"]}, "limit": {"context": 128000}}
    program.configure(models={"priced-model": {**MODELS["priced-model"], **sees}})
    async with program.on_terminal("ls", LLMS_DISABLE="local") as terminal:
        assert await terminal.ends() == 0
    row = next(line for line in terminal.text.splitlines() if "priced-model" in line)
    assert row.split() == ["priced-model", "0.5", "/", "15", "128K", "text", "image", "text"]


async def test_a_model_whose_name_is_markup_is_shown_as_it_is(program: Program) -> None:
    program.configure(models={"[red]x[/red]": {"id": "x", "name": "X", "limit": {"context": 2_000_000}}})
    async with program.on_terminal("ls", LLMS_DISABLE="local") as terminal:
        assert await terminal.ends() == 0
    assert "[red]x[/red]" in terminal.text
    assert "2M" in terminal.text


async def test_ls_says_why_a_provider_is_not_there(program: Program) -> None:
    program.configure(api_key="$NOPE_KEY", env=["NOPE_KEY"])
    ran = await program("ls", "upstream")
    assert ran.code == 1
    assert "requires API Key NOPE_KEY" in ran.err


async def test_ls_does_not_wait_for_a_server_that_stays_silent(program: Program) -> None:
    program.configure({"providers": {"ollama": {"npm": "ollama", "api": program.upstream.url}}})
    program.upstream.enqueue(Hang())
    ran = await program("ls", LLMS_DISABLE="local")
    assert "0 models available from 0 providers" in ran.out
    assert (ran.code, ran.err) == (0, "")  # had it waited to the end, it would say so


async def test_serve_does_not_wait_for_a_server_that_stays_silent(program: Program) -> None:
    program.configure({"providers": {"ollama": {"npm": "ollama", "api": program.upstream.url}}})
    program.upstream.enqueue(Hang())
    async with program.started("--serve", "0", LLMS_DISABLE="local") as process:
        assert process.stderr is not None
        first = await asyncio.wait_for(process.stderr.readline(), DEADLINE)
    assert first.startswith(b"llms is ready")


async def test_a_reader_of_ls_may_leave_early(program: Program) -> None:
    program.configure(models={f"m{i}": {"id": f"m{i}", "name": f"M{i}"} for i in range(5000)})
    reader, writer = os.pipe()
    async with program.started("ls", stdout=writer) as process:
        os.close(writer)
        assert await asyncio.to_thread(os.read, reader, 9) == b"upstream:"
        os.close(reader)
        _, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert err == b""


# -- check ---------------------------------------------------------------------------------------------------------


async def test_check_asks_each_model_and_fails_if_one_does(program: Program) -> None:
    program.configure(models={name: MODELS[name] for name in ("free", "priced-model")})
    program.upstream.enqueue_error(429, "Too many\nrequests, " + "x" * 200)
    program.upstream.enqueue_text("2")
    ran = await program("--check", "upstream")
    assert ran.code == 1
    assert [line[4:].split()[0] for line in ran.out.splitlines()] == ["free", "priced-model"]  # in order
    well, badly = sorted(ran.out.splitlines(), key=lambda line: "✗" in line)  # whichever was asked first
    assert well.startswith("  ✓ ")
    assert well.endswith("ms)")
    assert badly.startswith("  ✗ ")
    assert "Too many requests, x" in badly
    assert len(badly) <= 4 + 40 + 1 + 100


async def test_check_asks_several_models_at_once(program: Program) -> None:
    program.configure(models=MODELS)
    gates = [Gate() for _ in MODELS]
    for gate in gates:
        program.upstream.enqueue(gate, b'{"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}]}')
    async with program.started("--check", "upstream") as process:
        async with asyncio.timeout(DEADLINE):
            while len(program.upstream.requests) < len(MODELS):  # noqa: ASYNC110 - another process asks
                await asyncio.sleep(0.01)
        for gate in gates:
            gate.opened.set()
        out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0
    assert out.decode().count("✓") == len(MODELS)


async def test_check_does_not_ask_a_model_that_makes_no_text(program: Program) -> None:
    made = {"input": ["text"], "output": ["image"]}
    program.configure(models={"painter": {"id": "painter", "name": "Painter", "modalities": made}})
    ran = await program("--check", "upstream")
    assert (ran.code, program.upstream.requests) == (0, [])
    assert ran.out.split() == ["-", "painter", "not", "asked:", "it", "makes", "image"]


async def test_check_shows_how_far_it_is(program: Program) -> None:
    program.configure(models=MODELS)
    gate = Gate()
    program.upstream.enqueue(gate, b'{"choices": []}')
    async with program.on_terminal("--check", "upstream") as terminal:
        await terminal.sees(r"\d of 3 checked")
        gate.opened.set()
        assert await terminal.ends() == 1


async def test_check_sends_the_check_template_to_the_named_models(program: Program) -> None:
    program.configure(models=MODELS)
    assert (await program("--check", "upstream", "Free")).code == 0
    (request,) = program.upstream.requests
    assert request.body["model"] == "free"
    assert request.body["max_completion_tokens"] == 16


async def test_the_provider_s_own_check_wins(program: Program) -> None:
    program.configure(check={"messages": [{"role": "user", "content": "ping"}]})
    assert (await program("--check", "upstream", "all")).code == 0
    assert program.upstream.requests[0].body["messages"][0]["content"] == "ping"


async def test_check_names_unknown_models_first(program: Program) -> None:
    ran = await program("--check", "upstream", "fake-model", "nope")
    assert ran.code == 1
    assert ran.out.splitlines()[0].split() == ["✗", "nope", "not", "offered", "by", "upstream"]
    assert len(program.upstream.requests) == 1


async def test_check_of_an_unknown_provider_names_those_there_are(program: Program) -> None:
    ran = await program("--check", "nope")
    assert (ran.code, "Choose from: " in ran.err) == (1, True)


# -- switches ------------------------------------------------------------------------------------------------------


async def test_disable_and_enable_write_the_configuration(program: Program) -> None:
    ran = await program("--disable", "upstream,", LLMS_DISABLE="local")
    assert (ran.code, program.config["providers"]["upstream"]["enabled"]) == (0, False)
    assert ran.out.splitlines()[-2:] == ["Enabled: None", "Disabled: upstream"]
    ran = await program("--enable", "upstream", LLMS_DISABLE="local")
    assert (ran.code, program.config["providers"]["upstream"]["enabled"]) == (0, True)
    assert ran.out.splitlines()[-2:] == ["Enabled: upstream", "Disabled: None"]
    assert "test-key" not in ran.out


async def test_a_provider_enabled_without_its_key_is_told_of(program: Program) -> None:
    program.configure(api_key="$NOPE_KEY", env=["NOPE_KEY"], enabled=False)
    ran = await program("--enable", "upstream")
    assert ran.code == 0
    assert "Disabled: upstream" in ran.out
    assert "requires API Key NOPE_KEY" in ran.err


async def test_an_unknown_provider_changes_nothing(program: Program) -> None:
    before = program.config
    ran = await program("--disable", "upstream", "nope")
    assert ran.code == 1
    assert "Provider 'nope' not found. Choose from: upstream." in ran.err
    assert program.config == before


async def test_default_is_the_model_that_answers_from_then_on(program: Program) -> None:
    program.configure(models=MODELS)
    assert (await program("--default", "priced-model")).code == 0
    assert program.config["defaults"]["text"]["model"] == "priced-model"
    await program("hi", "--raw")
    assert program.upstream.requests[0].body["model"] == "priced-model"


async def test_an_unknown_default_is_refused_with_the_nearest_name(program: Program) -> None:
    before = program.config
    ran = await program("--default", "fake-modle")
    assert ran.code == 1
    assert "Did you mean fake-model?" in ran.err
    assert program.config == before


# -- serve ---------------------------------------------------------------------------------------------------------


async def test_serve_answers_until_it_is_told_to_stop(program: Program) -> None:
    async with program.started("--serve", "0") as process:
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), DEADLINE)
        url = line.decode().split()[-1]
        async with aiohttp.ClientSession() as http, http.get(f"{url}/health") as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0


async def test_serving_on_an_open_address_needs_to_be_insisted_on(program: Program) -> None:
    ran = await program("--serve", "0", "--host", "0.0.0.0")
    assert (ran.code, "--insecure" in ran.err) == (1, True)


async def test_a_port_in_use_is_one_sentence(program: Program) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        ran = await program("--serve", str(port))
    assert ran.code == 1
    assert ran.err.startswith(f"Error: Port {port} is in use.")
