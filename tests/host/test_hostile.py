"""A folder of hostile extensions: each costs itself alone, and what became of it is told with the reason.

Every attack stands in `hostile/attacks`, those that end the process in `hostile/deadly`, and beside them lives
`hostile/neighbours/good`, which must not notice.
"""

import asyncio
import json
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

import llms
from llms.host.extension import State

from ..web.process import Serving, configure, environment, serving, started
from ..web.wire import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = Path(__file__).parent / "hostile"
LIMITS = {"install_timeout": 1.0, "hook_timeout": 0.5, "block_timeout": 1.2, "shutdown_timeout": 2, "retries": 1}
TOOK_TOO_LONG = r"Extension '\w+' took longer than 1 s"

# What has become of each, and why. An attack that is made later, by a route or a filter, leaves it loaded.
FAILED = {
    "raises_at_import": r"no luck at import",
    "syntax_error": r"'\(' was never closed in __init__\.py, line 3\. Correct it\.",
    "exits_at_import": r"It ended with `sys\.exit\(3\)` when it was imported\.",
    "raises_in_parser": r"no luck in the parser",
    "raises_after_registering": r"no luck after all that",
    "raises_base_exception": r"the end is nigh",
    "cancels_itself": r"[Cc]ancelled",
    "hangs_in_install": TOOK_TOO_LONG,
    "loops_in_install": rf"{TOOK_TOO_LONG}, and was at __init__\.py:\d+ in __install__",
    "hangs_in_load": TOOK_TOO_LONG,
    "takes_a_core_route": r"GET /health belongs to the server",
    "takes_a_taken_route": r"GET /greeting is taken by extension good",
    "takes_a_folder_of_routes": r"GET /ext/good/more belongs to extension 'good'",
    "takes_by_pattern": r"GET /e\{rest:\.\*\} belongs to the server",
    "rubbish_tool": r"A tool needs a name of letters, digits, _ and -, not 'rub bish'",
    "bad_manifest": r"extension\.toml: Illegal character",
}
INCOMPATIBLE = {"too_new": r"It works with llms >=999"}
LOADED = {
    *("answers_rubbish", "blocks_the_loop", "broken_ui", "floods_the_log", "hanging_filters", "json"),
    *("names_a_route_twice", "raises_everywhere", "raising_provider", "raising_tasks", "rubbish_on_the_page"),
    *("spoils_the_process", "takes_others_away"),
}


def home_with(place: Path, *kinds: str, config: Any = None) -> Path:
    """A home whose extensions folder holds all that lie in these folders of `hostile`."""
    packaged = json.loads((Path(llms.__file__).parent / "llms.json").read_text("utf-8"))
    home = configure(place, {"providers": {}, "defaults": packaged["defaults"], "limits": LIMITS, **(config or {})})
    for kind in kinds:
        shutil.copytree(HOSTILE / kind, home / "extensions", dirs_exist_ok=True)
    for path in home.rglob("*.py.txt"):
        path.rename(path.with_suffix(""))
    return home


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with(tmp_path_factory.mktemp("hostile") / "home", "attacks", "neighbours")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(home: Path) -> AsyncIterator[Serving]:
    """One server for all these tests, as it would be."""
    async with serving(home) as server:
        yield server


class Answer:
    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def ask(server: Serving, path: str, body: Any = None) -> Answer:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
        method = "GET" if body is None else "POST"
        async with http.request(method, server.url + path, json=body) as response:
            return Answer(response.status, await response.text())


async def statuses(server: Serving) -> dict[str, Any]:
    return {found["name"]: found for found in (await ask(server, "/ext/status")).json}


async def chat(server: Serving, text: str = "Hi", **fields: Any) -> Answer:
    body = {"model": "good-model", "messages": [{"role": "user", "content": text}], **fields}
    return await ask(server, "/v1/chat/completions", body)


# -- the server starts, and tells of each ------------------------------------------------------------------------


async def test_there_are_at_least_twenty_of_them() -> None:
    there = {path.name for path in (HOSTILE / "attacks").iterdir()}
    assert there == {*FAILED, *INCOMPATIBLE, *LOADED}
    assert len(there) >= 20


async def test_the_server_starts_and_serves(server: Serving) -> None:
    assert (await ask(server, "/health")).json["status"] == "ok"
    assert "Traceback" not in server.err


@pytest.mark.parametrize("name", FAILED)
async def test_one_that_fails_is_told_with_the_reason_and_leaves_nothing(server: Serving, name: str) -> None:
    found = (await statuses(server))[name]
    assert found["state"] == State.FAILED
    assert re.search(FAILED[name], found["reason"])
    assert [found[kind] for kind in ("routes", "tools", "filters", "tasks")] == [[], [], [], 0]
    assert (await ask(server, f"/ext/{name}/here")).status == 404


@pytest.mark.parametrize("name", INCOMPATIBLE)
async def test_one_for_another_version_is_told_with_the_reason(server: Serving, name: str) -> None:
    found = (await statuses(server))[name]
    assert (found["state"], found["version"]) == (State.INCOMPATIBLE, "3.1")
    assert re.search(INCOMPATIBLE[name], found["reason"])


async def test_the_others_are_loaded(server: Serving) -> None:
    found = await statuses(server)
    assert {name: found[name]["reason"] for name in LOADED} == dict.fromkeys(LOADED, "")
    assert {found[name]["state"] for name in LOADED} == {State.LOADED}


async def test_the_command_line_tells_the_same(server: Serving, home: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "llms", "ext", "ls", "--json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(home),
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    listed = {found["name"]: (found["state"], found["reason"]) for found in json.loads(out)}
    told = await statuses(server)
    assert listed.keys() == told.keys()
    for name in (*FAILED, *INCOMPATIBLE, *LOADED, "good"):
        assert listed[name][0] == told[name]["state"]
        assert bool(listed[name][1]) == bool(told[name]["reason"])


# -- the good one beside them does not notice --------------------------------------------------------------------


async def test_its_routes_answer(server: Serving) -> None:
    assert (await ask(server, "/ext/good/hello?name=Ann")).json == {"said": "Good day, Ann."}
    assert (await ask(server, "/greeting")).json == {"said": "Good day, you."}


async def test_its_model_calls_its_tool_and_its_filter_signs(server: Serving) -> None:
    answer = await chat(server, metadata={"tools": "all"})
    assert answer.status == 200, answer.text
    assert answer.json["choices"][0]["message"]["content"] == "Good day, Ann."
    assert answer.json["signed"] == "good"


async def test_a_streamed_chat_is_whole(server: Serving) -> None:
    answer = await chat(server, "as it is", stream=True)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    told = [choice["delta"].get("content") or "" for event in events for choice in event["choices"]]
    assert "".join(told) == "as it is"
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_its_task_goes_on(server: Serving) -> None:
    before = len((await ask(server, "/ext/good/beats")).json["beats"])
    async with asyncio.timeout(PATIENCE):
        while len((await ask(server, "/ext/good/beats")).json["beats"]) <= before:
            continue


async def test_what_it_has_put_on_the_page_is_there(server: Serving) -> None:
    page = (await ask(server, "/")).text
    assert '"good": "/ext/good/index.mjs"' in page
    assert "<meta name=good>" in page
    assert {"id": "good", "path": "/ext/good/index.mjs"} in (await ask(server, "/ext")).json
    assert (await ask(server, "/ext/good/index.mjs")).status == 200


async def test_it_is_told_to_be_well(server: Serving) -> None:
    good = (await statuses(server))["good"]
    assert (good["state"], good["reason"], good["errors"], good["last_error"]) == ("loaded", "", 0, None)
    assert (good["routes"], good["tools"], good["tasks"]) == (
        ["GET /ext/good/hello", "GET /ext/good/beats", "GET /ext/good/call", "GET /greeting"],
        ["greet"],
        1,
    )


@pytest.mark.parametrize(
    "path", ["/health", "/status", "/config", "/models", "/v1/models", "/providers", "/ext", "/ext/status", "/"]
)
async def test_every_page_of_the_server_answers(server: Serving, path: str) -> None:
    assert (await ask(server, path)).status == 200


# -- what is done later costs one request ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["sleep", "spin", "spin_on"])
async def test_who_blocks_the_loop_is_interrupted_and_named(server: Serving, path: str) -> None:
    blocked, other = await asyncio.gather(ask(server, f"/ext/blocks_the_loop/{path}"), ask(server, "/ext/good/hello"))
    assert (blocked.status, other.status) == (500, 200)
    assert re.search(
        rf"Extension 'blocks_the_loop' kept the server waiting for 1\.2 s at __init__\.py:\d+ in {path}\.",
        blocked.json["error"]["message"],
    )
    assert (await ask(server, "/ext/blocks_the_loop/fine")).json == {"fine": True}
    assert "[blocks_the_loop]: keeps the server waiting" in server.err
    assert (await statuses(server))["blocks_the_loop"]["errors"] >= 1


@pytest.mark.parametrize(
    "path", ["nothing", "object", "bytes", "tuple", "class", "unserializable", "circle", "surrogate", "coroutine"]
)
async def test_rubbish_is_answered_with_an_error_that_names_whose_it_is(server: Serving, path: str) -> None:
    answer = await ask(server, f"/ext/answers_rubbish/{path}")
    assert answer.status == 500
    assert answer.json["error"]["message"].startswith(
        f"Extension 'answers_rubbish' answered GET /ext/answers_rubbish/{path}"
    )


async def test_a_response_given_twice_is_an_error_the_second_time(server: Serving) -> None:
    answers = [(await ask(server, "/ext/answers_rubbish/twice")).status for _ in range(2)]
    assert answers == [200, 500]


@pytest.mark.parametrize("kind", ["error", "base", "exit"])
async def test_what_a_route_raises_is_a_500(server: Serving, kind: str) -> None:
    answer = await ask(server, f"/ext/raises_everywhere/route?kind={kind}")
    assert (answer.status, answer.json["responseStatus"]["message"]) == (500, "no luck")


@pytest.mark.parametrize("tool", ["rubbish", "unlucky"])
async def test_a_tool_that_misbehaves_is_a_result_that_says_so(home: Path, server: Serving, tool: str) -> None:
    assert tool in (await statuses(server))["answers_rubbish" if tool == "rubbish" else "raises_everywhere"]["tools"]
    answer = await ask(server, f"/ext/good/call?tool={tool}")
    assert answer.status == 200
    assert answer.json["said"].startswith(f"Error executing tool '{tool}':\n")


async def test_two_routes_of_one_name_both_answer(server: Serving) -> None:
    for path in ("one", "two"):
        assert (await ask(server, f"/ext/names_a_route_twice/{path}")).json == {path: True}


async def test_one_called_like_a_module_of_pythons_own_shadows_nothing(server: Serving) -> None:
    assert (await ask(server, "/ext/json/here")).json == {"json": "[1]", "asyncio": True}


async def test_what_it_did_to_the_process_is_undone(server: Serving) -> None:
    assert (await ask(server, "/ext/spoils_the_process/here")).json == {"here": True}


async def test_a_broken_ui_is_served_like_any_other(server: Serving) -> None:
    answer = await ask(server, "/ext/broken_ui/index.mjs")
    assert (answer.status, "install(ctx {" in answer.text) == (200, True)


async def test_a_provider_of_which_everything_raises_offers_nothing(server: Serving) -> None:
    assert {model["provider"] for model in (await ask(server, "/models")).json} == {"good"}
    answer = await ask(
        server, "/v1/chat/completions", {"model": "raising/x", "messages": [{"role": "user", "content": ""}]}
    )
    assert answer.status == 404


async def test_what_hangs_or_raises_is_counted_against_its_extension(server: Serving) -> None:
    await chat(server)
    found = await statuses(server)
    for name in ("hanging_filters", "raises_everywhere", "raising_tasks", "answers_rubbish"):
        assert found[name]["errors"] > 0, name
        assert found[name]["last_error"], name


async def test_the_log_is_not_flooded(server: Serving) -> None:
    async with asyncio.timeout(PATIENCE):
        while "left out here: it logs too much" not in server.err:  # as soon as it may log again
            await ask(server, "/ext/floods_the_log/drip")
    assert 0 < sum("floods_the_log" in line for line in server.err.splitlines()) < 1000


# -- what ends the process ---------------------------------------------------------------------------------------


async def test_told_to_stop_the_server_stops_whatever_they_do(tmp_path: Path) -> None:
    async with serving(home_with(tmp_path / "home", "attacks", "neighbours")) as server:
        server.signal(signal.SIGTERM)
        assert await server.ends() == 0


@pytest.mark.parametrize(("name", "phase"), [("dies_at_import", "install"), ("dies_at_load", "load")])
async def test_who_ends_the_process_three_times_is_not_trusted_any_more(tmp_path: Path, name: str, phase: str) -> None:
    home = home_with(tmp_path / "home", "neighbours")
    shutil.copytree(HOSTILE / "deadly" / name, home / "extensions" / name)
    for _ in range(3):
        async with started(home, "--serve", "0") as server:
            assert await asyncio.wait_for(server.process.wait(), 60) != 0
    async with serving(home) as server:
        found = await statuses(server)
        assert (found[name]["state"], found["good"]["state"]) == (State.DISABLED, State.LOADED)
        assert found[name]["reason"] == (
            f"The last 3 starts crashed when they were to {phase} it. "
            f"Update or mend it, then run `llms ext enable {name}`."
        )
        assert (await ask(server, "/ext/good/hello")).status == 200
    (home / "extensions" / name / "__init__.py").write_text("def __install__(ctx):\n    ctx.add_get('here', dict)\n")
    async with serving(home) as server:
        assert (await statuses(server))[name]["state"] == State.DISABLED, "nobody has enabled it"
        assert (await ask(server, f"/ext/status/{name}", {"enable": True})).json["state"] == State.LOADED
    async with serving(home) as server:
        assert (await statuses(server))[name]["state"] == State.LOADED


async def test_safe_mode_starts_without_them(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "attacks", "deadly", "neighbours")
    async with serving(home, "--safe-mode") as server:
        found = await statuses(server)
        third_parties = [each for each in found.values() if each["origin"] != "built-in"]
        assert len(third_parties) >= 20
        assert {(each["state"], each["reason"]) for each in third_parties} == {
            (State.DISABLED, "--safe-mode loads built-in extensions only.")
        }
        assert "ERROR" not in server.err
        assert (await ask(server, "/health")).status == 200
