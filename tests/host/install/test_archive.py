"""Archives unpack into their folder, and nowhere else."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from llms.host.install import archive, tree
from llms.kernel.errors import ConfigError

Entries = list[tuple[str, str, int]]  # name, content or target, mode


def tar(path: Path, entries: Entries, kind: bytes | None = None) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, text, mode in entries:
            info = tarfile.TarInfo(name)
            info.mode = mode & 0o7777
            if stat.S_ISLNK(mode):
                info.type, info.linkname = tarfile.SYMTYPE, text
            elif kind:
                info.type, info.linkname = kind, text
            info.size = len(text) if info.isreg() else 0
            file.addfile(info, io.BytesIO(text.encode()))
    return path


def zipped(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, text, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            file.writestr(info, text)
    return path


PACKERS: list[Callable[[Path, Entries], Path]] = [
    lambda folder, entries: tar(folder / "x.tar.gz", entries),
    lambda folder, entries: zipped(folder / "x.zip", entries),
]
both = pytest.mark.parametrize("pack", PACKERS, ids=["tar", "zip"])
FILE, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777


@pytest.fixture(autouse=True)
def room(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()


@both
def test_a_folder_around_everything_is_left_out(tmp_path: Path, pack: Callable[[Path, Entries], Path]) -> None:
    archive.unpack(pack(tmp_path, [("x-1.0/__init__.py", "", FILE), ("x-1.0/ui/a.mjs", "a", FILE)]), tmp_path / "new")
    assert (tmp_path / "new/ui/a.mjs").read_text() == "a"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["in", "new"]


@both
def test_programs_stay_programs_and_lose_other_rights(tmp_path: Path, pack: Callable[[Path, Entries], Path]) -> None:
    entries = [("run", "", stat.S_IFREG | 0o4777), ("text", "", stat.S_IFREG | 0o666)]
    archive.unpack(pack(tmp_path, entries), tmp_path / "new")
    assert [(tmp_path / "new" / name).stat().st_mode & 0o7777 for name in ("run", "text")] == [0o755, 0o644]


@both
@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "a/../../evil", "/tmp/evil", "a//b", "..", "a/..", "C:/evil", "..\\evil", "a\\..\\..\\evil"),
        *("x/\x01", "NUL\x7f", "a/./b", "trailing."),
    ],
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, pack: Callable[[Path, Entries], Path], name: str) -> None:
    with pytest.raises(ConfigError, match="leads out"):
        archive.unpack(pack(tmp_path, [("__init__.py", "", FILE), (name, "evil", FILE)]), tmp_path / "in" / "new")
    assert not list(tmp_path.glob("**/*evil*"))


@both
def test_no_file_is_written_through_a_link(tmp_path: Path, pack: Callable[[Path, Entries], Path]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(ConfigError):
        archive.unpack(pack(tmp_path, [("a", str(outside), LINK), ("a/evil", "evil", FILE)]), tmp_path / "in/new")
    assert not list(outside.iterdir())


@both
@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "a/../../.."])
def test_a_link_that_leads_out_is_found(tmp_path: Path, pack: Callable[[Path, Entries], Path], target: str) -> None:
    archive.unpack(pack(tmp_path, [("__init__.py", "", FILE), ("ui/a", target, LINK)]), tmp_path / "in/new")
    with pytest.raises(ConfigError, match="leads out"):
        tree.read(tmp_path / "in/new")


@both
def test_a_link_that_stays_inside_is_kept(tmp_path: Path, pack: Callable[[Path, Entries], Path]) -> None:
    archive.unpack(pack(tmp_path, [("a", "a", FILE), ("ui/b", "../a", LINK)]), tmp_path / "in/new")
    assert (tmp_path / "in/new/ui/b").readlink() == Path("../a")
    assert tree.read(tmp_path / "in/new").files["ui/b"] == "link ../a"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE])
def test_devices_pipes_and_hard_links_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ConfigError, match="neither a file nor a folder"):
        archive.unpack(tar(tmp_path / "x.tgz", [("a", "/etc/passwd", FILE)], kind), tmp_path / "in/new")


def test_a_path_may_not_come_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be unpacked"):
        archive.unpack(tar(tmp_path / "x.tgz", [("a", "1", FILE), ("./a", "2", FILE)]), tmp_path / "in/new")


@both
def test_too_many_files_are_refused(
    tmp_path: Path, pack: Callable[[Path, Entries], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MOST_FILES", 3)
    with pytest.raises(ConfigError, match="more than 3 files"):
        archive.unpack(pack(tmp_path, [(str(n), "", FILE) for n in range(4)]), tmp_path / "in/new")


def test_too_many_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_FILES", 3)
    packed = tar(tmp_path / "x.tar.gz", [(str(n), "", 0o755) for n in range(4)], kind=tarfile.DIRTYPE)
    with pytest.raises(ConfigError, match="more than 3 files"):
        archive.unpack(packed, tmp_path / "in/new")


def test_a_small_archive_that_unpacks_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_BYTES", 3_000_000)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(50_000_000))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(ConfigError, match="MB"):
        archive.unpack(bomb, tmp_path / "in/new")
    assert (tmp_path / "in/new.around/zeros").stat().st_size <= 3_000_000


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="cannot be unpacked"):
        archive.unpack(tmp_path / name, tmp_path / "in/new")
