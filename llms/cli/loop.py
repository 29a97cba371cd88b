"""One invocation in its event loop, from the start of its app to its close."""

import asyncio
import os
import sys
from collections.abc import Callable

from llms.cli.dispatch import dispatch
from llms.cli.invocation import CURRENT, Invocation


def run(invocation: Invocation) -> int:
    """Starts the app, does what the line says, and closes the app on every way out; gives the exit code."""
    CURRENT.set(invocation)
    factory = _fast_loop() if invocation.options.serve is not None else None
    with asyncio.Runner(loop_factory=factory) as runner:
        code = runner.run(_run(invocation))
        if (shared := invocation.host.shared) is not None and shared.tasks.all:
            sys.stdout.flush()
            os._exit(code)  # the runner would wait for tasks that do not end when they are cancelled
        return code


async def _run(invocation: Invocation) -> int:
    app, host = invocation.app, invocation.host
    try:
        await host.install(app, cli_args=invocation.options, extra_args=invocation.words)
        await app.start()
        await host.load()
        if invocation.options.serve is None:  # a server tells its models whenever they are known
            host.settle()
            await app.registry.loaded(within=2.0)
        return await dispatch(invocation)
    finally:
        try:
            await host.end_tasks()
            await app.close()
        finally:
            host.forget()


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loops, where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
