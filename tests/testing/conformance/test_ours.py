"""What we ship, and what others publish as samples, keeps to the rules."""

from pathlib import Path

import pytest

import llms
from llms.host.discovery import BUILT_INS
from llms.testing.conformance.reading import read
from llms.testing.conformance.report import Check, Report
from llms.testing.conformance.running import run

PACKAGE = Path(llms.__file__).parent
SAMPLES = Path(__file__).parents[2] / "samples"
FOLDERS = [
    *(PACKAGE / "extensions" / name for name in BUILT_INS),
    *(folder for folder in sorted(SAMPLES.iterdir()) if (folder / "__init__.py").exists()),
]
NEED_PACKAGES = ("web_search",)  # that are not installed here


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_no_check_fails(folder: Path, tmp_path: Path) -> None:
    checks: list[Check] = list(read(folder))
    if folder.name not in NEED_PACKAGES:
        await run(folder, tmp_path / "home", {}, checks.append)
    report = Report(folder, checks)
    assert report.is_passed, report.as_text()
