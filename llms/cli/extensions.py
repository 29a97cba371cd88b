"""Extensions and the flags and commands they add."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from llms.cli.parser import Parser
from llms.host.discovery import concerns_providers, disabled_names
from llms.host.extension import Extension
from llms.host.loader import Host
from llms.kernel.config import Config
from llms.kernel.paths import Home


def discover(parser: Parser, home: Home, options: Namespace, config: Config | None, words: list[str]) -> Host:
    """The extensions of this run, their code imported where `words` need it. `parser` gets their flags."""
    host = Host.discover(
        home,
        disabled=disabled_names(config.data, config.environ) if config else (),
        development=[Path(path) for path in options.extension],
        safe_mode=options.safe_mode,
        limits=config.limits if config else None,
    )
    host.import_code(_wanted(options, words))
    host.add_arguments(parser)
    return host


def _wanted(options: Namespace, words: list[str]) -> Callable[[Extension], bool]:
    """What must be imported. To list or switch providers, only what may have to do with them; see contract 1.2."""
    lists = options.list or options.enable or options.disable or options.default or words[:1] == ["ls"]
    has_unknown_flags = any(word.startswith("-") for word in words)  # some extension's, perhaps
    return concerns_providers if lists and not has_unknown_flags else lambda _: True
