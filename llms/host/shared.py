"""What all extensions share beside the app: one place each for routes, the page, services, tasks and flags."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llms.host.page import Page
from llms.host.routes import Routes
from llms.host.services import Services
from llms.host.tasks import Tasks

if TYPE_CHECKING:
    from llms.app import App
    from llms.host.loader import Host

ASPECT_RATIOS = (
    ("1:1", "1024×1024"),
    ("2:3", "832×1248"),
    ("3:2", "1248×832"),
    ("3:4", "864×1184"),
    ("4:3", "1184×864"),
    ("4:5", "896×1152"),
    ("5:4", "1152×896"),
    ("9:16", "768×1344"),
    ("16:9", "1344×768"),
    ("21:9", "1536×672"),
)
REQUEST_ARGS: tuple[tuple[str, type], ...] = (
    ("image_config", dict),
    ("temperature", float),
    ("max_completion_tokens", int),
    ("seed", int),
    ("top_p", float),
    ("frequency_penalty", float),
    ("presence_penalty", float),
    ("stop", list),
    ("reasoning_effort", str),
    ("verbosity", str),
    ("service_tier", str),
    ("top_logprobs", int),
    ("safety_identifier", str),
    ("store", bool),
    ("enable_thinking", bool),
    ("tool_combination", bool),
)


@dataclass(slots=True, eq=False)
class Shared:
    """`cli_args` are the parsed flags, `extra_args` the words between them."""

    app: App
    host: Host
    cli_args: argparse.Namespace
    extra_args: list[str]
    routes: Routes = field(default_factory=Routes)
    page: Page = field(default_factory=Page)
    services: Services = field(default_factory=Services)
    tasks: Tasks = field(init=False)
    aspect_ratios: dict[str, str] = field(default_factory=lambda: dict(ASPECT_RATIOS))
    request_args: dict[str, type] = field(default_factory=lambda: dict(REQUEST_ARGS))

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.app.hooks.accounts)

    def containers(self) -> list[dict[str, Any] | list[Any]]:
        """What extensions may change by themselves, without a method of `ctx`."""
        page = self.page
        return [
            *(page.import_maps, page.headers, page.footers, page.modules),
            *(self.aspect_ratios, self.request_args, self.app.registry.classes),
        ]
