"""make_app: the whole server, for one test."""

from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from llms.host.context import ExtensionContext
from llms.testing import FakeUpstream, make_app
from llms.testing.app import upstream_config


async def test_it_serves_on_a_port_of_its_own() -> None:
    async with make_app() as one, make_app() as other:
        assert one.url != other.url
        assert (await one.chat()).text == (await other.chat()).text == "ok"


async def test_it_is_gone_afterwards() -> None:
    async with make_app() as server:
        url = server.url
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(url)


async def test_a_function_is_an_extension_that_is_named_after_it() -> None:
    seen: list[ExtensionContext] = []

    def gallery(ctx: ExtensionContext) -> None:
        seen.append(ctx)

    async with make_app(gallery):
        assert [ctx.name for ctx in seen] == ["gallery"]


async def test_an_object_with_hooks_is_an_extension() -> None:
    order: list[str] = []

    async def load(_: ExtensionContext) -> None:
        order.append("load")

    extension = SimpleNamespace(__install__=lambda ctx: order.append("install"), __load__=load)
    async with make_app(extension):
        assert order == ["install", "load"]


async def test_an_extension_that_is_loaded_finds_the_provider() -> None:
    found: list[str] = []
    extension = SimpleNamespace(__load__=lambda ctx: found.extend(ctx.get_providers()))
    async with make_app(extension):
        assert found == ["fake"]


async def test_startup_and_cleanup_run_around_the_test() -> None:
    order: list[str] = []

    def install(ctx: ExtensionContext) -> None:
        ctx.register_startup_handler(lambda: order.append("startup"))
        ctx.register_cleanup_handler(lambda: order.append("cleanup"))
        ctx.register_shutdown_handler(lambda: order.append("shutdown"))

    async with make_app(install):
        order.append("test")
    assert order == ["startup", "test", "cleanup", "shutdown"]


async def test_the_configuration_is_the_one_given() -> None:
    async with make_app(config={"limits": {"retries": 9}}) as server:
        assert server.app.config.limits.retries == 9


async def test_with_providers_configured_the_fake_one_is_not_there(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=upstream_config(fake_upstream)) as server:
        assert list(server.app.registry.live) == ["upstream"]


async def test_the_home_is_a_new_one_unless_given(tmp_path: Path) -> None:
    async with make_app() as server, make_app(home=tmp_path / "mine") as other:
        assert server.app.home.root != other.app.home.root == tmp_path / "mine"
        temporary = server.app.home.root
    assert not temporary.exists()
    assert (tmp_path / "mine" / "llms.json").exists()


async def test_a_reply_tells_status_headers_and_body() -> None:
    async with make_app() as server:
        reply = await server.chat(model="unknown")
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.body["error"]["code"] == "model_not_found"
    assert reply.chunks == []


async def test_a_failing_test_still_stops_the_server() -> None:
    with pytest.raises(ZeroDivisionError):
        async with make_app() as server:
            url = server.url
            _ = 1 / 0
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(url)
