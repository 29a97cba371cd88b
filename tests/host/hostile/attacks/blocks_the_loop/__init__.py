"""Keeps the event loop from everybody: asleep, busy, and busy again whatever is raised at it."""

import time

from aiohttp import web


async def sleep(request):
    time.sleep(3600)


async def spin(request):
    while True:
        pass


async def spin_on(request):
    while True:
        try:
            while True:
                pass
        except Exception:
            continue


async def fine(request):
    return web.json_response({"fine": True})


def __install__(ctx):
    for handler in (sleep, spin, spin_on, fine):
        ctx.add_get(handler.__name__, handler)
