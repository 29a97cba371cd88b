"""What a user prefers, as far as the server keeps it."""

from aiohttp import web

from llms.web.keys import APP
from llms.web.reply import json_response


def routes() -> list[web.RouteDef]:
    return [web.get("/prefs", prefs)]


async def prefs(request: web.Request) -> web.Response:
    """The preferences of who asks; where nobody has to sign in, those of everybody."""
    app = request.app[APP]
    return json_response(app.prefs.get_all(app.auth.username(request)))
