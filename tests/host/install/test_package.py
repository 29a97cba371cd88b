"""Python packages that are extensions, by their entry point."""

import json
from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

from .conftest import Open
from .wheels import Python, make_wheel

POINTS = "[llms.extensions]\nadvent = llms_xmas\n"


def publish(wheels: Path, version: str, *needs: str, manifest: str = "") -> None:
    files = {"llms_xmas/__init__.py": f"raise SystemExit('{version} ran')\n", "llms_xmas/extension.toml": manifest}
    make_wheel(wheels, "llms_xmas", version, needs=needs, entry_points=POINTS, files=files)


def add(installer: Open, text: str) -> None:
    with installer() as open:
        open.apply(open.plan_add(text))


def test_a_package_is_installed_with_what_it_needs_and_recorded(
    installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    publish(wheels, "1.0", "flake", manifest='description = "Snow"\npermissions = ["net"]')
    make_wheel(wheels, "flake", "3.0")
    with installer() as open:
        plan = open.plan_add("pypi:llms_xmas")
        assert (plan.provides, plan.commit, plan.manifest.permissions) == (("advent",), "1.0", ("net",))
        assert plan.resolution.new == {"llms-xmas": "1.0", "flake": "3.0"}
        assert python.versions == {}
        open.apply(plan)
    entry = json.loads(home.lock_file.read_text())["extensions"]["llms-xmas"]
    assert python.versions == {"llms_xmas": "1.0", "flake": "3.0"}
    assert (entry["kind"], entry["commit"], entry["provides"]) == ("package", "1.0", ["advent"])
    assert entry["requirements"] == {"flake": "3.0", "llms-xmas": "1.0"}
    assert list(home.extensions.iterdir()) == []


def test_a_package_without_the_entry_point_is_no_extension(installer: Open, wheels: Path, python: Python) -> None:
    make_wheel(wheels, "flake", "1.0")
    with installer() as open, pytest.raises(ConfigError, match="no entry point"):
        open.plan_add("pypi:flake")
    assert python.versions == {}


def test_a_package_that_clashes_with_the_server_is_refused(installer: Open, wheels: Path, python: Python) -> None:
    make_wheel(wheels, "aiohttp", "1.0")
    publish(wheels, "1.0", "aiohttp<2")
    with installer() as open:
        plan = open.plan_add("pypi:llms-xmas")
        assert any("aiohttp" in why for why in plan.refusals)
        with pytest.raises(ConfigError):
            open.apply(plan)
    assert python.versions == {}


def test_a_package_is_updated_rolled_back_and_removed(
    installer: Open, home: Home, wheels: Path, python: Python
) -> None:
    publish(wheels, "1.0")
    add(installer, "pypi:llms-xmas")
    with installer() as open:
        assert open.plan_update("llms-xmas") is None
    publish(wheels, "2.0")
    with installer() as open:
        plan = open.plan_update("llms-xmas")
        assert plan is not None and plan.difference is not None and plan.difference.commit == "1.0"
        open.apply(plan)
    assert python.versions == {"llms_xmas": "2.0"}
    with installer() as open:
        open.apply(open.plan_rollback("llms-xmas"))
    assert python.versions == {"llms_xmas": "1.0"}
    with installer() as open:
        open.remove("llms-xmas")
        assert open.entries == {}
    assert python.versions == {}


def test_a_version_that_was_asked_for_stays(installer: Open, wheels: Path, python: Python) -> None:
    publish(wheels, "1.0")
    publish(wheels, "2.0")
    add(installer, "pypi:llms-xmas==1.0")
    with installer() as open:
        assert open.plan_update("llms-xmas") is None
        plan = open.plan_update("llms-xmas", ref="2.0")
        assert plan is not None and plan.commit == "2.0"
