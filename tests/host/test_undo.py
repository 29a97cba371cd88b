"""Whatever an extension registers is gone when it is unloaded, and what it replaced is back."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llms.host.discovery import BUILT_INS
from llms.host.extension import Extension, Origin, State
from llms.kernel.paths import PACKAGE
from llms.testing import TestServer, make_app

from .folders import answering, write
from .registries import differences, registries

SAMPLES = Path(__file__).parents[1] / "samples"
HOSTILE = Path(__file__).parent / "hostile/attacks"
DDGS = """
class DDGS:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def text(self, query, max_results):
        return iter([{"title": query}])
"""
EVERYTHING = (HOSTILE / "raises_after_registering/__init__.py").read_text()
GREEDY = '''
def tool_a(): """A."""
def tool_b(): """B."""

def __install__(ctx):
    ctx.register_tool(tool_a, {"function": {"name": "shared", "description": NAME}}, NAME)
    ctx.register_tool(tool_b, {"function": {"name": f"only_{NAME}", "description": NAME}})
    ctx.app.tools[f"direct_{NAME}"] = tool_a
    ctx.app.tools["direct"] = tool_a
    ctx.app.tool_definitions.append({"type": "function", "function": {"name": f"direct_{NAME}"}})
    ctx.app.tool_groups.setdefault("direct", []).append(f"direct_{NAME}")
    ctx.app.contextual_tool_providers.append(object())
    ctx.add_importmaps({"vue": f"/ext/{NAME}/vue.mjs", NAME: "x"})
    ctx.app.import_maps["marked"] = f"/ext/{NAME}/marked.mjs"
    ctx.app.index_headers.append(f"<meta name={NAME}>")
    ctx.app.aspect_ratios["1:1"] = NAME
    ctx.app.request_args["seed"] = float
    ctx.threads = ctx.media = object()
    ctx.get_providers()["shared"] = Provider()
    ctx.register_provider_handler("shared", Provider())

class Provider:
    models = {}

    async def chat(self, chat, context=None): ...
'''


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with make_app(config={"limits": {"hook_timeout": 1, "install_timeout": 5}}) as server:
        yield server


@pytest.fixture(autouse=True)
async def warm(server: TestServer, tmp_path: Path) -> None:
    """What the first extension starts for all, such as the watchdog, is no leftover."""
    await load(server, answering(tmp_path / "first", 1))
    await server.live.drop(server.host.extensions[-1])


async def load(server: TestServer, folder: Path, origin: Origin = Origin.USER, package: str = "") -> Extension:
    """Loads what lies in `folder`, as a start would; the rest of the test can see whether it is loaded."""
    extension = Extension(folder.name, folder, origin, package=package)
    await server.live.add(extension)
    return extension


@pytest.mark.parametrize("name", BUILT_INS)
async def test_a_built_in_leaves_nothing(server: TestServer, name: str) -> None:
    before = registries(server)
    one = await load(server, PACKAGE / "extensions" / name, Origin.BUILT_IN, f"llms.extensions.{name}")
    assert one.state is State.LOADED or "disabled itself" in one.reason, one.reason
    await server.chat()
    await server.live.drop(one)
    assert differences(before, registries(server)) == {}


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir() if (path / "__init__.py").exists()))
async def test_a_sample_leaves_nothing(
    server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(str(write(tmp_path / "site", ddgs__py=DDGS)))
    shutil.copytree(SAMPLES / name, tmp_path / name)
    before = registries(server)
    one = await load(server, tmp_path / name)
    assert one.state is State.LOADED, one.reason
    assert differences(before, registries(server)) != {}
    await server.chat()
    await server.live.drop(one)
    assert differences(before, registries(server)) == {}


@pytest.mark.parametrize("hook", ["__install__", "__load__"])
async def test_one_that_registers_everything_and_then_fails_leaves_nothing(
    server: TestServer, tmp_path: Path, hook: str
) -> None:
    folder = write(tmp_path / "failing", init=EVERYTHING.replace("__install__", hook))
    (folder / "ui").mkdir()
    before = registries(server)
    one = await load(server, folder)
    assert (one.state, one.reason) == (State.FAILED, "no luck after all that")
    assert differences(before, registries(server)) == {}


async def test_one_that_registers_everything_and_is_unloaded_leaves_nothing(server: TestServer, tmp_path: Path) -> None:
    code = EVERYTHING.replace('    raise RuntimeError("no luck after all that")', "").replace(
        "    ctx.set_auth_provider(Gate(ctx.app))", ""
    )
    before = registries(server)
    one = await load(server, write(tmp_path / "greedy", init=code))
    assert one.state is State.LOADED, one.reason
    assert {"routes", "hooks", "tools", "classes", "providers", "services", "tasks"} <= differences(
        before, registries(server)
    ).keys()
    await server.live.drop(one)
    assert differences(before, registries(server)) == {}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_that_replace_the_same_things_leave_nothing_in_whatever_order_they_go(
    server: TestServer, tmp_path: Path, order: tuple[int, int]
) -> None:
    before = registries(server)
    both = [await load(server, write(tmp_path / name, init=f"NAME = {name!r}\n{GREEDY}")) for name in ("one", "two")]
    assert [one.reason for one in both] == ["", ""]
    for place in order:
        await server.live.drop(both[place])
        other = both[1 - place]
        if other in server.host.extensions:
            assert server.app.tools.of(other.name) == [f"only_{other.name}", "shared"]
            assert server.app.tools.groups[other.name] == ["shared"]
            assert server.host.shared is not None
            assert server.host.shared.page.import_maps["vue"] == f"/ext/{other.name}/vue.mjs"
    assert differences(before, registries(server)) == {}


async def test_what_an_extension_takes_out_of_others_comes_back_at_once(server: TestServer, tmp_path: Path) -> None:
    await load(server, write(tmp_path / "victim", init=f"NAME = 'victim'\n{GREEDY}"))
    before = registries(server)
    shutil.copytree(HOSTILE / "takes_others_away", tmp_path / "takes_others_away")
    one = await load(server, tmp_path / "takes_others_away")
    assert one.state is State.LOADED, one.reason
    assert {*differences(before, registries(server))} <= {"private modules", "sys.meta_path"}
    await server.live.drop(one)
    assert differences(before, registries(server)) == {}


async def test_what_an_extension_stores_stays(server: TestServer, tmp_path: Path) -> None:
    code = "async def __load__(ctx):\n    await ctx.store.set('kept', 1 + (await ctx.store.get('kept') or 0))\n"
    one = await load(server, write(tmp_path / "keeper", init=code))
    await server.live.reload("keeper")
    assert one.ctx is not None
    assert await one.ctx.store.get("kept") == 2


async def test_a_service_it_has_lent_is_what_it_was(server: TestServer, tmp_path: Path) -> None:
    before = registries(server)["services"]
    lending = "def __install__(ctx):\n    ctx.threads = ctx\n"
    one, two = [await load(server, write(tmp_path / name, init=lending)) for name in ("one", "two")]
    assert registries(server)["services"]["threads"] is two.ctx
    await server.live.drop(one)
    assert registries(server)["services"]["threads"] is two.ctx
    await server.live.drop(two)
    assert registries(server)["services"] == before
