"""What a user writes names a source, or is refused before anything is run."""

from pathlib import Path

import pytest

from llms.host.install import source
from llms.host.install.source import Source
from llms.kernel.errors import ConfigError

from .repository import Repository


def parse(text: str, **environ: str) -> Source:
    return source.parse(text, environ)


@pytest.mark.parametrize(
    ("text", "kind", "place", "name", "ref"),
    [
        ("xmas", "git", "https://github.com/llmspy/xmas", "xmas", ""),
        ("xmas@v1.2", "git", "https://github.com/llmspy/xmas", "xmas", "v1.2"),
        ("ann/xmas", "git", "https://github.com/ann/xmas", "xmas", ""),
        ("ann/xmas@feature/snow", "git", "https://github.com/ann/xmas", "xmas", "feature/snow"),
        ("https://git.example.org/a/xmas.git", "git", "https://git.example.org/a/xmas.git", "xmas", ""),
        ("git+https://git.example.org/a/xmas.git@v1", "git", "https://git.example.org/a/xmas.git", "xmas", "v1"),
        ("ssh://git@example.org/a/xmas.git", "git", "ssh://git@example.org/a/xmas.git", "xmas", ""),
        ("git@example.org:a/xmas.git@v1", "git", "git@example.org:a/xmas.git", "xmas", "v1"),
        ("https://example.org/dist/xmas.zip", "archive", "https://example.org/dist/xmas.zip", "xmas", ""),
        (
            "https://example.org/ann/xmas/archive/refs/heads/main.tar.gz",
            *("archive", "https://example.org/ann/xmas/archive/refs/heads/main.tar.gz", "xmas", ""),
        ),
        ("pypi:Llms_Xmas==1.0", "package", "llms-xmas", "llms-xmas", "1.0"),
    ],
)
def test_every_form_names_its_source(text: str, kind: str, place: str, name: str, ref: str) -> None:
    found = parse(text)
    assert (found.kind, found.place, found.name, found.ref) == (kind, place, name, ref)


def test_bare_names_come_from_where_the_environment_says() -> None:
    assert parse("xmas", LLMS_EXTENSIONS_FROM="https://mirror.example/").place == "https://mirror.example/llmspy/xmas"


def test_a_path_is_a_folder_a_repository_or_an_archive(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "packed.tgz").touch()
    repository = Repository(tmp_path / "bare.git")
    assert parse(f"{tmp_path}/plain").kind == "folder"
    assert parse(f"file://{tmp_path}/packed.tgz").kind == "archive"
    assert parse(f"{repository.place}@v1") == Source("git", f"{repository.place}", "bare", "v1", f"{repository.place}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-x",
            "--upload-pack=touch /tmp/x",
            "-oProxyCommand=x",
            " xmas",
            "xmas\n",
            "a b",
            "a/b/c",
            "../..x",
        ),
        *("ext::sh -c id", "fd::17", "git+ext::sh", "https://example.org/a/b::c", "transport::address"),
        *("ssh://-oProxyCommand=id/a", "ssh://-x@example.org/a", "-x@example.org:a", "git@-oProxyCommand=id:a"),
        *("http://example.org/a/xmas.git", "http://example.org/xmas.zip", "ftp://example.org/xmas", "file://host/a"),
        *("xmas@-x", "xmas@a..b", "ann/xmas@a:b", "xmas@$(id)", "ann/xmas@--output=x", "xmas@a b", "xmas@HEAD^{/x}"),
        *("pypi:-r", "pypi:x --index-url=y", "pypi:x>=1", "pypi:x @ https://example.org/x.whl", "pypi:"),
        *("https://example.org", "https://example.org/..", "https://example.org/a/.git", "https://[bad/a"),
        *("https://example.org/a#egg=x", "https://example.org/a/.hidden", "/no/such/place"),
    ],
)
def test_what_could_do_harm_or_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"\.$"):
        parse(text)


def test_a_password_is_not_in_what_is_shown_or_kept() -> None:
    for url in ("https://ann:hunter22@example.org/a/xmas.git", "https://tok@example.org/xmas.zip?sig=hunter22"):
        found = parse(url)
        assert "hunter22" not in f"{found.place} {found!r} {found}"
        assert "tok@" not in f"{found.place} {found!r}"
        assert "example.org" in found.address and found.address != found.place


def test_a_refused_url_is_shown_without_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("ftp://ann:hunter22@example.org/a?token=hunter22")
    assert "hunter22" not in str(caught.value)
