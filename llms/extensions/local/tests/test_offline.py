"""Once everything is fetched, `llms local install` touches no network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llms.extensions.local.runtime import is_installed
from llms.extensions.local.tests.test_real_model import DEMO, FOLDER

GUARD = """
import os
import socket
import sys


def refuse(event, arguments):
    names = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
    if event in names:
        address = arguments[names[event]]
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, tuple) or event.startswith("socket.get"):
            if host not in ("127.0.0.1", "::1", "localhost"):
                os.write(2, f"{sys.argv} tried to reach {host}\\n".encode())
                os._exit(99)


sys.addaudithook(refuse)
"""


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment in which every Python, and whatever Python it starts, ends where it tries to reach a network."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    return {**os.environ, "LLMS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path / "guard")}


def run(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own words


@pytest.mark.parametrize(
    "reach", ["socket.create_connection(('192.0.2.1', 80))", "socket.getaddrinfo('example.com', 443)"]
)
def test_the_guard_ends_whoever_tries(offline: dict[str, str], reach: str) -> None:
    assert run("-c", f"import socket; {reach}", env=offline).returncode == 99


@pytest.mark.skipif(DEMO is None or not is_installed(), reason=f"no demo model in {FOLDER}")
def test_a_second_install_touches_no_network(offline: dict[str, str], tmp_path: Path) -> None:
    assert DEMO is not None
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    (models / DEMO.path.name).symlink_to(DEMO.path)
    for _ in range(2):
        ran = run("-m", "llms", "local", "install", env=offline)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr.endswith(f"The demo model is ready: {models / DEMO.path.name}\n")
