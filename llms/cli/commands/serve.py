"""`llms --serve [PORT]`"""

from llms.cli.demo import NO_PROVIDER
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import note


async def run(invocation: Invocation) -> int:
    """Serves until it is told to stop."""
    from llms.web.server import serve

    app, options = invocation.app, invocation.options
    if app.registry.default_model() is None:
        note(NO_PROVIDER)
    await serve(
        app,
        host=options.host,
        port=options.serve,
        insecure=options.insecure,
        extensions=[extension.name for extension in invocation.host.extensions],
    )
    return ExitCode.SUCCESS
