"""The page's modules without a page: their own tests, run by Node."""

import subprocess
from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError

from ..npm import node_environment

ROOT = Path(__file__).parents[2]


def test_the_modules_pass_their_own_tests() -> None:
    of_extensions = ROOT.glob("llms/extensions/*/tests/*.test.mjs")
    files = sorted(map(str, [*(ROOT / "tests/ui").glob("*.test.mjs"), *of_extensions]))
    assert files
    done = subprocess.run(
        ["node", "--test", *files], env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def environment() -> dict[str, str]:
    try:
        return node_environment()
    except ConfigError as error:
        pytest.fail(str(error), pytrace=False)
