"""What every test of the command line starts from."""

from pathlib import Path

import pytest

from llms.testing import FakeUpstream

from .program import Program


@pytest.fixture
def program(tmp_path: Path, fake_upstream: FakeUpstream) -> Program:
    """The program with a configured home; its provider `upstream` answers `fake-model`."""
    program = Program(tmp_path / "home", fake_upstream)
    program.configure()
    return program
