"""Models on this machine: a small demo model that needs no key and no network, and the user's own `.gguf` files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llms.api import ExtensionContext


def __parser__(parser: Any) -> None:
    parser.add_command(
        "local", "Show the models on this machine; `install` fetches the demo model.", run, actions=("install",)
    )


async def run(ctx: ExtensionContext, words: list[str]) -> int:
    """`llms local …`. Imported only when called, because every command line adds this command."""
    from . import command

    return await command.run(ctx, words)


async def __load__(ctx: ExtensionContext) -> None:
    from llms.api import Limits

    from .provider import LocalProvider

    provider = LocalProvider(ctx.home.models, lambda: Limits(**ctx.limits))
    ctx.get_providers()[provider.id] = provider
    ctx.register_shutdown_handler(provider.stop)
