"""The checks that only read. What the code does is never done here: it would raise."""

from pathlib import Path

import pytest

from llms.testing.conformance.report import Outcome

from .conftest import Read

RAISES = "raise SystemExit('no line of it runs')\n"
MANIFEST = 'version = "1.0"\nllms = ">=0"\ndescription = "Mine."\npermissions = []\n'


def declaring(*permissions: str) -> dict[str, str]:
    return {"extension.toml": MANIFEST.replace("[]", str(list(permissions)))}


# -- the manifest ------------------------------------------------------------------------------------------------


def test_a_whole_manifest_is_in_order(reading: Read) -> None:
    check = reading(RAISES, {"extension.toml": MANIFEST})["manifest"]
    assert (check.outcome, check.fix) == (Outcome.OK, "")


def test_without_a_manifest_it_is_told_what_one_is_good_for(reading: Read) -> None:
    check = reading(RAISES)["manifest"]
    assert (check.outcome, check.told) == (Outcome.SKIPPED, "There is no extension.toml.")


def test_of_a_sparse_manifest_it_is_told_what_could_be_added(reading: Read) -> None:
    check = reading(RAISES, {"extension.toml": 'version = "1.0"'})["manifest"]
    assert (check.outcome, check.fix) == (Outcome.OK, "It could also tell llms, description.")


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ('permissions = ["fly"]', "there is no permission 'fly'"),
        ("not toml", "extension.toml"),
        ('llms = ">=999"', "It works with llms >=999"),
    ],
)
def test_a_manifest_that_keeps_it_from_loading_fails(reading: Read, manifest: str, told: str) -> None:
    check = reading(RAISES, {"extension.toml": manifest})["manifest"]
    assert check.outcome is Outcome.FAILED
    assert told in check.told


# -- the code ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["def (:", "x = 1\0", "(" * 5000 + ")" * 5000])
def test_what_is_no_python_fails_with_its_place(reading: Read, source: str) -> None:
    check = reading(RAISES, {"lib/db.py": source})["code"]
    assert check.outcome is Outcome.FAILED
    assert check.told.startswith("lib/db.py")


def test_an_extension_that_is_all_page_needs_no_code(reading: Read) -> None:
    check = reading(None, {"ui/index.mjs": "export default {};"})["code"]
    assert (check.outcome, check.told) == (Outcome.SKIPPED, "There is no Python code.")


@pytest.mark.parametrize(
    "path", ["tests/test_mine.py", "tests/conftest.py", "test_it.py", ".requirements/x.py", "node_modules/x.py"]
)
def test_tests_and_what_others_have_put_there_are_not_its_code(reading: Read, path: str) -> None:
    checks = reading("", {path: "import httpx, pytest\ndef (:"})
    assert {check.outcome for check in checks.values()} == {Outcome.OK, Outcome.SKIPPED}


# -- requirements ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("import nowhere_to_be_had", {"requirements.txt": "nowhere-to-be-had>=1"}),
        ("import nowhere.else_", {"extension.toml": 'requirements = ["nowhere"]'}),
        ("import whatever", {"requirements.txt": "called-otherwise-than-its-module"}),
        ("import pytest", {"requirements.txt": "PyTest"}),
        ("import aiohttp\nfrom PIL import Image\nimport json, llms.main", {}),
        ("import store\nfrom lib import db\nimport mine.store", {"store.py": "", "lib/db.py": ""}),
        ("from . import nowhere", {}),
        ("try:\n    import nowhere\nexcept ImportError:\n    nowhere = None", {}),
        ("try:\n    import nowhere\nexcept (KeyError, ModuleNotFoundError):\n    import nowhere_else", {}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nowhere", {}),
    ],
)
def test_an_import_that_is_accounted_for_is_fine(reading: Read, source: str, files: dict[str, str]) -> None:
    assert reading(source, files)["requirements"].outcome is Outcome.OK


@pytest.mark.parametrize(
    "source",
    [
        "import nowhere",
        "from nowhere.far import away",
        "def later():\n    import nowhere",
        "__import__('nowhere')",
        "import importlib\nimportlib.import_module('nowhere.far')",
        "from importlib import import_module as load\nload('nowhere')",
        "try:\n    import nowhere\nexcept KeyError:\n    pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import nowhere",
        "if not TYPE_CHECKING:\n    import nowhere",
    ],
)
def test_an_import_that_no_requirement_accounts_for_fails(reading: Read, source: str) -> None:
    check = reading("", {"lib/code.py": source, "requirements.txt": "aiohttp"})["requirements"]
    assert check.outcome is Outcome.FAILED
    assert "the import of nowhere (lib/code.py:" in check.told


def test_a_package_that_is_installed_by_chance_must_be_listed_too(reading: Read) -> None:
    check = reading("import pytest")["requirements"]
    assert (check.outcome, "pytest (__init__.py:1)" in check.told) == (Outcome.FAILED, True)


def test_requirements_that_cannot_be_read_fail(reading: Read) -> None:
    check = reading("", {"requirements.txt": "=nothing="})["requirements"]
    assert check.outcome is Outcome.FAILED
    assert "'=nothing=' is no requirement" in check.told


# -- permissions -------------------------------------------------------------------------------------------------


def test_what_is_used_and_not_declared_fails_with_the_place(reading: Read) -> None:
    check = reading("", {"lib/run.py": "\nimport subprocess", **declaring("ui")})["permissions"]
    assert check.outcome is Outcome.FAILED
    assert str(check) == (
        'extension.toml does not declare exec (subprocess at lib/run.py:2). Add "exec" to `permissions`.'
    )


def test_what_is_declared_is_fine_also_where_it_is_not_seen_in_use(reading: Read) -> None:
    check = reading("import subprocess", declaring("exec", "net"))["permissions"]
    assert (check.outcome, check.told) == (Outcome.OK, "extension.toml declares what its code uses: exec.")


def test_without_a_manifest_it_is_told_what_one_would_say(reading: Read) -> None:
    check = reading("import socket", {"ui/index.mjs": "export default {};"})["permissions"]
    assert (check.outcome, check.fix) == (Outcome.SKIPPED, 'Add one that says `permissions = ["net", "ui"]`.')


def test_a_module_of_the_page_needs_a_permission_and_other_files_there_do_not(reading: Read) -> None:
    assert reading("", {"ui/data.json": "{}", **declaring()})["permissions"].outcome is Outcome.OK
    assert reading("", {"ui/index.mjs": "export default {};"})["permissions"].outcome is Outcome.FAILED


def test_its_own_module_is_not_taken_for_one_that_is_known(reading: Read) -> None:
    assert reading("import redis", {"redis.py": "", **declaring()})["permissions"].outcome is Outcome.OK


def test_a_file_of_its_own_does_not_stand_for_a_module_of_pythons(reading: Read) -> None:
    assert reading("import socket", {"socket.py": "", **declaring()})["permissions"].outcome is Outcome.FAILED


def test_of_changed_files_reading_cannot_tell_which(reading: Read) -> None:
    source = "from pathlib import Path\nPath('x').write_text('')"
    check = reading(source, declaring())["files"]
    assert check.outcome is Outcome.SKIPPED
    assert "write_text at __init__.py:2" in check.told
    assert reading(source, declaring("files"))["files"].outcome is Outcome.OK


# -- the page ----------------------------------------------------------------------------------------------------


def test_every_module_of_the_page_is_read(reading: Read) -> None:
    files = {"ui/index.mjs": "import './more.mjs';\nexport default { install() {} };", "ui/more.mjs": "export {};"}
    check = reading("", files)["page"]
    assert (check.outcome, check.told) == (Outcome.OK, "2 modules of the page can be read.")


def test_a_module_that_is_no_javascript_fails_with_its_place(reading: Read) -> None:
    files = {"ui/index.mjs": "export default {};", "ui/parts/more.mjs": "\nconst = 1;"}
    check = reading("", files)["page"]
    assert check.outcome is Outcome.FAILED
    assert check.told.startswith("ui/parts/more.mjs:2 is no JavaScript: SyntaxError:")


def test_an_entry_without_a_default_export_fails(reading: Read) -> None:
    check = reading("", {"ui/index.mjs": "export const install = () => {};"})["page"]
    assert (check.outcome, "no default export" in check.told) == (Outcome.FAILED, True)


def test_node_runs_none_of_it(reading: Read, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"import fs from 'node:fs';\nfs.writeFileSync({str(mark)!r}, '');\nexport default {{}};"
    assert reading("", {"ui/index.mjs": source})["page"].outcome is Outcome.OK
    assert not mark.exists()


def test_without_node_the_page_is_not_read(reading: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    check = reading("", {"ui/index.mjs": "const = 1;"})["page"]
    assert (check.outcome, check.told) == (Outcome.SKIPPED, "Node is not installed.")
