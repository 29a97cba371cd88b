"""The reference page is the flag table's."""

import subprocess
import sys

from llms.cli.flags import SECTIONS
from llms.cli.reference import PAGE, page

from .program import ROOT


def test_the_page_is_as_the_table_makes_it() -> None:
    assert (ROOT / PAGE).read_text("utf-8") == page(), "run `python -m llms.cli.reference`"


def test_every_flag_is_on_the_page() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    for flag in (flag for section in SECTIONS for flag in section.flags):
        assert f"{flag.names[-1]} {flag.value}".strip().replace("|", "\\|") in text
        assert flag.help in text


def test_the_environment_has_one_table_and_the_page_links_to_it() -> None:
    tables = [file for file in (ROOT / "docs").rglob("*.md") if "\n| `LLMS_HOME` |" in file.read_text("utf-8")]
    assert tables == [ROOT / "docs/configuration.md"]
    assert "](../configuration.md#environment)" in page()


def test_check_fails_when_the_page_is_stale(tmp_path: object) -> None:
    call = [sys.executable, "-m", "llms.cli.reference", "--check"]
    assert subprocess.run(call, cwd=ROOT, check=False).returncode == 0
    assert subprocess.run(call, cwd=str(tmp_path), check=False, capture_output=True).returncode == 1
