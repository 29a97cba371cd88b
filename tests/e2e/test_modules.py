"""The page's modules without a page: their own tests, run by Node."""

import subprocess
from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError

from ..npm import node_environment

MODULE_TESTS = Path(__file__).parents[1] / "ui"


def test_the_modules_pass_their_own_tests() -> None:
    files = sorted(map(str, MODULE_TESTS.glob("*.test.mjs")))
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
