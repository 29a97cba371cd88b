"""Extensions and the flags and commands they add."""

from collections.abc import Mapping
from typing import Any

from llms.cli.parser import Parser
from llms.host.loader import Host


def discover(parser: Parser, config: Mapping[str, Any], environ: Mapping[str, str]) -> Host:
    """The extensions that are not disabled, by `disable_extensions` or LLMS_DISABLE. `parser` gets their flags."""
    in_environ = (name.strip() for name in environ.get("LLMS_DISABLE", "").split(","))
    host = Host.discover(disabled={*in_environ, *(config.get("disable_extensions") or ())})
    host.add_arguments(parser)
    return host
