"""`llms --update-providers`, as a person at a terminal meets it."""

import asyncio
import json
from typing import Any

import pytest

from llms.testing import Gate

from .program import DEADLINE, Program

FACTS = {"id": "m", "name": "M", "cost": {"input": 1, "output": 2}}
VENDOR: dict[str, Any] = {"id": "upstream", "name": "Up", "npm": "@ai-sdk/openai-compatible", "models": {"m": FACTS}}


@pytest.fixture
def program(program: Program) -> Program:
    """The program, whose models.dev is its vendor."""
    program.configure({"catalog": {"url": f"{program.upstream.url}/api.json"}})
    (program.home / "providers.json").write_text(json.dumps({"upstream": {**VENDOR, "models": {}}}))
    return program


def models(program: Program) -> list[str]:
    return list(json.loads((program.home / "providers.json").read_text())["upstream"]["models"])


async def test_it_updates_the_file_and_says_what_is_in_it(program: Program) -> None:
    program.upstream.enqueue(json.dumps({"upstream": VENDOR, "other": VENDOR}).encode())
    ran = await program("--update-providers")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{program.home / 'providers.json'}: 1 models of 1 providers, of 20")
    assert models(program) == ["m"]


async def test_without_a_network_it_says_so_and_changes_nothing(program: Program) -> None:
    program.configure({"catalog": {"url": "http://127.0.0.1:9/api.json"}})
    before = (program.home / "providers.json").read_bytes()
    ran = await program("--update-providers")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: No catalogue could be had from http://127.0.0.1:9/api.json: it cannot be reached. Try again later. "
        "providers.json stays as it was.\n"
    )
    assert (program.home / "providers.json").read_bytes() == before


async def test_a_page_instead_of_a_catalogue_changes_nothing(program: Program) -> None:
    program.upstream.enqueue(b"<html>Please sign in</html>", headers={"Content-Type": "text/html"})
    ran = await program("--update-providers")
    assert ran.code == 1
    assert "That is no catalogue: check `catalog.url` in llms.json." in ran.err
    assert models(program) == []


async def test_killed_in_the_middle_the_old_file_is_whole(program: Program) -> None:
    gate = Gate()
    data = json.dumps({"upstream": VENDOR}).encode()
    program.upstream.enqueue(data[:40], gate, data[40:])
    before = (program.home / "providers.json").read_bytes()
    async with program.started("--update-providers") as process:
        async with asyncio.timeout(DEADLINE):
            while not program.upstream.requests:  # noqa: ASYNC110 - another process asks
                await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
    assert (program.home / "providers.json").read_bytes() == before
    program.upstream.enqueue(data)
    assert (await program("--update-providers")).code == 0  # a lock that was held does not stay
    assert models(program) == ["m"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "file:///etc/passwd"}, "catalog.url: expected"),
        ({"url": 5}, "catalog.url: expected str"),
        ({"refresh_hours": -1}, "catalog.refresh_hours: expected"),
    ],
)
async def test_a_wrong_setting_is_told(settings: Any, said: str, program: Program) -> None:
    program.write_config({**program.config, "catalog": settings})
    ran = await program("--update-providers")
    assert ran.code == 1
    assert f"llms.json: {said}" in ran.err


async def test_a_new_home_starts_from_the_packaged_catalogue_and_survives_without_a_network(program: Program) -> None:
    program.environ["LLMS_HOME"] = str(program.home / "new")
    program.environ |= {"HTTPS_PROXY": "http://127.0.0.1:9"}
    ran = await program("--update-providers")
    assert ran.code == 1
    assert "providers.json of 20" in ran.err
    assert (await program("ls", LLMS_DISABLE="local", GROQ_API_KEY="key-0123456789")).out.startswith("groq:\n")
