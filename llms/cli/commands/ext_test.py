"""`llms ext test PATH [--json]`"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from llms.host.discovery import is_extension
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home, is_plain_name


def test(home: Home, path: str, environ: Mapping[str, str], *, as_json: bool) -> int:
    """Checks the extension in the folder `path`, or the installed one of that name; 1 if it breaks a rule.

    `llms.testing` does that, in a process of its own, and prints what it finds. Raises ConfigError.
    """
    if not path:
        raise ConfigError("Name the extension's folder: `llms ext test PATH`.")
    folder = Path(path).expanduser().absolute()
    if not is_extension(folder) and is_plain_name(path) and is_extension(home.extensions / path):
        folder = home.extensions / path
    command = [sys.executable, "-P", "-m", "llms.testing", *(["--json"] if as_json else []), "--", str(folder)]
    return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 - our own program
