"""Where an extension comes from, read from what the user wrote."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.utils import canonicalize_name

from llms.kernel.errors import ConfigError
from llms.kernel.paths import is_plain_name

Kind = Literal["git", "folder", "archive", "package"]

ORGANISATION = "llmspy"
ARCHIVES = (".tar.gz", ".tgz", ".zip")
_GITHUB = "https://github.com"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*\Z", re.ASCII)
_SHORT = re.compile(r"(?:(?P<user>[A-Za-z0-9][\w.-]*)/)?(?P<repo>[A-Za-z0-9][\w.-]*?)(?:@(?P<ref>.+))?\Z", re.ASCII)
_SCP = re.compile(r"(?P<host>\w[\w.-]*@[A-Za-z0-9][\w.-]*):(?P<path>[\w~./+-]+?)(?:@(?P<ref>.+))?\Z", re.ASCII)
_REF = re.compile(r"[A-Za-z0-9_][\w./+-]*\Z", re.ASCII)
_PACKAGE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*?)(?:==(?P<version>[\w.!+-]+))?\Z", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
FORMS = "NAME, user/repo[@ref], a git or archive URL, ./PATH or pypi:NAME[==VERSION]"


@dataclass(frozen=True, slots=True)
class Source:
    """`place` (a URL, an absolute path, a package) has no password; `address` is the URL as it was given."""

    kind: Kind
    place: str
    name: str  # of the extension's folder
    ref: str = ""  # branch, tag or commit; the version of a package
    address: str = field(default="", repr=False)

    def __str__(self) -> str:
        prefix, mark = ("pypi:", "==") if self.kind == "package" else ("", "@")
        return f"{prefix}{self.place}{mark if self.ref else ''}{self.ref}"


def parse(text: str, environ: Mapping[str, str]) -> Source:
    """The source that `text` names. Raises ConfigError for one that cannot be used, or could do harm."""
    if not text or text.startswith("-") or "::" in text or not text.isprintable() or text != text.strip():
        raise _unusable(text, f"Write {FORMS}")
    if text.startswith("pypi:"):
        return _package(text)
    url = text.removeprefix("git+")
    if "://" in url:
        return _url(url, git=url != text)
    if (scp := _SCP.match(url)) is not None:
        return _git(f"{scp['host']}:{scp['path']}", scp["path"], scp["ref"] or "")
    if text.startswith((".", "/", "~", "\\")) or text[1:2] == ":" or text.lower().endswith(ARCHIVES):
        return _path(text)
    return _short(text, environ)


def with_ref(source: Source, ref: str) -> Source:
    """The same place at another branch, tag or commit."""
    _check_ref(ref)
    return Source(source.kind, source.place, source.name, ref, source.address)


def check_name(name: str) -> str:
    """`name`, if a folder of the extensions folder may be called so. Raises ConfigError."""
    if not _NAME.match(name) or not is_plain_name(name):
        raise ConfigError(f"{name!r} cannot be the name of an extension. Use letters, digits, '-', '_' and '.'.")
    return name


# -- short forms ---------------------------------------------------------------------------------------------------


def base(environ: Mapping[str, str]) -> str:
    """Where bare names and user/repo are looked up: LLMS_EXTENSIONS_FROM, else GitHub."""
    return (environ.get("LLMS_EXTENSIONS_FROM") or _GITHUB).rstrip("/")


def _short(text: str, environ: Mapping[str, str]) -> Source:
    found = _SHORT.match(text)
    if found is None:
        raise _unusable(text, f"Write {FORMS}")
    place = f"{base(environ)}/{found['user'] or ORGANISATION}/{found['repo']}"
    return _git(place, found["repo"], found["ref"] or "")


def _package(text: str) -> Source:
    found = _PACKAGE.match(text.removeprefix("pypi:"))
    if found is None:
        raise _unusable(text, "Write pypi:NAME or pypi:NAME==VERSION")
    name = str(canonicalize_name(found["name"]))
    return Source("package", name, check_name(name), found["version"] or "")


# -- URLs ----------------------------------------------------------------------------------------------------------


def _url(url: str, *, git: bool) -> Source:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable(url, "Correct the URL") from error
    if parts.fragment:
        raise _unusable(url, "Leave out what follows '#'")
    if parts.scheme == "file":
        if host not in (None, "", "localhost"):
            raise _unusable(url, "Write file:///PATH")
        return _path(unquote(parts.path))
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise _unusable(url, "Correct the host")
    is_archive = not git and parts.path.lower().endswith(ARCHIVES)
    if is_archive and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        clean = parts._replace(netloc=_without_user(parts), query="").geturl()
        return Source("archive", clean, check_name(_archive_name(parts.path)), address=url)
    if parts.scheme not in ("https", "ssh"):
        raise _unusable(url, "Use https, ssh or file")
    path, _, ref = parts.path.partition("@")
    address = parts._replace(path=path, query="").geturl()
    netloc = _without_password(parts) if parts.scheme == "ssh" else _without_user(parts)
    return _git(parts._replace(netloc=netloc, path=path, query="").geturl(), path, ref, address)


def _without_user(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _without_password(parts: SplitResult) -> str:
    return f"{parts.username}@{_without_user(parts)}" if parts.username else parts.netloc


def _git(place: str, path: str, ref: str, address: str = "") -> Source:
    if ref:
        _check_ref(ref)
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return Source("git", place, check_name(name), ref, address or place)


def _check_ref(ref: str) -> None:
    if not _REF.match(ref) or ".." in ref:
        raise ConfigError(f"{ref!r} cannot be a branch, tag or commit. Write its plain name after '@'.")


def _archive_name(path: str) -> str:
    """`xmas` for `/dist/xmas.zip`, and for `/user/xmas/archive/refs/heads/main.zip` as git hosts offer them."""
    folders = [part for part in path.split("/") if part not in ("", "-")]
    if "archive" in folders[1:-1]:
        return folders[folders.index("archive", 1) - 1]
    name = folders[-1]
    return next(name[: -len(end)] for end in ARCHIVES if name.lower().endswith(end))


# -- paths ---------------------------------------------------------------------------------------------------------


def _path(text: str) -> Source:
    path, ref = _existing(text)
    if path.is_file():
        if not path.name.lower().endswith(ARCHIVES):
            raise ConfigError(f"{path} is neither a folder nor an archive. Name one that ends with .zip or .tar.gz.")
        return Source("archive", str(path), check_name(_archive_name(f"/{path.name}")), address=str(path))
    if is_repository(path):
        return _git(str(path), path.as_posix(), ref)
    if ref:
        raise ConfigError(f"{path} is no git repository, so it has no '{ref}'. Leave out '@{ref}'.")
    return Source("folder", str(path), check_name(path.name), address=str(path))


def is_repository(path: Path) -> bool:
    """Whether git could clone from `path`: a work tree, or a bare repository."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _existing(text: str) -> tuple[Path, str]:
    """The path that exists, with what follows `@` where only so it does. Raises ConfigError if none does."""
    shorter, _, ref = text.rpartition("@")
    for name, after in ((text, ""), (shorter, ref)):
        if name and (path := Path(name).expanduser().resolve()).exists():
            return path, after
    raise ConfigError(f"{text} does not exist. Check the path.")


def _unusable(text: str, fix: str) -> ConfigError:
    shown = re.sub(r"://[^/@]+@", "://***@", text).partition("?")[0]
    return ConfigError(f"{shown!r} cannot be installed from. {fix}.")
