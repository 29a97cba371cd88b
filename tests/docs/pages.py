"""The pages of the documentation, and the samples in them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_FILE = re.compile(
    r"^(?P<more>Add to )?`(?P<path>[\w./-]+)`:\n\n```\w+\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL
)


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def write_files(name: str, folder: Path) -> Path:
    """Writes every file that a page shows into `folder`: what it shows in several parts, one after the other."""
    for found in _FILE.finditer(page(name)):
        path = folder / found["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        before = f"{path.read_text('utf-8')}\n\n" if found["more"] else ""
        path.write_text(before + found["content"], "utf-8")
    return folder


def blocks(name: str, language: str) -> list[str]:
    """Every block of code in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
