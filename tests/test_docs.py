"""The documentation says what there is: hooks, limits, environment and routes, none missing and none invented."""

import re
from pathlib import Path

from llms.app import App
from llms.kernel.config import Config
from llms.kernel.first_run import ensure_home
from llms.kernel.hooks import Hook, Hooks
from llms.kernel.limits import Limits
from llms.kernel.paths import Home
from llms.kernel.secrets import Secrets
from llms.web.server import web_app

ROOT = Path(__file__).parents[1]


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def _rows(page: str, section: str = "") -> set[str]:
    """What stands in backticks at the start of the table rows of a section."""
    part = page.partition(section)[2].partition("\n#")[0] if section else page
    return set(re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE))


def test_every_hook_is_in_the_docs_with_its_arguments() -> None:
    hooks = {name: hook for name, hook in vars(Hooks()).items() if isinstance(hook, Hook)}
    page = _page("hooks.md")
    assert _rows(page) == set(hooks)
    for name, hook in hooks.items():
        arguments = f"`{hook.args}`" if hook.args else "–"
        assert f"| `{name}` | {arguments} |" in page
        assert hook.doc


def test_every_limit_is_in_the_docs_with_its_default() -> None:
    page = _page("configuration.md")
    assert _rows(page, "### limits") == set(Limits.__struct_fields__)
    for name, default in zip(Limits.__struct_fields__, Limits.__struct_defaults__, strict=True):
        if default:
            assert f"| `{name}` | {default:g} |" in page.replace("20971520", "2.09715e+07")


def test_every_route_is_in_the_docs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ensure_home(home)
    app = App(home=home, config=Config.load(home, environ={}), secrets=Secrets())
    page = _page("http-api.md")
    for resource in web_app(app, host="127.0.0.1").router.resources():
        path = re.sub(r":[^}]*}", "}", resource.canonical)
        assert path == "/ui/{path}" or f"{path}`" in page, f"{path} is not in docs/http-api.md"


def test_every_environment_variable_the_code_reads_is_in_the_docs() -> None:
    read = set()
    for file in (ROOT / "llms").rglob("*.py"):
        if "tests" not in file.parts:
            read |= set(re.findall(r"""environ(?:\.get)?[\[(]["']([A-Z_]+)["']""", file.read_text("utf-8")))
    not_ours = {"NO_COLOR", "TERM", "XDG_RUNTIME_DIR", "COLUMNS"}
    assert read - not_ours <= set(re.findall(r"`([A-Z_]+)`", _page("configuration.md")))
