"""The yardstick: the least an aiohttp + uvloop reverse proxy can do. `bare_proxy PORT UPSTREAM_URL`."""

import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

UPSTREAM = web.AppKey("upstream", str)
SESSION = web.AppKey("session", ClientSession)


async def open_session(app: web.Application) -> AsyncIterator[None]:
    connector = TCPConnector(limit=0)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as app[SESSION]:
        yield


async def relay(request: web.Request) -> web.StreamResponse:
    url = request.app[UPSTREAM] + request.path
    headers = {name: request.headers.get(name, "") for name in ("Authorization", "Content-Type")}
    sent = request.app[SESSION].request(request.method, url, data=await request.read(), headers=headers)
    async with sent as resp:
        reply_headers = {"Content-Type": resp.headers["Content-Type"]}
        if resp.content_type != "text/event-stream":
            return web.Response(status=resp.status, body=await resp.read(), headers=reply_headers)
        out = web.StreamResponse(status=resp.status, headers=reply_headers)
        await out.prepare(request)
        async for chunk in resp.content.iter_any():
            await out.write(chunk)
        return out


if __name__ == "__main__":
    proxy = web.Application(client_max_size=0)
    proxy[UPSTREAM] = sys.argv[2]
    proxy.cleanup_ctx.append(open_session)
    proxy.router.add_route("*", "/{path:.*}", relay)
    web.run_app(proxy, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, loop=uvloop.new_event_loop())
