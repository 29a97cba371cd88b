"""Which versions of which packages the server and the extensions that are there hold on to."""

from packaging.requirements import Requirement

from llms.host.discovery import user_folders
from llms.host.install import lock, requirements
from llms.host.install.installed import Installed
from llms.host.install.resolution import Held
from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


def held_by_others(home: Home, installed: Installed, but: str) -> dict[str, Held]:
    """By package: what every extension except `but` uses, and above all what the server needs."""
    held: dict[str, Held] = {}
    entries = lock.read(home.lock_file)
    folders = {extension.name: extension.path for extension in user_folders(home.extensions)}
    for name in sorted({*entries, *folders} - {but}):
        owner = f"the extension {name}"
        entry = entries.get(name)
        if entry is not None:
            held |= {package: Held(version, owner) for package, version in entry.requirements.items()}
            held |= {package: Held(version, owner, apart=True) for package, version in entry.overlay.items()}
        else:
            wanted = _wanted(home, name)
            held |= {package: Held(version, owner) for package, version in installed.closure(wanted).items()}
    return held | {package: Held(version, "the server") for package, version in installed.server().items()}


def _wanted(home: Home, name: str) -> tuple[Requirement, ...]:
    folder = home.extensions / name
    try:
        return requirements.read(folder, Manifest.read(folder)).wanted
    except ConfigError:  # its own fault, told by the doctor and at its load
        return ()
