"""Extensions are imported once and their hooks called; what one of them breaks is its own."""

import argparse
import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from llms.app import App
from llms.host.loader import Host
from llms.kernel.errors import ConfigError, NotFound
from llms.kernel.foreign import ExtensionError
from llms.kernel.paths import Home
from llms.providers.openai_compatible import OpenAiCompatible

from .conftest import Install, hosting


def names(host: Host) -> list[str]:
    return [extension.name for extension in host.extensions if extension.is_loaded or extension.may_load]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def broken(*_: Any) -> None:
    raise ValueError("no luck")


class Custom(OpenAiCompatible):
    sdk = "custom"


# -- __parser__ ------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """Notes in whose name flags are added."""

    def __init__(self) -> None:
        super().__init__()
        self.extended: list[str] = []

    @contextmanager
    def extended_by(self, extension: str, /) -> Iterator[None]:
        self.extended.append(extension)
        yield


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Makes a host of extensions that are not installed yet."""
    made: list[Host] = []

    def make(**extensions: Any) -> Host:
        made.append(hosting(Home(tmp_path), **extensions))
        return made[-1]

    yield make
    for hosted in made:
        hosted.forget()


def test_every_extension_may_add_flags_in_its_own_name(host: Callable[..., Host]) -> None:
    parser = Parser()
    hosted = host(a={"__parser__": lambda p: p.add_argument("--a")}, silent={}, b={"__parser__": lambda p: None})
    hosted.add_arguments(parser)
    assert parser.extended == ["a", "b"]
    assert parser.parse_args(["--a", "1"]).a == "1"


def test_a_raising_parser_hook_costs_only_its_extension(
    host: Callable[..., Host], caplog: pytest.LogCaptureFixture
) -> None:
    hosted = host(bad={"__parser__": broken}, good={"__parser__": lambda p: p.add_argument("--good")})
    hosted.add_arguments(parser := Parser())
    assert names(hosted) == ["good"]
    assert errors(caplog) == ["Failed to add the flags of extension bad: no luck"]
    assert parser.parse_args(["--good", "1"]).good == "1"


# -- __install__ -----------------------------------------------------------------------------------------------


async def test_install_is_given_the_extensions_own_context(installed: Install) -> None:
    given: list[Any] = []
    await installed(mine={"__install__": given.append})
    (ctx,) = given
    assert (ctx.name, ctx.path, ctx.ext_prefix) == ("mine", "/extensions/mine", "/ext/mine")
    assert (ctx.cli_args.flag, ctx.extra_args) == ("set", ["word"])


async def test_install_runs_before_providers_exist(installed: Install) -> None:
    seen: list[Any] = []
    await installed(mine={"__install__": lambda ctx: seen.append(dict(ctx.get_providers()))})
    assert seen == [{}]


async def test_extensions_install_one_after_the_other(installed: Install) -> None:
    calls: list[str] = []

    async def slow(ctx: Any) -> None:
        await asyncio.sleep(0)
        calls.append("slow")

    await installed(a={"__install__": slow}, b={"__install__": lambda ctx: calls.append("quick")})
    assert calls == ["slow", "quick"]


async def test_a_sync_install_may_use_the_event_loop(installed: Install) -> None:
    threads: list[int] = []
    await installed(mine={"__install__": lambda ctx: threads.append(threading.get_ident())})
    assert threads == [threading.get_ident()]


async def test_an_extension_without_hooks_is_fine(installed: Install) -> None:
    assert names(await installed(mine={})) == ["mine"]


def half_way(ctx: Any) -> None:
    """Registers everything there is, then fails."""
    ctx.add_provider(Custom)
    for name in dir(ctx):
        if name.startswith("register_"):
            getattr(ctx, name)(broken)
    raise ValueError("no luck")


async def half_way_async(ctx: Any) -> None:
    half_way(ctx)


@pytest.mark.parametrize("install", [half_way, half_way_async])
async def test_a_raising_install_takes_back_all_it_registered(app: App, installed: Install, install: Any) -> None:
    classes = list(app.registry.classes)
    hosted = await installed(bad={"__install__": install, "__reload_providers__": broken})
    assert names(hosted) == []
    assert app.registry.classes == classes
    assert [hook for hook in vars(app.hooks).values() if getattr(hook, "handlers", None)] == []


async def test_a_raising_install_is_reported_once_and_the_others_go_on(
    app: App, installed: Install, caplog: pytest.LogCaptureFixture
) -> None:
    hosted = await installed(
        first={"__install__": lambda ctx: ctx.register_startup_handler(print)},
        badext={"__install__": broken},
        last={"__install__": lambda ctx: ctx.register_startup_handler(print)},
    )
    assert names(hosted) == ["first", "last"]
    assert [extension for _, extension in app.hooks.startup.handlers] == ["first", "last"]
    assert errors(caplog) == ["Failed to install extension badext: no luck"]


async def test_an_error_of_ours_in_install_is_reported_in_its_words(
    installed: Install, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(ctx: Any) -> None:
        raise NotFound("No GPU found. Plug one in.")

    await installed(mine={"__install__": missing})
    assert errors(caplog) == ["Failed to install extension mine: No GPU found. Plug one in."]


async def test_a_failed_install_is_neither_loaded_nor_run(installed: Install) -> None:
    calls: list[str] = []
    hosted = await installed(
        bad={
            "__install__": broken,
            "__load__": lambda ctx: calls.append("load"),
            "__run__": lambda ctx: calls.append("run"),
        }
    )
    await hosted.load()
    assert await hosted.run() is False
    assert calls == []


async def test_the_context_of_an_extension_is_found_by_name(installed: Install) -> None:
    hosted = await installed(mine={}, bad={"__install__": broken})
    context = hosted.context("mine")
    assert context is not None
    assert context.name == "mine"
    assert hosted.context("bad") is None
    assert hosted.context("nobody") is None


# -- __load__ --------------------------------------------------------------------------------------------------


async def test_load_may_be_sync_or_async_and_may_add_providers(app: App, installed: Install) -> None:
    async def load(ctx: Any) -> None:
        ctx.get_providers()["async"] = ctx.name

    hosted = await installed(
        a={"__load__": lambda ctx: ctx.get_providers().update(sync=ctx.name)}, b={"__load__": load}
    )
    await hosted.load()
    assert app.registry.live == {"sync": "a", "async": "b"}


async def test_all_load_at_once(installed: Install) -> None:
    met = asyncio.Barrier(2)

    async def load(ctx: Any) -> None:
        await met.wait()

    hosted = await installed(a={"__load__": load}, b={"__load__": load})
    async with asyncio.timeout(10):
        await hosted.load()


async def test_a_raising_load_is_reported_and_the_others_go_on(
    installed: Install, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    async def bad(ctx: Any) -> None:
        raise KeyError("token")

    hosted = await installed(bad={"__load__": bad}, good={"__load__": lambda ctx: calls.append("good")})
    await hosted.load()
    assert (names(hosted), calls) == (["good"], ["good"])
    assert errors(caplog) == ["Failed to load extension bad: KeyError('token')"]


async def test_a_raising_load_takes_back_what_install_registered(app: App, installed: Install) -> None:
    calls: list[str] = []

    def install(ctx: Any) -> None:
        ctx.register_chat_request_filter(lambda chat, context: calls.append("filter"))

    hosted = await installed(bad={"__install__": install, "__load__": broken, "__reload_providers__": calls.append})
    await hosted.load()
    await app.hooks.chat_request({}, {})
    await app.hooks.reload_providers()
    assert calls == []


# -- __reload_providers__ --------------------------------------------------------------------------------------


async def test_reload_providers_is_called_with_the_context_after_every_rebuild(app: App, installed: Install) -> None:
    calls: list[str] = []

    async def reload(ctx: Any) -> None:
        calls.append(f"async {ctx.name}")

    hosted = await installed(
        a={"__reload_providers__": lambda ctx: calls.append(f"sync {ctx.name}")}, b={"__reload_providers__": reload}
    )
    await hosted.load()
    await app.hooks.reload_providers()
    await app.hooks.reload_providers()
    assert calls == ["sync a", "async b"] * 2


async def test_a_raising_reload_is_skipped(app: App, installed: Install) -> None:
    calls: list[str] = []
    hosted = await installed(
        bad={"__reload_providers__": broken}, good={"__reload_providers__": lambda ctx: calls.append("good")}
    )
    await hosted.load()
    await app.hooks.reload_providers()
    assert calls == ["good"]


# -- __run__ ---------------------------------------------------------------------------------------------------


def running(calls: list[str], handled: Any) -> Callable[[Any], Any]:
    def run(ctx: Any) -> Any:
        calls.append(ctx.name)
        return handled

    return run


async def test_run_goes_on_until_one_says_that_it_handled_the_line(installed: Install) -> None:
    calls: list[str] = []
    hosted = await installed(
        a={"__run__": running(calls, None)},
        silent={},
        b={"__run__": running(calls, False)},
        c={"__run__": running(calls, True)},
        d={"__run__": running(calls, True)},
    )
    assert await hosted.run() is True
    assert calls == ["a", "b", "c"]


async def test_run_says_where_nobody_handled_the_line(installed: Install) -> None:
    assert await (await installed(a={"__run__": running([], None)}, b={})).run() is False


async def test_run_may_be_async(installed: Install) -> None:
    async def run(ctx: Any) -> bool:
        return True

    assert await (await installed(mine={"__run__": run})).run() is True


async def test_a_sync_run_may_have_an_event_loop_of_its_own(installed: Install) -> None:
    def run(ctx: Any) -> bool:
        asyncio.run(asyncio.sleep(0))
        return True

    assert await (await installed(mine={"__run__": run})).run() is True


async def test_a_raising_run_ends_the_command_with_its_words(installed: Install) -> None:
    hosted = await installed(mine={"__run__": broken})
    with pytest.raises(ExtensionError, match=r"^no luck$"):
        await hosted.run()


async def test_a_raising_install_ends_what_it_had_begun_in_the_background(installed: Install) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def install(ctx: Any) -> None:
        tasks.append(ctx.spawn(asyncio.Event().wait()))
        ctx.schedule(lambda: None, every=0.01)
        raise ValueError("no luck")

    hosted = await installed(bad={"__install__": install})
    assert hosted.shared is not None
    await asyncio.wait(tasks, timeout=5)
    assert tasks[0].cancelled()
    assert hosted.shared.tasks.of("bad") == []


async def test_a_raising_run_leaves_the_line_to_the_others(installed: Install) -> None:
    assert await (await installed(bad={"__run__": broken}, good={"__run__": lambda ctx: True})).run() is True


async def test_an_extension_that_was_unloaded_registers_nothing_any_more(installed: Install, app: App) -> None:
    hosted = await installed(mine={})
    (extension,) = hosted.extensions
    ctx = extension.ctx
    assert ctx is not None and hosted.shared is not None
    hosted.take_back(extension)
    with pytest.raises(ConfigError, match="has been unloaded"):
        ctx.add_get("ghost", broken)
    with pytest.raises(ConfigError, match="has been unloaded"):
        ctx.register_startup_handler(broken)
    assert hosted.shared.routes.all == []
    assert not app.hooks.startup


async def test_a_provider_of_a_class_whose_extension_failed_to_load_is_gone(app: App, installed: Install) -> None:
    app.config.data["providers"] = {"zz": {"npm": "custom", "api": "http://localhost:1", "api_key": "k" * 9}}
    hosted = await installed(bad={"__install__": lambda ctx: ctx.add_provider(Custom), "__load__": broken})
    await app.start()
    assert "zz" in app.registry.live
    await hosted.load()
    assert "zz" not in app.registry.live


async def test_a_task_that_does_not_end_is_named(installed: Install, caplog: pytest.LogCaptureFixture) -> None:
    hosted = await installed(mine={})
    ctx = hosted.context("mine")
    assert ctx is not None and hosted.shared is not None
    stubborn = asyncio.Event()

    async def work() -> None:
        while not stubborn.is_set():
            with suppress(asyncio.CancelledError):
                await stubborn.wait()

    task = ctx.spawn(work())
    await asyncio.sleep(0)
    await hosted.shared.tasks.end("mine", within=0.01)
    assert "A background task goes on although it was cancelled" in caplog.text
    stubborn.set()
    await task
