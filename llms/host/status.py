"""What there is to know of each extension, for whoever operates the server."""

from collections.abc import Callable
from typing import Any

from llms.host.extension import Extension
from llms.host.loader import Host
from llms.kernel.types import Json


def statuses(host: Host) -> list[Json]:
    """One entry for each extension, in load order; those that are not loaded say why. No secret is told."""
    return [status(host, extension) for extension in host.extensions]


def status(host: Host, extension: Extension) -> Json:
    """Times are seconds: `start_seconds` of import and start, `seconds` of all calls since."""
    manifest = extension.manifest
    told: Json = {
        "name": extension.name,
        "origin": extension.origin.value,
        "version": extension.version,
        "description": manifest.description if manifest else "",
        "homepage": manifest.homepage if manifest else "",
        "permissions": list(manifest.permissions) if manifest else [],
        "state": extension.state.value,
        "reason": extension.reason,
        "hooks": extension.hooks,
        "start_seconds": round(extension.seconds, 6),
        **_registered(host, extension.name),
    }
    cleaned: Json = _clean(told, host.shared.app.secrets.mask if host.shared else str)
    return cleaned


def _registered(host: Host, name: str) -> dict[str, Any]:
    """What the extension called `name` has registered, and what its calls have cost."""
    shared = host.shared
    if shared is None:
        return {}
    hooks = shared.app.hooks
    account = hooks.accounts.of(name)
    return {
        "routes": [f"{route.method} {route.path}" for route in shared.routes.of(name)],
        "tools": shared.app.tools.of(name),
        "filters": [hook.name for hook in hooks for _, owner in hook.handlers if owner == name],
        "tasks": len(shared.tasks.of(name)),
        "calls": account.calls,
        "errors": account.errors,
        "seconds": round(account.seconds, 6),
        "last_error": account.last_error,
    }


def _clean(data: Any, mask: Callable[[str], str]) -> Any:
    """`data` without secrets, and without what UTF-8 cannot hold: extensions wrote parts of it."""
    if isinstance(data, dict):
        return {key: _clean(value, mask) for key, value in data.items()}
    if isinstance(data, list):
        return [_clean(value, mask) for value in data]
    return mask(data).encode("utf-8", "replace").decode() if isinstance(data, str) else data
