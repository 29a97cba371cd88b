"""`llms --default MODEL`"""

from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.kernel.types import Json


async def run(invocation: Invocation) -> int:
    """Makes the named model the one that answers when none is named. Raises ModelNotFound."""
    app, model = invocation.app, invocation.options.default
    app.registry.candidates(model)

    def edit(config: Json) -> None:
        config.setdefault("defaults", {}).setdefault("text", {"messages": []})["model"] = model

    app.config.update(edit)
    say(f"Default model: {model}")
    return ExitCode.SUCCESS
