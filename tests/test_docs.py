"""The documentation says what there is: none missing and none invented."""

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import pytest

from llms.chat.tool_call import ToolCallEvent
from llms.cli.flags import SECTIONS
from llms.cli.verbs import VERBS
from llms.host.extension import HOOKS
from llms.host.loader import Host
from llms.host.manifest import Manifest
from llms.kernel.hooks import Hook, Hooks
from llms.kernel.limits import Limits
from llms.kernel.types import Context
from llms.testing import make_app
from llms.web.gate import CORE, Access
from tests.docs.pages import DOCS, blocks, page

ROOT = DOCS.parent
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
READ_ME = [ROOT / "README.md", ROOT / "CHANGELOG.md"]


def _part(text: str, section: str) -> str:
    """What stands below a heading, up to the next one."""
    assert f"\n{section}\n" in text, f"there is no heading {section}"
    return text.partition(f"\n{section}\n")[2].partition("\n#")[0]


def _rows(text: str) -> set[str]:
    """What stands in backticks in the first cells of tables."""
    cells = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


# -- hooks ---------------------------------------------------------------------------------------------------------


def test_every_hook_is_in_the_docs_with_its_arguments() -> None:
    hooks = {name: hook for name, hook in vars(Hooks()).items() if isinstance(hook, Hook)}
    table = _part(page("hooks.md"), "## Handlers")
    assert _rows(table) == set(hooks)
    for name, hook in hooks.items():
        arguments = f"`{hook.args}`" if hook.args else "–"
        assert f"| `{name}` | {arguments} |" in table
        assert hook.doc


def test_every_hook_of_a_module_is_in_the_docs() -> None:
    told = _rows(_part(page("hooks.md"), "## The hooks of a module"))
    assert {name.partition("(")[0] for name in told} == set(HOOKS)


def test_every_key_of_a_chats_context_is_in_the_docs() -> None:
    assert _rows(_part(page("hooks.md"), "## The context of a chat")) == Context.__annotations__.keys()


def test_everything_that_a_tool_call_has_is_in_the_docs() -> None:
    told = {name.partition("(")[0] for name in _rows(_part(page("hooks.md"), "### tool_call"))}
    assert told == {name for name in dir(ToolCallEvent) if not name.startswith("_")}


# -- configuration -------------------------------------------------------------------------------------------------


def test_every_limit_is_in_the_docs_with_its_default() -> None:
    table = _part(page("configuration.md"), "### limits")
    assert _rows(table) == set(Limits.__struct_fields__)
    for name, default in zip(Limits.__struct_fields__, Limits.__struct_defaults__, strict=True):
        if default:
            assert f"| `{name}` | {default:g} |" in table.replace("20971520", "2.09715e+07")


def test_the_environment_variables_in_the_docs_are_those_that_the_code_reads() -> None:
    sources = [file.read_text("utf-8") for file in (ROOT / "llms").rglob("*.py") if "tests" not in file.parts]
    read = {name for source in sources for name in re.findall(r"""environ(?:\.get)?[\[(]["']([A-Z_]+)["']""", source)}
    told = _rows(_part(page("configuration.md"), "## Environment"))
    not_ours = {"TERM", "XDG_RUNTIME_DIR", "COLUMNS", "PATH", "GIT_SSH_COMMAND", "HOME", "APPDATA", "CLOUDSDK_CONFIG"}
    assert read - not_ours <= told
    of_libraries = {"NO_COLOR"}
    vendors = "".join(source for source in sources if "environ" in source)  # some are read from a table
    left = {name for name in told - read - of_libraries if not name.endswith("_API_KEY")}
    assert {name for name in left if f'"{name}"' not in vendors} == set()


def test_every_field_of_a_manifest_is_in_the_docs() -> None:
    fields = {field.name for field in dataclasses.fields(Manifest)}
    assert _rows(page("extensions/manifest.md").partition("## Permissions")[0]) == fields


def test_the_manifest_in_the_docs_is_one(tmp_path: Path) -> None:
    (tmp_path / "extension.toml").write_text(blocks("extensions/manifest.md", "toml")[0], "utf-8")
    manifest = Manifest.read(tmp_path)
    assert {field.name for field in dataclasses.fields(manifest) if not getattr(manifest, field.name)} == set()


# -- HTTP ----------------------------------------------------------------------------------------------------------


def test_every_route_is_in_the_docs_with_those_who_may_use_it() -> None:
    words = {Access.OPEN: "everybody", Access.SIGNED_IN: "signed in", Access.ADMIN: "admins"}
    table = page("http-api.md").partition("\n## ")[0]
    told = dict(re.findall(r"^\| `([^`]+)` \|.*\| (.+) \|$", table, re.MULTILINE))
    assert told == {f"{method} {path}": words[access] for (method, path), access in CORE.items()}


def install(_ctx: object) -> None:
    """An extension that does nothing."""


async def test_every_key_of_a_status_is_in_the_docs() -> None:
    async with make_app(install) as server:
        (status,) = (await server.get("/ext/status")).body
    assert _rows(_part(page("http-api.md"), "## Extensions")) == status.keys()


# -- the command line ----------------------------------------------------------------------------------------------


def _called() -> list[tuple[str, str]]:
    """Every command line of ours in the docs: in a block of shell, or between backticks."""
    texts = {name: page(name) for name in PAGES} | {path.name: path.read_text("utf-8") for path in READ_ME}
    found = []
    for name, text in texts.items():
        lines = re.findall(r"^(?:\.venv/bin/)?llms (.+?)(?:  +#.*)?$", text, re.MULTILINE)
        inline = re.findall(r"`llms ([^`]+)`", text)
        found += [(name, line) for line in (*lines, *inline)]
    return found


@pytest.mark.parametrize(("where", "line"), sorted(set(_called())))
def test_a_command_line_in_the_docs_is_one_of_ours(where: str, line: str) -> None:
    flags = {name for section in SECTIONS for flag in section.flags for name in flag.names} | {"--loud"}
    unquoted = re.sub(r"\"[^\"]*\"", "", line)
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", unquoted)) <= flags, where
    if (action := re.match(r"ext ([a-z]+)", line)) is not None:
        assert any(call.startswith((f"ext {action[1]}", f"ext [{action[1]}]")) for call in VERBS), where


# -- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["main", "db", "api"])
def test_every_name_that_can_be_imported_is_on_the_page_of_compatibility(name: str) -> None:
    module = __import__(f"llms.{name}", fromlist=["__all__"])
    rows = re.findall(rf"^\| `llms\.{name}` \| [^|]+ \| (.+) \|$", page("extensions/compatibility.md"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(module.__all__)


# -- the pages themselves ------------------------------------------------------------------------------------------


def test_every_page_has_its_place_in_the_list() -> None:
    listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == PAGES


@pytest.mark.parametrize("path", READ_ME, ids=lambda path: path.name)
def test_links_out_of_the_docs_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_samples_of_data_can_be_read(name: str) -> None:
    for block in blocks(name, "json"):
        json.loads(block)
    for block in blocks(name, "toml"):
        tomllib.loads(block)


async def test_the_extension_in_the_readme_works(tmp_path: Path) -> None:
    source = re.findall(r"```python\n(.*?)```", READ_ME[0].read_text("utf-8"), re.DOTALL)[-1]
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello/__init__.py").write_text(source, "utf-8")
    async with make_app(tmp_path / "hello") as server:
        assert (await server.get("/ext/hello/hello?name=Ann")).body == {"message": "Hello Ann!"}
        assert server.app.tools.groups == {"custom": ["roll_dice"]}
        assert isinstance(server.host, Host)
