"""`llms --serve [PORT]`"""

from llms.app import App
from llms.cli.demo import NO_PROVIDER
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import note
from llms.host.live import Live


async def run(invocation: Invocation) -> int:
    """Serves until it is told to stop."""
    from llms.web.server import serve

    app, options = invocation.app, invocation.options
    if not await _any_model(app):
        note(NO_PROVIDER)
    live = Live(invocation.host)
    await serve(live, host=options.host, port=options.serve, insecure=options.insecure, dev=options.dev)
    return ExitCode.SUCCESS


async def _any_model(app: App) -> bool:
    """Whether any model is known, or may yet be."""
    if app.registry.default_model() is None and not await app.registry.loaded(within=0.2):
        return True
    return app.registry.default_model() is not None
