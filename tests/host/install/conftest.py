"""An empty home, a place that extensions come from, and a Python that may be changed."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from llms.host.install.installer import Installer, opened
from llms.kernel.paths import Home

from .repository import GIT_ENVIRON, Repository
from .wheels import Python

Open = Callable[[], AbstractContextManager[Installer]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Where pip looks for packages, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(tmp_path: Path, wheels: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LLMS_EXTENSIONS_FROM": str(tmp_path / "hub"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "UV_NO_CONFIG": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(wheels),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        **GIT_ENVIRON,
    }


@pytest.fixture
def python(tmp_path: Path, environ: dict[str, str]) -> Python:
    return Python(tmp_path / "python", environ)


@pytest.fixture
def installer(home: Home, environ: dict[str, str], python: Python) -> Open:
    """Opens the installer of `home`; what it installs with pip goes to `python`."""

    @contextmanager
    def open() -> Iterator[Installer]:
        with opened(home, environ, environment=python.environment) as found:
            yield found

    return open


@pytest.fixture
def xmas(tmp_path: Path) -> Repository:
    """What the bare name `xmas` stands for, with one commit."""
    repository = Repository(tmp_path / "hub" / "llmspy" / "xmas")
    repository.commit("First")
    return repository
