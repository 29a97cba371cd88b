"""Handlers that raise what looks as if the server itself was told to stop cost their extension alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llms.testing import TestServer, make_app, tool_call


async def cancel(*_: Any) -> None:
    """Awaits what it has cancelled: the usual way to raise CancelledError by mistake."""
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task


async def tool() -> str:
    """Has no luck."""
    await cancel()
    return "luck"


def hostile(ctx: Any) -> None:
    ctx.add_get("here", cancel)
    ctx.register_tool(tool)
    for register in (
        *(ctx.register_startup_handler, ctx.register_cleanup_handler, ctx.register_shutdown_handler),
        *(ctx.register_chat_response_filter, ctx.register_chat_error_filter, ctx.register_chat_delta_filter),
        *(ctx.register_chat_tool_filter, ctx.register_chat_status_filter, ctx.register_setup_user_handler),
    ):
        register(cancel)
    ctx.spawn(cancel())


@asynccontextmanager
async def serving() -> AsyncIterator[TestServer]:
    try:
        async with make_app(hostile) as server:
            yield server
    except asyncio.CancelledError:  # pytest itself would take it for the end of all tests
        pytest.fail("It cancelled the server.")


async def test_the_server_starts_and_a_chat_is_answered() -> None:
    async with serving() as server:
        assert (await server.chat()).text == "ok"
        assert (await server.chat(stream=True)).text == "ok"


async def test_a_route_is_a_500() -> None:
    async with serving() as server:
        assert (await server.get("/ext/hostile/here")).status == 500


async def test_a_tool_is_a_result_that_says_so() -> None:
    async with serving() as server:
        server.provider.enqueue(tool_call("tool"), "never mind")
        reply = await server.chat(metadata={"tools": "all"})
        assert reply.text == "never mind"
        assert "Error executing tool 'tool'" in str(server.provider.history[1]["messages"][-1]["content"])


async def test_they_are_counted() -> None:
    async with serving() as server:
        await server.chat()
        assert server.app.hooks.accounts.of("hostile").errors > 0
