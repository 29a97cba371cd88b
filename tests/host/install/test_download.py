"""Downloads and lists from a server on this machine."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from llms.host.install import organisation
from llms.host.install.download import download
from llms.kernel.errors import ConfigError

from .repository import Repository


@pytest.fixture
def far_end() -> Iterator[SimpleNamespace]:
    """A server: `answers` maps a path to its body, or to where it redirects; `seen` are the headers it got."""
    told = SimpleNamespace(answers={}, seen=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.seen.append((self.path, dict(self.headers)))
            answer = told.answers.get(self.path)
            self.send_response(404 if answer is None else 302 if isinstance(answer, str) else 200)
            if isinstance(answer, str):
                self.send_header("Location", answer)
            self.end_headers()
            if isinstance(answer, bytes):
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        told.address = f"127.0.0.1:{server.server_port}"
        yield told
        server.shutdown()


def test_a_file_is_fetched_through_a_redirect(tmp_path: Path, far_end: SimpleNamespace) -> None:
    far_end.answers = {"/a.zip": "/b.zip", "/b.zip": b"content"}
    download(f"http://{far_end.address}/a.zip", tmp_path / "a.zip", most=100)
    assert (tmp_path / "a.zip").read_bytes() == b"content"


def test_a_login_is_sent_and_not_passed_on(tmp_path: Path, far_end: SimpleNamespace) -> None:
    far_end.answers = {"/a": "/b", "/b": b""}
    download(f"http://ann:s%40t@{far_end.address}/a", tmp_path / "a", most=100)
    first, second = (headers.get("Authorization") for _, headers in far_end.seen)
    assert first == f"Basic {base64.b64encode(b'ann:s@t').decode()}"
    assert second is None


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://192.0.2.1/a"])
def test_a_redirect_to_another_kind_of_place_is_refused(tmp_path: Path, far_end: SimpleNamespace, to: str) -> None:
    far_end.answers = {"/a": to}
    with pytest.raises(ConfigError, match=r"cannot be fetched"):
        download(f"http://{far_end.address}/a", tmp_path / "a", most=100)


def test_too_much_is_stopped(tmp_path: Path, far_end: SimpleNamespace) -> None:
    far_end.answers = {"/a": bytes(1000)}
    with pytest.raises(ConfigError, match="larger than"):
        download(f"http://{far_end.address}/a", tmp_path / "a", most=100)


def test_an_error_shows_no_password(tmp_path: Path, far_end: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match="404") as caught:
        download(f"http://ann:hunter22@{far_end.address}/a?token=hunter22", tmp_path / "a", most=100)
    assert "hunter22" not in str(caught.value)


# -- lists ---------------------------------------------------------------------------------------------------------


def test_the_organisation_is_listed_page_by_page(far_end: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation, "_PAGE", 2)
    far_end.answers = {
        "/orgs/llmspy/repos?per_page=2&page=1": b'[{"name": "b", "description": "B"}, {"name": "a"}]',
        "/orgs/llmspy/repos?per_page=2&page=2": b'[{"name": "c", "description": null}]',
    }
    found = organisation.repositories({}, api=f"http://{far_end.address}")
    assert [(one.name, one.description) for one in found] == [("a", ""), ("b", "B"), ("c", "")]


@pytest.mark.parametrize("answer", [b"no json", b'{"message": "rate limit"}', b"[1]", None])
def test_a_list_that_cannot_be_had_is_an_error_with_a_way_on(far_end: SimpleNamespace, answer: bytes | None) -> None:
    far_end.answers = {"/orgs/llmspy/repos?per_page=100&page=1": answer}
    with pytest.raises(ConfigError, match="llms --add NAME"):
        organisation.repositories({}, api=f"http://{far_end.address}")


def test_a_folder_of_repositories_is_listed(tmp_path: Path, xmas: Repository, environ: dict[str, str]) -> None:
    (tmp_path / "hub/llmspy/notes").mkdir()
    assert "xmas" in [one.name for one in organisation.repositories(environ)]
    with pytest.raises(ConfigError, match="--add NAME"):
        organisation.repositories({"LLMS_EXTENSIONS_FROM": f"{tmp_path}/nowhere"})
