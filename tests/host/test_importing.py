"""Each extension is imported once, under names of its own, and costs nobody else anything."""

import asyncio
import dataclasses
import importlib
import inspect
import logging
import os
import pickle
import signal
import sys
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llms.host.importing import Imported, contained, import_folder, import_package
from llms.kernel.errors import ConfigError
from llms.kernel.foreign import RUNNING, ExtensionError

Load = Callable[..., Imported]


def write(folder: Path, files: dict[str, str]) -> Path:
    """Makes `folder` with these files in it."""
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Writes an extension and imports it. Afterwards nothing of any extension may be left."""
    before, finders, path = set(sys.modules), sys.meta_path[:], sys.path[:]
    loaded: list[Imported] = []

    def load(name: str = "thing", /, init: str = "", **files: str) -> Imported:
        folder = write(tmp_path / name, {"__init__.py": init, **{f"{key}.py": source for key, source in files.items()}})
        loaded.append(import_folder(name, folder))
        return loaded[-1]

    yield load
    for imported in loaded:
        imported.unload()
    assert (sys.meta_path, sys.path) == (finders, path)
    assert not [name for name in set(sys.modules) - before if name.startswith("llms_ext")]


# -- what an extension may import ------------------------------------------------------------------------------


def test_relative_imports_find_the_files_of_the_folder(load: Load) -> None:
    imported = load(
        init="from .db import X\nfrom . import db\nfrom .lib.deep import Y", db="X = 1", **{"lib/deep": "Y = 2"}
    )
    assert (imported.module.X, imported.module.db.X, imported.module.Y) == (1, 1, 2)


def test_a_package_inside_the_folder_is_found_by_its_absolute_name(load: Load) -> None:
    imported = load(
        "llmspy-thing",
        "from llmspy_thing import __install__, __load__\nimport llmspy_thing.db\nimport llmspy_thing.db as db",
        **{
            "llmspy_thing/__init__": "from llmspy_thing.hooks import __install__\nfrom .hooks import __load__",
            "llmspy_thing/hooks": "import llmspy_thing.db\ndef __install__(ctx): ...\n__load__ = llmspy_thing.db.X",
            "llmspy_thing/db": "X = 'x'",
        },
    )
    assert imported.module.__load__ == imported.module.db.X == imported.module.llmspy_thing.db.X == "x"
    assert callable(imported.module.__install__)


def test_two_extensions_have_each_its_own_db(load: Load) -> None:
    lazy = "import db\ndef late():\n    import later\n    from later import X\n    return later.X + X"
    a = load("a", lazy, db="X = 'a'", later="X = 'a'")
    b = load("b", lazy, db="X = 'b'", later="X = 'b'")
    assert (a.module.db.X, b.module.db.X, a.module.late(), b.module.late()) == ("a", "b", "aa", "bb")


async def test_a_late_import_in_another_thread_finds_its_own_too(load: Load) -> None:
    imported = load(init="def late():\n    import db\n    return db.X", db="X = 1")
    assert await asyncio.to_thread(imported.module.late) == 1


def test_every_way_to_import_by_name_finds_the_same_module(load: Load) -> None:
    imported = load(
        init="import importlib, importlib.util, db\nfrom importlib import import_module, metadata\n"
        "from . import db as d\n"
        "found = [db, d, importlib.import_module('db'), import_module('.db', __package__), __import__('db')]\n"
        "scope = {}\nexec('import db', scope)\nfound.append(scope['db'])\n"
        "other = [importlib.util.find_spec, import_module('json'), metadata]",
        db="",
    )
    assert all(module is imported.module.db for module in imported.module.found)
    assert imported.module.other[1] is sys.modules["json"]


def test_what_is_imported_is_run_once(load: Load, tmp_path: Path) -> None:
    note = f"with open({str(tmp_path / 'runs')!r}, 'a') as file: file.write(__name__ + ' ')"
    load(init=f"{note}\nimport db\nfrom . import db\nfrom db import X", db=f"{note}\nX = 1")
    assert (tmp_path / "runs").read_text() == "llms_ext_thing llms_ext_thing.db "


def test_files_of_an_extension_cannot_be_imported_by_anybody_else(load: Load) -> None:
    load(init="import private_db_of_mine", private_db_of_mine="")
    assert not [name for name in sys.modules if name.startswith("private_db_of_mine")]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("private_db_of_mine")


@pytest.mark.parametrize("name", ["json", "asyncio", "llms", "queue"])
def test_nobody_shadows_the_standard_library_or_llms(load: Load, name: str) -> None:
    imported = load(name, f"import {name}\nimport {name} as found\nfrom .{name} import X", **{name: "X = 'mine'"})
    assert imported.module.found is sys.modules[name] is importlib.import_module(name)
    assert imported.module.X == "mine"
    assert not hasattr(importlib.import_module(name), "X")


def test_llms_is_imported_as_everybody_imports_it(load: Load) -> None:
    imported = load(init="from llms.kernel.errors import LlmsError\nimport llms.kernel.errors")
    assert issubclass(ConfigError, imported.module.LlmsError)


def test_a_folder_without_code_gives_way_to_an_installed_package(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "thing", {"aiohttp/notes.txt": "", "mine/x.py": "X = 1"})
    imported = load(init="import aiohttp\nfrom mine import x")
    assert imported.module.aiohttp is sys.modules["aiohttp"]
    assert imported.module.x.X == 1


@pytest.mark.parametrize("name", ["my-ext", "1st.ext", "ünï cöde", "thing.py", "class"])
def test_folders_need_not_be_called_like_modules(load: Load, name: str) -> None:
    imported = load(name, "from .db import X\nimport db", db="X = 1")
    assert imported.module.X == 1
    assert imported.module.__name__.startswith("llms_ext_")


def test_a_folder_with_a_ui_alone_is_an_empty_module(tmp_path: Path) -> None:
    imported = import_folder("page", write(tmp_path / "page", {"ui/index.mjs": ""}))
    assert not hasattr(imported.module, "__install__")
    imported.unload()


@pytest.mark.parametrize("name", ["thing.py", "nothing"])
def test_a_file_or_an_empty_folder_is_no_extension(tmp_path: Path, name: str) -> None:
    (tmp_path / "thing.py").write_text("")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ExtensionError, match=r"neither an __init__\.py nor a folder ui"):
        import_folder("thing", tmp_path / name)


# -- Python's own machinery works on what was loaded -----------------------------------------------------------

_MACHINERY = """
from __future__ import annotations
from dataclasses import dataclass
import typing

class Inner: pass

@dataclass
class Outer:
    inner: Inner
    name: typing.ClassVar[str] = "x"

def shout(word: Inner) -> str:
    return "!"
"""


def test_dataclasses_hints_pickle_and_sources_work(load: Load) -> None:
    module: Any = load(init="from classes import Inner, Outer, shout", classes=_MACHINERY).module
    assert [field.name for field in dataclasses.fields(module.Outer)] == ["inner"]
    assert typing.get_type_hints(module.Outer)["inner"] is module.Inner
    assert typing.get_type_hints(module.shout) == {"word": module.Inner, "return": str}
    assert isinstance(pickle.loads(pickle.dumps(module.Outer(module.Inner()))), module.Outer)
    assert inspect.getsource(module.shout).startswith("def shout(")


def test_what_an_extension_pickled_is_found_after_a_restart(load: Load) -> None:
    first = load(init=_MACHINERY)
    saved = pickle.dumps(first.module.Inner())
    first.unload()
    second = load(init=_MACHINERY)
    assert isinstance(pickle.loads(saved), second.module.Inner)


def test_pickling_does_not_need_the_file_to_be_loaded_yet(load: Load) -> None:
    imported = load(init="import pickle\ndef back(data): return pickle.loads(data)", late="class Late: pass")
    assert type(imported.module.back(b"cllms_ext_thing.late\nLate\n(tR.")).__name__ == "Late"


# -- loading again ---------------------------------------------------------------------------------------------


def test_loaded_anew_an_extension_is_what_its_files_say_now(load: Load) -> None:
    first = load(init="from db import X", db="X = 1")
    first.unload()
    second = load(init="from db import X", db="X = 2")  # same size, same second
    assert (first.module.X, second.module.X) == (1, 2)


def test_bytecode_is_cached_of_files_that_have_settled_only(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    db = write(tmp_path / "thing", {"db.py": "", "new.py": ""}) / "db.py"
    os.utime(db, (time.time() - 60,) * 2)
    (tmp_path / "thing" / "__init__.py").write_text("import db, new")
    import_folder("thing", tmp_path / "thing").unload()
    assert [path.name.partition(".")[0] for path in (tmp_path / "thing").rglob("*.pyc")] == ["db"]


def test_two_hosts_share_no_module(load: Load, tmp_path: Path) -> None:
    first, second = load(init="import db", db=""), import_folder("thing", tmp_path / "thing")
    assert first.module is not second.module
    assert first.module.db is not second.module.db
    second.unload()
    assert sys.modules[first.module.__name__] is first.module


def test_unloading_twice_harms_no_one(load: Load) -> None:
    first = load(init="X = 1")
    first.unload()
    second = load(init="X = 2")
    first.unload()
    assert sys.modules[second.module.__name__] is second.module


_BUSY = """
import importlib
def late():
    import db
    from .db import X
    from . import db as again
    return [db.X, X, again.X, importlib.import_module("db").X, importlib.import_module(".db", __package__).X]
def new():
    import other
"""


def test_code_that_still_runs_keeps_its_modules_after_it_was_unloaded(load: Load) -> None:
    first = load(init=_BUSY, db="X = 1", other="")
    assert first.module.late() == [1] * 5
    first.unload()
    load(init=_BUSY, db="X = 2", other="").module.late()
    assert first.module.late() == [1] * 5
    with pytest.raises(ImportError, match="has been unloaded"):
        first.module.new()


def test_two_hosts_of_one_extension_may_unload_in_any_order(load: Load, tmp_path: Path) -> None:
    first, second = load(init="import db\n" + _BUSY, db="X = 1"), import_folder("thing", tmp_path / "thing")
    first.unload()
    assert (first.module.late(), second.module.late()) == ([1] * 5, [1] * 5)
    second.unload()


# -- failures --------------------------------------------------------------------------------------------------


def failure(load: Load, init: str, **files: str) -> str:
    """What the user is told. Nothing of the extension may be left."""
    with pytest.raises(ExtensionError) as caught:
        load("bad", init, **files)
    assert caught.value.extension == "bad"
    assert not [name for name in sys.modules if name.startswith("llms_ext_bad")]
    return str(caught.value)


def test_what_an_import_raises_is_told_as_it_is(load: Load) -> None:
    assert failure(load, "raise ValueError('import fail')") == "import fail"
    assert failure(load, "{}['key']") == "KeyError('key')"
    assert failure(load, "assert False") == "AssertionError"


@pytest.mark.parametrize("exit", ["import sys; sys.exit('no key')", "raise SystemExit('no key')", "quit('no key')"])
def test_ending_the_process_is_an_error_like_any_other(load: Load, exit: str) -> None:
    assert "`sys.exit('no key')`" in failure(load, exit)


def test_whatever_else_python_can_raise_is_an_error_like_any_other(load: Load) -> None:
    assert failure(load, "class Odd(BaseException): pass\nraise Odd('very')") == "very"
    assert failure(load, "import asyncio\nraise asyncio.CancelledError") == "CancelledError"
    assert "recursion" in failure(load, "def f(): f()\nf()")


def test_our_own_errors_pass_unchanged(load: Load) -> None:
    with pytest.raises(ConfigError, match="Set it"):
        load("bad", "from llms.kernel.errors import ConfigError\nraise ConfigError('The key is missing. Set it.')")


def test_ctrl_c_ends_the_start(load: Load) -> None:
    with pytest.raises(KeyboardInterrupt):
        load("bad", "raise KeyboardInterrupt")


def test_a_syntax_error_names_file_and_line(load: Load) -> None:
    assert (
        failure(load, "from .lib import db", **{"lib/db": "x = 1\ndef ("})
        == f"invalid syntax in {Path('lib/db.py')}, line 2. Correct it."
    )


def test_a_file_that_is_not_text_is_an_error_like_any_other(load: Load, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "db.py").write_bytes(b"x = '\xff'")
    assert "db.py" in failure(load, "import db")


def test_a_missing_requirement_is_named_with_the_way_to_get_it(load: Load, tmp_path: Path) -> None:
    assert failure(load, "from no_such_library.sub import X") == (
        "It needs the Python module 'no_such_library', which is not installed. Install the package that has it."
    )
    write(tmp_path / "bad", {"requirements.txt": "no-such-library"})
    told = failure(load, "import no_such_library")
    assert f"Run `pip install -r {tmp_path / 'bad' / 'requirements.txt'}`" in told
    assert "llms ext add" in told


def test_a_missing_file_of_its_own_is_told_from_a_missing_requirement(load: Load) -> None:
    assert failure(load, "from .db import X") == "It has no module 'db'. Correct the import, or add the file."


def test_a_name_this_llms_does_not_have_is_told_as_that(load: Load) -> None:
    assert "Update llms, or the extension" in failure(load, "from llms.of_the_future import X")


def test_a_file_that_python_has_under_that_name_is_explained(load: Load) -> None:
    assert "import yours with `from .queue import ...`" in failure(load, "from queue import mine", queue="mine = 1")


def test_a_failed_import_can_be_tried_again(load: Load) -> None:
    failure(load, "import db", db="raise ValueError")
    assert load("bad", "import db", db="X = 1").module.db.X == 1


# -- paths it adds, and packages that came with it -------------------------------------------------------------


def test_a_folder_it_puts_on_the_path_serves_its_own_imports_only(load: Load) -> None:
    init = (
        "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))\n"
        "import vendored_lib\ndef late():\n    import vendored_late\n    return vendored_late.X"
    )
    imported = load(init=init, **{"vendor/vendored_lib": "import vendored_late", "vendor/vendored_late": "X = 1"})
    assert imported.module.late() == 1
    assert not [name for name in sys.modules if name.startswith("vendored")]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vendored_late")


def test_a_folder_elsewhere_that_it_puts_on_the_path_serves_its_own_imports_only(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "lib", {"shared_lib.py": "import shared_more\nX = shared_more.X", "shared_more.py": "X = 1"})
    late = "def late():\n    import shared_lib\n    return shared_lib.X"
    init = f"import sys; sys.path.append({str(tmp_path / 'lib')!r})\n{late}"
    imported = load("a", init)
    assert imported.module.late() == 1
    with pytest.raises(ExtensionError, match="'shared_lib', which is not installed"):
        load("b", "import shared_lib")
    imported.unload()
    assert "shared_lib" not in sys.modules


def test_it_may_call_itself_by_its_folders_name_where_it_has_put_the_parent_on_the_path(load: Load) -> None:
    on_path = "import os, sys\nsys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))"
    imported = load("thing_x", f"{on_path}\nimport thing_x.db\nfrom thing_x.db import X", db="X = 1")
    assert imported.module.X == 1
    assert imported.module.thing_x is imported.module


def test_a_file_loaded_by_its_path_stays_private(load: Load) -> None:
    init = (
        "import importlib.util, os, sys\nfile = os.path.join(os.path.dirname(__file__), 'by_path.py')\n"
        "spec = importlib.util.spec_from_file_location('by_path', file)\n"
        "sys.modules['by_path'] = module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        "def late():\n    import by_path\n    return by_path is module"
    )
    imported = load(init=init, by_path="")
    assert "by_path" not in sys.modules
    assert imported.module.late()


def overlay(tmp_path: Path, name: str, version: str) -> None:
    package = {
        "__init__.py": f"VERSION = '{version}'\nfrom importlib.metadata import version\nmeta = version('overlaid')\n"
        "import overlaid_dep, overlaid.sub\ndef late():\n    import overlaid_late\n    return overlaid_late.X",
        "sub.py": "import overlaid_dep",
    }
    folder = tmp_path / name / ".requirements"
    write(folder / "overlaid", package)
    write(folder, {"overlaid_dep.py": "", "overlaid_late.py": "X = 1", "json.py": "X = 'never'"})
    write(folder / f"overlaid-{version}.dist-info", {"METADATA": f"Name: overlaid\nVersion: {version}\n"})


_USES = "import overlaid, json\nfrom overlaid import VERSION, meta, late"


def test_packages_that_came_with_it_are_found_by_it_alone(load: Load, tmp_path: Path) -> None:
    overlay(tmp_path, "a", "2.0")
    imported = load("a", _USES)
    assert (imported.module.VERSION, imported.module.meta, imported.module.late()) == ("2.0", "2.0", 1)
    assert imported.module.overlaid is sys.modules["overlaid"]  # the real name
    assert imported.module.json is sys.modules["json"]
    with pytest.raises(ExtensionError, match="'overlaid', which is not installed"):
        load("b", _USES)
    imported.unload()
    with pytest.raises(ExtensionError, match="'overlaid', which is not installed"):
        load("b", _USES)


def test_packages_that_came_with_it_do_not_see_its_own_files(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "a" / ".requirements", {"nosy_lib.py": "def look():\n    import db"})
    imported = load("a", "import nosy_lib, db", db="")
    with pytest.raises(ModuleNotFoundError):
        imported.module.nosy_lib.look()


def test_another_version_that_is_in_use_is_told_and_not_taken_instead(load: Load, tmp_path: Path) -> None:
    write(tmp_path / "a" / ".requirements", {"aiohttp/__init__.py": "X = 1"})
    with pytest.raises(ExtensionError, match="'aiohttp' is loaded already"):
        load("a", "import aiohttp")


def test_two_versions_that_extensions_brought_are_not_mixed(load: Load, tmp_path: Path) -> None:
    overlay(tmp_path, "a", "2.0")
    overlay(tmp_path, "b", "3.0")
    load("a", _USES)
    with pytest.raises(ExtensionError, match=r"'overlaid' is loaded already, from .* Disable the extension"):
        load("b", _USES)


def test_a_new_version_of_what_came_with_it_is_loaded_with_it(load: Load, tmp_path: Path) -> None:
    overlay(tmp_path, "a", "2.0")
    load("a", _USES).unload()
    overlay(tmp_path, "a", "3.0")
    assert load("a", _USES).module.VERSION == "3.0"


# -- the rest --------------------------------------------------------------------------------------------------


def test_while_it_is_imported_its_name_is_known(load: Load) -> None:
    imported = load(init="from llms.kernel.foreign import RUNNING\nname = RUNNING.get()")
    assert (imported.module.name, RUNNING.get()) == ("thing", "")


def test_what_an_import_does_to_the_process_is_taken_back(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    before = (Path.cwd(), sys.stdout, sys.excepthook, logging.getLogger().level, signal.getsignal(signal.SIGTERM))
    load(
        init="import logging, os, signal, sys\nprint('hello')\nos.chdir('/')\nsys.excepthook = sys.stdout = None\n"
        "logging.basicConfig(level=1, force=True)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)"
    )
    after = (Path.cwd(), sys.stdout, sys.excepthook, logging.getLogger().level, signal.getsignal(signal.SIGTERM))
    assert after == before
    assert capsys.readouterr() == ("", "hello\n")


def test_what_a_hook_puts_on_the_path_serves_its_imports_too(load: Load) -> None:
    imported = load(
        init="import os, sys\ndef hook():\n    sys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\n"
        "def late():\n    import in_lib\n    return in_lib.X",
        **{"lib/in_lib": "X = 1"},
    )
    with contained(imported):
        imported.module.hook()
    assert imported.module.late() == 1


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write(tmp_path / "installed_ext", {"__init__.py": "from .db import X", "db.py": "X = 1"})
    assert "installed_ext.db" not in sys.modules


def test_an_installed_package_keeps_its_name(package: Path) -> None:
    imported = import_package("installed_ext")
    assert sys.modules["installed_ext"] is imported.module
    imported.unload()
    imported.unload()


def test_of_a_package_that_fails_nothing_is_left(package: Path) -> None:
    (package / "__init__.py").write_text("from . import db\nimport no_such_library")
    with pytest.raises(ExtensionError, match="needs the Python module 'no_such_library'") as caught:
        import_package("installed_ext", name="mine")
    assert caught.value.extension == "mine"
    assert "installed_ext" not in sys.modules


def test_unloading_never_takes_a_module_of_llms_away() -> None:
    before = sys.modules["llms.kernel.errors"]
    import_package("llms.kernel.errors").unload()
    assert sys.modules["llms.kernel.errors"] is before
