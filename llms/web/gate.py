"""Who may call what, where one has to sign in."""

import enum
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from llms.app import App
from llms.kernel.errors import Forbidden
from llms.users.arrivals import Arrivals
from llms.web.dispatch import is_of_extension


class Access(enum.Enum):
    """Whom a route is for."""

    OPEN = "everybody, and it knows no user"
    SIGNED_IN = "who is signed in"
    ADMIN = "who is signed in and has the role Admin"
    ITS_OWN = "whom the extension says that it belongs to: what calls its handler asks"


# Every route of the server itself. One that is missing here is for admins only, and a test fails for it.
CORE = MappingProxyType(
    {
        ("GET", "/"): Access.OPEN,
        ("GET", "/ui/{path}"): Access.OPEN,
        ("GET", "/health"): Access.OPEN,
        ("GET", "/config"): Access.OPEN,
        ("GET", "/status"): Access.OPEN,
        ("GET", "/models"): Access.OPEN,
        ("GET", "/v1/models"): Access.OPEN,
        ("GET", "/v1/models/{id}"): Access.OPEN,
        ("GET", "/providers"): Access.OPEN,
        ("POST", "/providers/{id}"): Access.ADMIN,
        ("GET", "/prefs"): Access.SIGNED_IN,
        ("POST", "/v1/chat/completions"): Access.SIGNED_IN,
        ("POST", "/v1/embeddings"): Access.SIGNED_IN,
        ("POST", "/upload"): Access.SIGNED_IN,
        ("GET", "/~cache/{path}"): Access.SIGNED_IN,
        ("GET", "/ext"): Access.OPEN,
        ("GET", "/ext/events"): Access.SIGNED_IN,
        ("GET", "/ext/status"): Access.ADMIN,
        ("POST", "/ext/status/{name}"): Access.ADMIN,
        ("GET", "/ext/{name}/settings"): Access.ADMIN,
        ("PUT", "/ext/{name}/settings"): Access.ADMIN,
    }
)


def gate(app: App) -> Middleware:
    """The middleware behind the border that asks who comes, turns away who may not pass, and sets up who is new."""
    arrivals = Arrivals(app.hooks.setup_user)

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        needed = access(request)
        if needed in (Access.SIGNED_IN, Access.ADMIN):
            app.auth.require(request)
        if needed is Access.ADMIN and not app.auth.is_admin(request):
            raise Forbidden("Only an admin may do this. Sign in as one.")
        if needed is not Access.OPEN and app.hooks.setup_user:
            await arrivals.welcome(app.auth.username(request), request)
        return await handler(request)

    return handle


def access(request: web.Request) -> Access:
    """Whom the route that answers `request` is for. Where there is none, an error answers that tells nothing."""
    route = request.match_info.route
    if is_of_extension(request.match_info.handler):
        return Access.ITS_OWN
    if route.resource is None:
        return Access.OPEN
    method = "GET" if route.method == "HEAD" else route.method
    return CORE.get((method, route.resource.canonical), Access.ADMIN)
