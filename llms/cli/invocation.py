"""One run of the program, as its commands see it."""

from argparse import Namespace
from contextvars import ContextVar
from dataclasses import dataclass

from llms.app import App
from llms.cli.parser import Parser
from llms.host.loader import Host


@dataclass(frozen=True, slots=True)
class Invocation:
    """The started app, the extensions, and what was typed and piped in."""

    app: App
    host: Host
    parser: Parser
    options: Namespace
    words: list[str]
    piped: str = ""


CURRENT: ContextVar[Invocation | None] = ContextVar("invocation", default=None)  # of this run, or of the last one
