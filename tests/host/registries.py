"""All that extensions can change, as one value that can be compared."""

import sys
import threading
from typing import Any

from llms.testing import TestServer


def registries(server: TestServer) -> dict[str, Any]:
    """What there is of each kind, in order; two of these are equal if nothing was added, lost or replaced."""
    app, shared = server.app, server.host.shared
    assert shared is not None
    page, services, tools = shared.page, shared.services, app.tools
    return {
        "routes": [(route.method, route.path, route.extension) for route in shared.routes.all],
        "files": [(files.prefix, str(files.folder)) for files in shared.routes.files],
        "hooks": {hook.name: list(hook.handlers) for hook in app.hooks},
        "tools": dict(tools.functions),
        "definitions": [repr(definition) for definition in tools.definitions],
        "groups": {group: list(members) for group, members in tools.groups.items()},
        "contextual": list(tools.contextual),
        "classes": list(app.registry.classes),
        "providers": dict(app.registry.live),
        "import map": dict(page.import_maps),
        "headers": list(page.headers),
        "footers": list(page.footers),
        "modules": list(page.modules),
        "services": {name: service for name, service in vars(services).items() if not name.startswith("_")},
        "tasks": [task for task in shared.tasks._tasks if not task.done()],
        "auth": (app.auth.provider, app.auth.is_enabled),
        "aspect ratios": dict(shared.aspect_ratios),
        "request args": dict(shared.request_args),
        "aliases": dict(app.directories.aliases),
        "directories": {user: list(folders) for user, folders in app.directories.allowed.items()},
        "databases": list(app.databases._databases),
        "private modules": [name for name in sys.modules if name.startswith("llms_ext_")],
        "sys.path": list(sys.path),
        "sys.meta_path": list(sys.meta_path),
        "threads": sorted(thread.name for thread in threading.enumerate() if not _is_about_to_end(thread)),
    }


def _is_about_to_end(thread: threading.Thread) -> bool:
    """Whether it is the thread of a single call, which has its outcome before it is gone."""
    if thread.name.startswith("llms-") and thread.name != "llms-watchdog":
        thread.join(timeout=1.0)
    return not thread.is_alive()


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not as it was, by kind."""
    return {kind: (before[kind], after[kind]) for kind in before if before[kind] != after[kind]}
