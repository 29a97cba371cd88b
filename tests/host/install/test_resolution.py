"""Requirements go beside the server, apart, or nowhere: with a real pip, real wheels and a Python of our own."""

import json
from pathlib import Path

import pytest

from llms.host.install.installed import Installed
from llms.host.install.plan import Plan
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

from .conftest import Open
from .repository import EXTENSION, write
from .wheels import Python, make_wheel


def extension(folder: Path, *needs: str) -> str:
    write(folder, {**EXTENSION, "requirements.txt": "\n".join(needs)})
    return str(folder)


def add(installer: Open, text: str) -> Plan:
    with installer() as open:
        plan = open.plan_add(text)
        open.apply(plan)
        return plan


def locked(home: Home, name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(home.lock_file.read_text())["extensions"][name]
    return found


def put(python: Python, wheels: Path, name: str, version: str) -> None:
    """Installs a package into `python` as its owner would."""
    path = make_wheel(wheels, name, version)
    python.environment.packages.install([f"{name}=={version}"], wheels)
    path.unlink()


def test_what_is_there_is_not_asked_for(tmp_path: Path, installer: Open, home: Home, python: Python) -> None:
    aiohttp = Installed().versions["aiohttp"]
    plan = add(installer, extension(tmp_path / "a", "aiohttp>=3"))  # pip could not: there is no index
    assert (plan.resolution.outcome, plan.resolution.new) == ("fits", {})
    assert locked(home, "a")["requirements"]["aiohttp"] == aiohttp
    assert python.versions == {}


def test_what_is_new_goes_beside_the_server(
    tmp_path: Path, installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    make_wheel(wheels, "snow", "1.0", needs=["flake>=2"])
    make_wheel(wheels, "flake", "2.1")
    plan = add(installer, extension(tmp_path / "a", "snow"))
    assert (plan.resolution.outcome, plan.resolution.new) == ("fits", {"snow": "1.0", "flake": "2.1"})
    assert python.versions == {"snow": "1.0", "flake": "2.1"}
    assert locked(home, "a")["requirements"] == {"flake": "2.1", "snow": "1.0"}
    assert "overlay" not in locked(home, "a")


def test_a_version_is_chosen_that_changes_nothing(
    tmp_path: Path, installer: Open, wheels: Path, python: Python
) -> None:
    put(python, wheels, "flake", "1.0")
    make_wheel(wheels, "flake", "2.0")
    make_wheel(wheels, "snow", "1.0", needs=["flake"])
    make_wheel(wheels, "snow", "2.0", needs=["flake>=2"])
    assert add(installer, extension(tmp_path / "a", "snow")).resolution.new == {"snow": "1.0"}
    assert python.versions == {"snow": "1.0", "flake": "1.0"}


def test_what_clashes_with_something_the_server_does_not_need_goes_apart(
    tmp_path: Path, installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    put(python, wheels, "flake", "1.0")
    make_wheel(wheels, "flake", "2.0")
    plan = add(installer, extension(tmp_path / "a", "flake>=2"))
    assert (plan.resolution.outcome, plan.resolution.new) == ("overlay", {"flake": "2.0"})
    assert python.versions == {"flake": "1.0"}
    assert (home.extensions / "a/.requirements/flake.py").read_text() == "VERSION = '2.0'\n"
    assert locked(home, "a")["overlay"] == {"flake": "2.0"}


def test_what_clashes_with_the_server_is_refused_with_the_versions(
    tmp_path: Path, installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    make_wheel(wheels, "aiohttp", "1.0")
    with installer() as open:
        plan = open.plan_add(extension(tmp_path / "a", "aiohttp<2"))
        assert plan.resolution.outcome == "refused"
        assert any("aiohttp 1.0" in why and "the server uses" in why for why in plan.refusals)
        with pytest.raises(ConfigError, match="aiohttp"):
            open.apply(plan)
    assert python.versions == {}
    assert not (home.extensions / "a").exists()


def test_what_clashes_with_another_extension_is_refused_with_its_name(
    tmp_path: Path, installer: Open, wheels: Path, python: Python
) -> None:
    make_wheel(wheels, "flake", "1.0")
    add(installer, extension(tmp_path / "a", "flake==1.0"))
    make_wheel(wheels, "flake", "2.0")
    with installer() as open:
        plan = open.plan_add(extension(tmp_path / "b", "flake==2.0"))
    assert plan.resolution.clashes == ("it needs flake 2.0, the extension a uses 1.0",)


def test_two_overlays_with_different_versions_are_refused(
    tmp_path: Path, installer: Open, wheels: Path, python: Python
) -> None:
    put(python, wheels, "flake", "1.0")
    make_wheel(wheels, "flake", "2.0")
    add(installer, extension(tmp_path / "a", "flake==2.0"))
    with installer() as open:
        plan = open.plan_add(extension(tmp_path / "b", "flake==1.0"))  # it is there, but `a` is in front of it
    assert plan.resolution.clashes == ("it needs flake 1.0, the extension a uses 2.0",)


def test_a_folder_made_by_hand_counts_as_a_neighbour(
    tmp_path: Path, installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    put(python, wheels, "flake", "1.0")
    make_wheel(wheels, "flake", "2.0")
    extension(home.extensions / "mine", "flake")
    with installer() as open:
        assert open.plan_add(extension(tmp_path / "a", "flake>=2")).resolution.outcome == "refused"


def test_a_requirement_that_nobody_offers_is_an_error_with_its_name(tmp_path: Path, installer: Open) -> None:
    with installer() as open, pytest.raises(ConfigError, match="no-such-package"):
        open.plan_add(extension(tmp_path / "a", "no-such-package"))


def test_a_plan_builds_no_source_package(tmp_path: Path, installer: Open, wheels: Path) -> None:
    source = write(
        tmp_path / "evil-1.0", {"setup.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n", "PKG-INFO": "Name: evil"}
    )
    import tarfile

    with tarfile.open(wheels / "evil-1.0.tar.gz", "w:gz") as file:
        file.add(source, "evil-1.0")
    with installer() as open, pytest.raises(ConfigError, match="PIP_ONLY_BINARY"):
        open.plan_add(extension(tmp_path / "a", "evil"))
    assert not (tmp_path / "ran").exists()


def test_an_update_that_needs_another_version_leaves_the_first_for_a_rollback(
    tmp_path: Path, installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    make_wheel(wheels, "flake", "1.0")
    add(installer, extension(tmp_path / "a", "flake==1.0"))
    make_wheel(wheels, "flake", "2.0")
    extension(tmp_path / "a", "flake==2.0")
    with installer() as open:
        plan = open.plan_update("a")
        assert plan is not None and plan.difference is not None
        assert plan.difference.requirements == ["- flake==1.0", "+ flake==2.0"]
        assert plan.resolution.outcome == "overlay"
        open.apply(plan)
    for path in wheels.iterdir():
        path.unlink()
    with installer() as open:
        open.apply(open.plan_rollback("a"))
    assert (locked(home, "a")["requirements"], python.versions) == ({"flake": "1.0"}, {"flake": "1.0"})
    assert not (home.extensions / "a/.requirements").exists()


def test_an_update_installs_what_went_missing(tmp_path: Path, installer: Open, wheels: Path, python: Python) -> None:
    make_wheel(wheels, "flake", "1.0")
    add(installer, extension(tmp_path / "a", "flake"))
    python.environment.packages.uninstall("flake")
    with installer() as open:
        plan = open.plan_update("a")
        assert plan is not None and plan.resolution.new == {"flake": "1.0"}


def test_a_failing_install_leaves_nothing(tmp_path: Path, installer: Open, home: Home, wheels: Path) -> None:
    path = make_wheel(wheels, "flake", "1.0")
    with installer() as open:
        plan = open.plan_add(extension(tmp_path / "a", "flake"))
        path.unlink()
        with pytest.raises(ConfigError, match="flake"):
            open.apply(plan)
    assert not home.lock_file.exists()
    assert list(home.extensions.iterdir()) == []


# -- the server's closure ------------------------------------------------------------------------------------------


def test_the_server_needs_what_its_needs_need() -> None:
    server = Installed().server()
    assert {"llms", "aiohttp", "multidict", "rich", "pygments"} <= server.keys()
    assert "pytest" not in server


def test_a_server_that_was_not_installed_holds_on_to_everything(wheels: Path, tmp_path: Path) -> None:
    write(tmp_path / "site/flake-1.0.dist-info", {"METADATA": "Name: flake\nVersion: 1.0\n"})
    assert Installed([str(tmp_path / "site")]).server() == {"flake": "1.0"}
