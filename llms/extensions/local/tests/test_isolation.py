"""The tests of an extension know as little of this machine as all the others."""

import os
import socket
from pathlib import Path

import pytest


def test_the_home_is_the_tests_own(tmp_path: Path) -> None:
    assert Path(os.environ["LLMS_HOME"]).is_relative_to(tmp_path)


def test_nothing_but_this_machine_is_within_reach() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="tried to reach"):
        outside.connect(("192.0.2.1", 80))
