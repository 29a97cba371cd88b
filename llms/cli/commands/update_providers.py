"""`llms --update-providers`"""

import asyncio
from argparse import Namespace
from collections.abc import Mapping

from llms.cli import configuration
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.kernel.config import Config
from llms.kernel.paths import Home


def run(home: Home, options: Namespace, environ: Mapping[str, str]) -> int:
    """Brings providers.json up to date with models.dev. Raises LlmsError, and changes nothing, where that fails."""
    config = configuration.load(home, options, environ)
    for said in asyncio.run(_updated(config)):
        note(said)
    config.reload()
    models = sum(len(provider["models"]) for provider in config.catalog.values())
    say(f"{config.providers_file}: {models} models of {len(config.catalog)} providers, of {config.origin.date}")
    return ExitCode.SUCCESS


async def _updated(config: Config) -> list[str]:
    from llms.providers import refresh
    from llms.providers.http import HttpClient

    http = HttpClient(config.limits)
    try:
        return await refresh.update(config, http)
    finally:
        await http.close()
