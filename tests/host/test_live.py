"""Extensions come and go in a running server, and nobody else notices."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llms.host.extension import Extension, Origin, State
from llms.kernel.errors import NotFound, RequestError
from llms.testing import FakeUpstream, Gate, TestServer, make_app
from llms.testing.app import upstream_config

from .folders import answering, words, write

PATIENCE = 20.0
QUICK = {"limits": {"install_timeout": 2, "hook_timeout": 0.3, "retries": 1}}
Serve = Callable[..., Awaitable[TestServer]]


@asynccontextmanager
async def serving(*folders: Any, **options: Any) -> AsyncIterator[TestServer]:
    async with make_app(*folders, **{"config": QUICK, **options}) as server:
        yield server


async def version(server: TestServer, name: str = "mine") -> Any:
    """What the extension answers, or the status that stands in its place."""
    reply = await server.get(f"/ext/{name}/version")
    return reply.body["version"] if reply.status == 200 else reply.status


def config(server: TestServer) -> Any:
    return json.loads(server.app.home.config_file.read_text())


def one(server: TestServer, name: str = "mine") -> Extension:
    found = server.host.find(name)
    assert found is not None
    return found


# -- disable, enable, reload -------------------------------------------------------------------------------------


async def test_a_disabled_extension_is_gone_and_an_enabled_one_is_back(tmp_path: Path) -> None:
    async with serving(answering(tmp_path / "mine", 1)) as server:
        assert await version(server) == 1
        disabled = await server.live.disable("mine")
        assert (disabled.state, disabled.reason) == (
            State.DISABLED,
            "It is disabled. `llms ext enable mine` enables it.",
        )
        assert await version(server) == 404
        enabled = await server.live.enable("mine")
        assert (enabled.state, enabled.reason) == (State.LOADED, "")
        assert await version(server) == 1


async def test_what_is_disabled_stands_in_the_configuration(tmp_path: Path) -> None:
    given = {**QUICK, "disable_extensions": ["other"], "mystery": {"kept": "$HOME"}}
    async with serving(answering(tmp_path / "mine", 1), config=given) as server:
        await server.live.disable("mine")
        await server.live.disable("mine")
        assert config(server)["disable_extensions"] == ["other", "mine"]
        await server.live.enable("mine")
        assert config(server)["disable_extensions"] == ["other"]
        assert config(server)["mystery"] == {"kept": "$HOME"}


async def test_an_edited_extension_is_new_after_a_reload(tmp_path: Path) -> None:
    folder = answering(tmp_path / "mine", 1)
    async with serving(folder) as server:
        answering(folder, 2)
        assert await version(server) == 1
        await server.live.reload("mine")
        assert await version(server) == 2
        reply = await server.get("/ext/mine/version")
        assert reply.body["imported"] == 1, "its other modules are imported anew as well, once"


async def test_startup_runs_on_a_hot_load_and_cleanup_and_shutdown_before_it_is_unloaded(tmp_path: Path) -> None:
    folder = answering(tmp_path / "mine", 1)
    async with serving(folder) as server:
        assert words(folder) == ["1 startup"]
        answering(folder, 2)
        await server.live.reload("mine")
        assert words(folder) == ["1 startup", "1 cleanup", "1 shutdown", "2 startup"]
        await server.live.disable("mine")
        assert words(folder)[4:] == ["2 cleanup", "2 shutdown"]
    assert len(words(folder)) == 6, "what is unloaded is not shut down again when the server stops"


async def test_handlers_that_fail_or_hang_do_not_keep_it_loaded(tmp_path: Path) -> None:
    code = """
import asyncio

async def hang():
    await asyncio.Event().wait()

def fail():
    raise RuntimeError("no luck")

def __install__(ctx):
    ctx.add_get("version", lambda request: {"version": 1})
    for handler in (hang, fail):
        ctx.register_cleanup_handler(handler)
        ctx.register_shutdown_handler(handler)
    ctx.undo.append(fail)
"""
    async with serving(write(tmp_path / "mine", init=code)) as server:
        assert (await server.live.disable("mine")).state is State.DISABLED
        assert await version(server) == 404
        assert server.app.hooks.cleanup.handlers == []


async def test_tasks_and_schedules_end_with_their_extension(tmp_path: Path) -> None:
    code = """
import asyncio

async def wait(ctx):
    try:
        await asyncio.Event().wait()
    finally:
        ctx.app.request_args["ended"] = True

def __install__(ctx):
    ctx.spawn(wait(ctx))
    ctx.schedule(lambda: None, every=0.01)

async def __load__(ctx):
    ctx.spawn(wait(ctx))
"""
    async with serving(write(tmp_path / "mine", init=code), answering(tmp_path / "other", 1)) as server:
        assert server.host.shared is not None
        tasks = server.host.shared.tasks
        assert len(tasks.of("mine")) == 3
        await asyncio.sleep(0)
        await server.live.disable("mine")
        assert tasks.of("mine") == []
        assert server.host.shared.request_args["ended"] is True  # type: ignore[comparison-overlap]


async def test_what_it_has_stored_is_there_again(tmp_path: Path) -> None:
    code = """
async def count(request):
    times = 1 + (await STORE[0].get("times") or 0)
    await STORE[0].set("times", times)
    return {"version": times}

STORE = []

def __install__(ctx):
    STORE.append(ctx.store)
    ctx.add_get("version", count)
"""
    async with serving(write(tmp_path / "mine", init=code)) as server:
        assert await version(server) == 1
        await server.live.reload("mine")
        assert await version(server) == 2


# -- while others are at work ------------------------------------------------------------------------------------


async def test_chats_stream_on_while_extensions_change(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    gates = [Gate() for _ in range(3)]
    fake_upstream.enqueue_stream("one ", gates[0], "two ", gates[1], "three ", gates[2], "four")
    folder = answering(tmp_path / "mine", 1)
    async with serving(folder, config={**QUICK, **upstream_config(fake_upstream)}) as server:
        chat = asyncio.create_task(server.chat(stream=True))
        changes = [server.live.disable, server.live.enable, server.live.reload]
        for gate, change in zip(gates, changes, strict=True):
            await change("mine")
            gate.opened.set()
        reply = await asyncio.wait_for(chat, PATIENCE)
        assert reply.text == "one two three four"
        assert await version(server) == 1


async def test_a_request_that_its_handler_is_answering_gets_its_answer(tmp_path: Path) -> None:
    code = """
import asyncio

async def slow(request):
    ctx.app.request_args["begun"].set()
    await ctx.app.request_args["go"].wait()
    from .late import WORD
    return {"late": WORD}

def __install__(given):
    global ctx
    ctx = given
    ctx.add_get("slow", slow)
"""
    folder = write(tmp_path / "mine", init=code, late__py="WORD = 'here'")
    async with serving(folder) as server:
        assert server.host.shared is not None
        shared: dict[str, Any] = server.host.shared.request_args
        shared |= {"begun": asyncio.Event(), "go": asyncio.Event()}
        request = asyncio.create_task(server.get("/ext/mine/slow"))
        await asyncio.wait_for(shared["begun"].wait(), PATIENCE)
        await server.live.disable("mine")
        shared["go"].set()
        reply = await asyncio.wait_for(request, PATIENCE)
        assert reply.status == 500
        assert "has been unloaded" in reply.body["error"]["message"], "it gets no new modules, but an answer"


async def test_a_filter_is_asked_no_more_once_it_is_gone(tmp_path: Path) -> None:
    code = """
def shout(chat, context):
    chat["messages"][-1]["content"] += "!"

def __install__(ctx):
    ctx.register_chat_request_filter(shout)
"""
    async with serving(write(tmp_path / "mine", init=code)) as server:
        await server.chat("Hi")
        await server.live.disable("mine")
        await server.chat("Hi")
        assert [chat["messages"][-1]["content"] for chat in server.provider.history] == ["Hi!", "Hi"]


async def test_providers_made_of_its_classes_come_and_go_with_it(tmp_path: Path) -> None:
    code = """
from llms.main import OpenAiCompatible

class Mine(OpenAiCompatible):
    sdk = "mine/sdk"

def __install__(ctx):
    ctx.add_provider(Mine)

async def __load__(ctx):
    ctx.get_providers()["direct"] = Mine(id="direct", api="http://127.0.0.1:1", api_key="x")
"""
    entry = {"npm": "mine/sdk", "api": "http://127.0.0.1:1", "api_key": "x", "models": {"m": {"id": "m"}}}
    async with serving(write(tmp_path / "mine", init=code), config={**QUICK, "providers": {"made": entry}}) as server:
        assert sorted(server.app.registry.live) == ["direct", "made"]
        await server.live.disable("mine")
        assert sorted(server.app.registry.live) == []
        await server.live.enable("mine")
        assert sorted(server.app.registry.live) == ["direct", "made"]


async def test_providers_of_others_survive(tmp_path: Path) -> None:
    async with serving(answering(tmp_path / "mine", 1)) as server:
        await server.live.reload("mine")
        await server.live.disable("mine")
        assert (await server.chat()).text == "ok"


# -- what goes wrong ---------------------------------------------------------------------------------------------


async def test_a_broken_edit_leaves_nothing_and_the_next_good_one_works(tmp_path: Path) -> None:
    folder = answering(tmp_path / "mine", 1)
    async with serving(folder) as server:
        answering(folder, 2, more="def __load__(ctx):\n    raise RuntimeError('no luck')")
        broken = await server.live.reload("mine")
        assert (broken.state, broken.reason) == (State.FAILED, "no luck")
        assert await version(server) == 404
        answering(folder, 3)
        assert (await server.live.reload("mine")).state is State.LOADED
        assert await version(server) == 3


async def test_two_changes_at_once_happen_one_after_the_other(tmp_path: Path) -> None:
    folder = answering(
        tmp_path / "mine", 1, more="import asyncio\nasync def __load__(ctx):\n    await asyncio.sleep(0.01)"
    )
    async with serving(folder) as server:
        live = server.live
        await asyncio.gather(*(live.reload("mine") for _ in range(3)), live.enable("mine"), live.load(one(server)))
        assert one(server).state is State.LOADED
        assert await version(server) == 1
        assert words(folder).count("1 startup") == words(folder).count("1 shutdown") + 1
        await live.disable("mine")
        assert await version(server) == 404
        assert server.host.shared is not None
        assert server.host.shared.routes.all == []


async def test_a_change_is_finished_even_if_nobody_waits_for_it(tmp_path: Path) -> None:
    slow = "import asyncio\nasync def __load__(ctx):\n    await asyncio.sleep(0.05)"
    async with serving(answering(tmp_path / "mine", 1, more=slow)) as server:
        asked = asyncio.create_task(server.live.reload("mine"))
        await asyncio.sleep(0.02)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
        await server.live.load(one(server))
        assert await version(server) == 1


async def test_only_what_there_is_can_be_changed(tmp_path: Path) -> None:
    async with serving(answering(tmp_path / "mine", 1)) as server:
        for change in (server.live.enable, server.live.disable, server.live.reload):
            with pytest.raises(NotFound, match=r"There is no extension 'yours'\. There are: mine\."):
                await change("yours")
        assert "disable_extensions" not in config(server)


async def test_what_is_built_in_or_disabled_is_not_reloaded(tmp_path: Path) -> None:
    async with serving(answering(tmp_path / "mine", 1)) as server:
        one(server).origin = Origin.BUILT_IN
        with pytest.raises(RequestError, match="is built in"):
            await server.live.reload("mine")
        one(server).origin = Origin.USER
        await server.live.disable("mine")
        with pytest.raises(RequestError, match="'mine' is not loaded: It is disabled"):
            await server.live.reload("mine")


async def test_a_configuration_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    async with serving(answering(tmp_path / "mine", 1)) as server:
        server.app.home.config_file.write_text("{broken")
        with pytest.raises(Exception, match=r"llms\.json"):
            await server.live.disable("mine")
        assert await version(server) == 1


async def test_a_crash_is_forgiven_when_somebody_enables_it(tmp_path: Path) -> None:
    write(tmp_path / "home/crashes", crashes__json=json.dumps({"mine": {"count": 3, "phase": "load"}}))
    async with serving(home=tmp_path / "home") as server:
        crashed = Extension("mine", answering(tmp_path / "mine", 1), Origin.USER)
        crashed.resign(State.DISABLED, server.host.crashes.reason("mine") or "")
        await server.live.add(crashed)
        assert "crashed" in crashed.reason
        await server.live.enable("mine")
        assert crashed.state is State.LOADED
        assert server.host.crashes.reason("mine") is None


# -- flags of one that comes late --------------------------------------------------------------------------------


async def test_flags_of_a_late_extension_have_their_defaults(tmp_path: Path) -> None:
    code = """
def __parser__(parser):
    parser.add_argument("--tempo", type=int, default=90)
    parser.add_command("sing", "Sings.", print)

def __install__(ctx):
    ctx.add_get("version", lambda request: {"version": ctx.cli_args.tempo})
"""
    async with serving() as server:
        await server.live.add(Extension("mine", write(tmp_path / "mine", init=code), Origin.USER))
        assert await version(server) == 90


@pytest.mark.parametrize(
    "flag", ["'--tempo', required=True", "'tempo'", "'--tempo', type=int, default='fast'", "'--tempo', action='hop'"]
)
async def test_flags_that_nobody_could_leave_out_are_an_error_of_the_extension(tmp_path: Path, flag: str) -> None:
    code = f"def __parser__(parser):\n    parser.add_argument({flag})"
    async with serving() as server:
        late = Extension("mine", write(tmp_path / "mine", init=code), Origin.USER)
        await server.live.add(late)
        assert late.state is State.FAILED
        assert late.reason
        assert (await server.get("/health")).status == 200


# -- safe mode ---------------------------------------------------------------------------------------------------


async def test_in_safe_mode_nothing_of_others_is_loaded_later_either(tmp_path: Path) -> None:
    async with serving() as server:
        server.host.safe_mode = True
        late = Extension("mine", answering(tmp_path / "mine", 1), Origin.USER)
        await server.live.add(late)
        await server.live.enable("mine")
        assert (late.state, late.reason) == (State.DISABLED, "--safe-mode loads built-in extensions only.")
