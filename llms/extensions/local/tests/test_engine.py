"""Supervision, with a runtime that does as it is told."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from llms.api import ProviderUnreachable
from llms.extensions.local.engine import Engine
from llms.extensions.local.tests.stage import MakeEngine, MakeModel, crash, eventually, get, is_empty, is_gone, starts


async def test_nothing_runs_before_the_first_use(make_engine: MakeEngine, make_model: MakeModel) -> None:
    engine = make_engine(make_model("fine"))
    assert engine.pid is None
    async with engine.use():
        assert engine.pid is not None


async def test_every_measured_trap_is_set_right(make_engine: MakeEngine, make_model: MakeModel) -> None:
    engine = make_engine(make_model("fine"))
    async with engine.use() as endpoint:
        params = await get(endpoint)
    assert params["hostnames"] == [str(endpoint.socket)]
    assert (params["cors_origins"], params["cors_credentials"]) == ("", False)
    assert (params["n_parallel"], params["n_ctx"]) == (4, 8192)
    assert (params["n_batch"], params["n_ubatch"]) == (128, 128)
    assert (params["cache_ram_mib"], params["ui"], params["model_alias"]) == (0, False, ["fine"])
    assert params["cpuparams"]["n_threads"] == max(1, params["cpuparams_batch"]["n_threads"] // 2)
    assert params["spin"] == "1000"


async def test_the_process_loads_nothing_of_the_server(make_engine: MakeEngine, make_model: MakeModel) -> None:
    async with make_engine(make_model("fine")).use() as endpoint:
        said = await get(endpoint)
    foreign = ("llms", "aiohttp", "asyncio", "rich")
    assert not [name for name in said["modules"] if name.partition(".")[0] in foreign]
    assert str(Path(__file__).parents[1]) not in said["path"]


async def test_the_socket_lies_in_a_folder_only_the_owner_can_enter(
    make_engine: MakeEngine, make_model: MakeModel, runtime_folder: Path
) -> None:
    async with make_engine(make_model("fine")).use() as endpoint:
        assert endpoint.socket is not None
        assert endpoint.socket.parent.parent == runtime_folder
        assert endpoint.socket.parent.stat().st_mode & 0o777 == 0o700


async def test_a_runtime_folder_too_deep_for_sockets_is_passed_over(
    make_engine: MakeEngine, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    async with make_engine(make_model("fine")).use() as endpoint:
        await get(endpoint)
    assert is_empty(deep)


async def test_twenty_callers_share_one_start(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("slow")
    engine = make_engine(model)

    async def use() -> int | None:
        async with engine.use():
            return engine.pid

    assert set(await asyncio.gather(*(use() for _ in range(20)))) == {engine.pid}
    assert len(starts(model)) == 1


async def test_callers_waiting_for_the_same_failing_start_share_its_error(
    make_engine: MakeEngine, make_model: MakeModel
) -> None:
    model = make_model("refuse")
    engine = make_engine(model)
    errors = await asyncio.gather(*(engine.start() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, ProviderUnreachable) for error in errors)
    assert len(starts(model)) == 1


async def test_two_engines_of_one_model_have_their_own_process_and_folder(
    make_engine: MakeEngine, make_model: MakeModel
) -> None:
    model = make_model("fine")
    first, second = make_engine(model), make_engine(model)
    async with first.use() as here, second.use() as there:
        assert first.pid != second.pid
        assert here.socket != there.socket
        await first.stop()
        await get(there)


async def test_a_killed_process_is_started_again_on_the_next_use(
    make_engine: MakeEngine, make_model: MakeModel
) -> None:
    model = make_model("fine")
    engine = make_engine(model)
    await crash(engine)
    async with engine.use() as endpoint:
        await get(endpoint)
    assert len(set(starts(model))) == 2


async def test_the_log_says_why_a_process_ended(
    make_engine: MakeEngine, make_model: MakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    await crash(make_engine(make_model("fine")))
    assert "killed, often because memory ran out" in caplog.text


async def test_a_crash_loop_is_refused_with_the_reason(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("fine")
    engine = make_engine(model)
    for _ in range(3):
        await crash(engine)
    with pytest.raises(ProviderUnreachable, match=r"killed.* 3 times within a minute: wait \d+ seconds") as refusal:
        await engine.start()
    assert refusal.value.retry_after is not None
    assert len(starts(model)) == 3


async def test_after_the_minute_a_refused_model_may_start_again(
    make_engine: MakeEngine, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(make_model("fine"))
    for _ in range(3):
        await crash(engine)
    monkeypatch.setattr("llms.extensions.local.engine._CRASH_SECONDS", 0.0)
    async with engine.use() as endpoint:
        await get(endpoint)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("refuse", r"\(error loading model: refuse\.gguf is torn\)"),
        ("abort", r"Aborted \(GGML_ASSERT\(sense\) failed\)"),
    ],
)
async def test_a_failed_start_says_why(make_engine: MakeEngine, make_model: MakeModel, word: str, reason: str) -> None:
    with pytest.raises(ProviderUnreachable, match=f"{word} did not start: .*{reason}"):
        await make_engine(make_model(word)).start()


async def test_a_missing_system_library_is_one_sentence_with_the_fix(
    make_engine: MakeEngine, make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text(
        "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')"
    )
    engine = make_engine(make_model("fine"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ProviderUnreachable, match="apt install libgomp1"):
        await engine.start()


async def test_a_start_that_takes_too_long_is_called_off(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("hang")
    with pytest.raises(ProviderUnreachable, match=r"not loaded within 1 seconds"):
        await make_engine(model, start_seconds=1).start()
    assert all(is_gone(pid) for pid in starts(model))


async def test_a_cancelled_use_leaves_no_process(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("hang")
    engine = make_engine(model)
    start = asyncio.create_task(engine.start())
    await eventually(lambda: starts(model))
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await eventually(lambda: is_gone(starts(model)[0]))


async def test_one_caller_leaving_does_not_disturb_the_others(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("slow")
    engine = make_engine(model)
    leaving, staying = asyncio.create_task(engine.start()), asyncio.create_task(engine.start())
    await eventually(lambda: starts(model))
    leaving.cancel()
    await get(await staying)
    assert len(starts(model)) == 1


async def test_stop_during_a_start_tells_those_who_wait(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("hang")
    engine = make_engine(model)
    start = asyncio.create_task(engine.start())
    await eventually(lambda: starts(model))
    await engine.stop()
    assert is_gone(starts(model)[0])
    with pytest.raises(ProviderUnreachable, match="stopped while it started"):
        await start


async def test_an_idle_model_is_stopped_and_comes_back(
    make_engine: MakeEngine, make_model: MakeModel, runtime_folder: Path
) -> None:
    model = make_model("fine")
    engine = make_engine(model, idle_seconds=0.05)
    async with engine.use():
        pass
    await eventually(lambda: engine.pid is None)
    await eventually(lambda: is_gone(starts(model)[0]) and is_empty(runtime_folder))
    async with engine.use() as endpoint:
        await get(endpoint)


async def test_a_model_in_use_is_not_idle(make_engine: MakeEngine, make_model: MakeModel) -> None:
    engine = make_engine(make_model("fine"), idle_seconds=0.05)
    async with engine.use():
        pass
    async with engine.use() as endpoint:
        await asyncio.sleep(0.2)
        async with engine.use():
            pass
        await asyncio.sleep(0.2)
        await get(endpoint)


async def test_idling_is_no_crash(make_engine: MakeEngine, make_model: MakeModel) -> None:
    engine = make_engine(make_model("fine"), idle_seconds=0)
    for _ in range(4):
        async with engine.use():
            pass
        await eventually(lambda: engine.pid is None)


async def test_a_child_that_prints_a_lot_still_starts(make_engine: MakeEngine, make_model: MakeModel) -> None:
    async with make_engine(make_model("noisy")).use() as endpoint:
        await get(endpoint)


async def test_without_unix_sockets_a_loopback_port_asks_for_a_key(
    make_engine: MakeEngine, make_model: MakeModel
) -> None:
    async with make_engine(make_model("fine"), tcp=True).use() as endpoint:
        params = await get(endpoint)
    assert endpoint.url.startswith("http://127.0.0.1:")
    assert params["api_keys"] == [endpoint.api_key]
    assert endpoint.api_key is not None


async def test_a_killed_server_leaves_neither_process_nor_folder(make_model: MakeModel, runtime_folder: Path) -> None:
    model = make_model("fine")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SERVER, model.path), stdout=asyncio.subprocess.PIPE, env=_server_environment()
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"up\n"
    [child] = starts(model)
    server.kill()
    await server.wait()
    await eventually(lambda: is_gone(child))
    assert is_empty(runtime_folder)


async def test_ctrl_c_in_the_terminal_is_left_to_the_server(make_engine: MakeEngine, make_model: MakeModel) -> None:
    engine = make_engine(make_model("fine"))
    async with engine.use() as endpoint:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGINT)
        await get(endpoint)


async def test_sigterm_ends_the_process_even_while_it_loads(make_engine: MakeEngine, make_model: MakeModel) -> None:
    model = make_model("hang")
    start = asyncio.create_task(make_engine(model).start())
    await eventually(lambda: starts(model))
    os.kill(starts(model)[0], signal.SIGTERM)
    with pytest.raises(ProviderUnreachable, match="Terminated"):
        await start


async def test_an_engine_is_cheap_to_make(make_model: MakeModel, runtime_folder: Path) -> None:
    Engine(make_model("fine"))
    assert is_empty(runtime_folder)


_SERVER = """
import asyncio, pathlib, sys
from llms.extensions.local.engine import Engine
from llms.extensions.local.models import LocalModel

async def main():
    await Engine(LocalModel("fine", "fine", pathlib.Path(sys.argv[1]), context=2048)).start()
    print("up", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def _server_environment() -> dict[str, str]:
    root = Path(__file__).parents[4]
    return {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{root}"}
