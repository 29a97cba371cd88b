"""Its filters and handlers never end."""

import asyncio
import threading


async def wait(*_):
    await asyncio.Event().wait()


def wait_in_a_thread(*_):
    threading.Event().wait()


def __install__(ctx):
    ctx.register_chat_response_filter(wait)
    ctx.register_chat_response_filter(wait_in_a_thread)
    ctx.register_startup_handler(wait)
    ctx.register_cleanup_handler(wait)
    ctx.register_shutdown_handler(wait_in_a_thread)
