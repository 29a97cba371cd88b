"""What in a file needs which permission."""

from pathlib import Path

import pytest

from llms.testing.conformance.source import Module
from llms.testing.conformance.uses import uses


def needed(tmp_path: Path, source: str) -> set[str]:
    (tmp_path / "code.py").write_text(source, "utf-8")
    return {use.permission for use in uses(Module.read(tmp_path, tmp_path / "code.py"))}


@pytest.mark.parametrize(
    "source",
    [
        *("import socket", "import http.client", "from http import client", "import urllib.request", "import httpx"),
        *("from urllib.request import urlopen", "from urllib import request", "import requests.auth as a"),
        *("from aiohttp import ClientSession", "import aiohttp\naiohttp.ClientSession()", "__import__('socket')"),
        *("import aiohttp as web\nasync def f():\n    async with web.ClientSession() as s: ...",),
        *("import asyncio\nasyncio.open_connection('a', 1)", "def f():\n    import smtplib"),
        *("def f(ctx):\n    ctx.http.session", "class A:\n    def f(self):\n        self._ctx.download_file('u')"),
    ],
)
def test_the_network(tmp_path: Path, source: str) -> None:
    assert needed(tmp_path, source) == {"net"}


@pytest.mark.parametrize(
    "source",
    [
        *("import subprocess as sp", "from subprocess import run", "import os\nos.system('ls')", "import ctypes"),
        *("from os import popen as p", "import os as o\no.execv('a', [])", "import pty", "import multiprocessing"),
        *("import asyncio\nasyncio.create_subprocess_exec('a')", "self.ctx.run_command(['a'])"),
        "from concurrent.futures import ProcessPoolExecutor",
    ],
)
def test_other_programs(tmp_path: Path, source: str) -> None:
    assert needed(tmp_path, source) == {"exec"}


@pytest.mark.parametrize(
    "source",
    [
        *("import shutil\nshutil.rmtree('a')", "from os import remove", "import os\nos.makedirs('a')"),
        *(
            "path.write_text('')",
            "(a / b).unlink()",
            "open('a', 'w')",
            "open('a', mode='ab')",
            "import io\nio.open(a, 'x')",
        ),
        *("path.open('r+')", "folder.mkdir()"),
    ],
)
def test_files_that_are_changed(tmp_path: Path, source: str) -> None:
    assert needed(tmp_path, source) == {"files"}


@pytest.mark.parametrize(
    ("source", "permission"),
    [
        ("import os\nos.environ['OPENAI_KEY']", "secrets:OPENAI_KEY"),
        ("import os\nos.environ.get('GITHUB_TOKEN')", "secrets:GITHUB_TOKEN"),
        ("from os import environ as e\ne['MY_PASSWORD']", "secrets:MY_PASSWORD"),
        ("from os import getenv\ngetenv('X_API_KEY', '')", "secrets:X_API_KEY"),
        ("ctx.add_get('a', f, public=True)", "routes:public"),
        ("from llms.api import ext\n@ext.post('a', public=True)\ndef f(): ...", "routes:public"),
        ("ctx.add_index_header('<b>')", "ui"),
        ("self.ctx.register_ui_extension('x.mjs')", "ui"),
    ],
)
def test_secrets_public_routes_and_the_page(tmp_path: Path, source: str, permission: str) -> None:
    assert needed(tmp_path, source) == {permission}


@pytest.mark.parametrize(
    "source",
    [
        *("from aiohttp import web", "import aiohttp\naiohttp.web.Response()", "from http import HTTPStatus"),
        *("from urllib.parse import quote", "import asyncio\nasyncio.sleep(1)", "import os\nos.path.join('a')"),
        *("import os\nos.environ['HOME']", "import os\nos.environ['A_KEY'] = 'x'", "import os\nos.environ[name]"),
        *("open('a')", "open('a', 'rb')", "open('a', mode)", "path.open()", "'a'.replace('b', 'c')", "text.rename(x)"),
        *("requests = []\nrequests.append(1)", "from . import socket", "from .redis import get", "sh = 1\nsh.real"),
        *("import shutil\nshutil.which('a')", "ctx.add_get('a', f)", "ctx.add_get('a', f, public=False)"),
        *("gists.create(public=True)", "environ['A_KEY']", "ctx.add_static_files('ui')"),
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx",
        "'import socket'",
    ],
)
def test_what_needs_no_permission(tmp_path: Path, source: str) -> None:
    assert needed(tmp_path, source) == set()


def test_a_use_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.py").write_text("\nimport aiohttp as http\nx = [http.ClientSession()]", "utf-8")
    [use] = uses(Module.read(tmp_path, tmp_path / "lib/a.py"))
    assert str(use) == "aiohttp.ClientSession at lib/a.py:3"
