"""Whether the modules that an extension adds to the page are JavaScript. Node reads them, and runs none."""

import re
import shutil
import subprocess
from pathlib import Path

from llms.host.discovery import files_of
from llms.testing.conformance.report import Check, counted

_PATIENCE = 60.0  # seconds for one run of node
_DEFAULT_EXPORT = re.compile(r"\bexport\s+default\b|\bas\s+default\b")


def check(folder: Path) -> Check:
    """Looks at `ui/index.mjs` and every other module below `ui`."""
    entry = folder / "ui/index.mjs"
    if not entry.is_file():
        return Check.skipped("page", "There is no ui/index.mjs.")
    node = shutil.which("node")
    if node is None:
        return Check.skipped("page", "Node is not installed.", "Install it to have the modules of the page read.")
    files = [file for file in files_of(folder / "ui") if file.suffix == ".mjs" and not file.name.endswith(".min.mjs")]
    errors = [told for file in files if (told := _syntax_error(node, folder, file))]
    if errors:
        return Check.failed("page", " ".join(errors), "Correct it.")
    try:
        has_default = _DEFAULT_EXPORT.search(entry.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Check.failed("page", f"ui/index.mjs cannot be read: {error}.", "Save it as UTF-8.")
    if not has_default:
        fix = "Write `export default { install(ctx) { … } }`."
        return Check.failed("page", "ui/index.mjs has no default export, so the page passes it over.", fix)
    return Check.ok("page", f"{counted(len(files), 'module')} of the page can be read.")


def _syntax_error(node: str, folder: Path, file: Path) -> str:
    """What node says against `file`, which it only parses; empty if nothing."""
    place = file.relative_to(folder).as_posix()
    try:
        done = subprocess.run(
            [node, "--check", str(file)], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{place} could not be read by node: {error}."
    if not done.returncode:
        return ""
    lines = done.stderr.splitlines()
    line = lines[0].rpartition(":")[2] if lines else ""
    why = next((line for line in lines if "Error:" in line), "it is no module")
    return f"{place}:{line} is no JavaScript: {why}." if line.isdigit() else f"{place} is no JavaScript: {why}."
