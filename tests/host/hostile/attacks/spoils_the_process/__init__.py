"""Spoils what all share, as it is imported and as it is installed."""

import builtins
import os
import signal
import sys


def spoil():
    sys.path[:] = ["/nowhere"]
    sys.modules["json"] = sys.modules["asyncio"] = None
    sys.stdout = sys.stderr = None
    builtins.print = builtins.len = lambda *_: 7
    os.chdir("/")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


spoil()


def __install__(ctx):
    spoil()
    ctx.add_get("here", lambda request: {"here": True})
