"""`llms ext remove [NAME]` and `llms --remove [NAME]`"""

from collections.abc import Mapping

from llms.cli.commands.ext_consent import agreed
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.host.install.installer import Installer, opened
from llms.kernel.paths import Home


def remove(home: Home, name: str, environ: Mapping[str, str], *, yes: bool) -> int:
    """Asks, and deletes the extension. Without a name, lists what is installed."""
    with opened(home, environ) as installer:
        if not name:
            return list_installed(installer, "Remove one with `llms --remove NAME`.")
        folder = installer.folder(name)
        if not agreed(f"Remove the link {folder}?" if folder.is_symlink() else f"Remove {name} for good?", yes=yes):
            return ExitCode.FAILED
        installer.remove(name)
    say(f"Removed {name}.")
    return ExitCode.SUCCESS


def list_installed(installer: Installer, hint: str) -> int:
    """Prints each extension, and where it came from."""
    names, entries = installer.names, installer.entries
    width = max(map(len, names), default=0)
    for name in names:
        entry = entries.get(name)
        origin = f"{entry.origin(name)} {entry.commit[:12]}" if entry else "made or cloned by hand"
        say(f"{name:<{width}}  {origin}".rstrip())
    note(hint if names else "No extension is installed. `llms --add` lists what there is.")
    return ExitCode.SUCCESS
