"""The Python that runs the server, and what is installed in it."""

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from llms.host.install.installed import Installed
from llms.host.install.packages import Packages, choose


class Environment:
    """By default this process's own Python and path. pip and uv read their options from `environ`."""

    def __init__(
        self, environ: Mapping[str, str], *, python: str = sys.executable, path: Sequence[str] | None = None
    ) -> None:
        self._environ = environ
        self._python = python
        self._path = sys.path if path is None else path

    @cached_property
    def packages(self) -> Packages:
        """What installs packages here. Raises ConfigError where nothing does."""
        return choose(self._environ, self._python)

    def installed(self, overlay: Path | None = None) -> Installed:
        """What is there now, in front of it what an extension's overlay holds."""
        return Installed([*([str(overlay)] if overlay else ()), *self._path])
