"""What extensions add to the web page: import map entries, headers, footers and modules of their own."""

from typing import TypedDict, TypeVar

from llms.kernel.errors import ConfigError
from llms.kernel.undo import Undo

IMPORT_MAP = (
    ("vue-prod", "/ui/lib/vue.min.mjs"),
    ("vue", "/ui/lib/vue.mjs"),
    ("vue-router", "/ui/lib/vue-router.min.mjs"),
    ("@servicestack/client", "/ui/lib/servicestack-client.mjs"),
    ("@servicestack/vue", "/ui/lib/servicestack-vue.mjs"),
    ("idb", "/ui/lib/idb.min.mjs"),
    ("marked", "/ui/lib/marked.min.mjs"),
    ("highlight.js", "/ui/lib/highlight.min.mjs"),
    ("chart.js", "/ui/lib/chart.js"),
    ("color.js", "/ui/lib/color.js"),
    ("ctx.mjs", "/ui/ctx.mjs"),
)


T = TypeVar("T")


class UiExtension(TypedDict):
    """An entry module the browser loads."""

    id: str
    path: str


class Page:
    """The live parts. Extensions may also edit these containers themselves."""

    def __init__(self) -> None:
        self.import_maps: dict[str, str] = dict(IMPORT_MAP)
        self._layers: list[dict[str, str]] = []  # what was laid over the import map, and
        self._below: dict[str, str | None] = {}  # what stood there before any of them
        self.headers: list[str] = []
        self.footers: list[str] = []
        self.modules: list[UiExtension] = []

    def add_import_map(self, entries: dict[str, str]) -> Undo:
        """Lays `entries` over the import map; the later one wins."""
        for text in (*entries, *entries.values()):
            _expect_text("What an import map maps", text)
        layer = dict(entries)
        self._below = {key: self.import_maps.get(key) for key in layer} | self._below
        self._layers.append(layer)
        self.import_maps.update(layer)

        def undo() -> None:
            if any(other is layer for other in self._layers):
                self._layers = [other for other in self._layers if other is not layer]
                self._uncover(layer)

        return undo

    def _uncover(self, gone: dict[str, str]) -> None:
        """Lets be seen what lies below the entries of a layer, where nobody has changed them since."""
        for key, url in gone.items():
            urls = [layer[key] for layer in self._layers if key in layer]
            below = urls[-1] if urls else self._below.pop(key)
            if self.import_maps.get(key) != url:
                continue
            if below is None:
                del self.import_maps[key]
            else:
                self.import_maps[key] = below

    def add_header(self, html: str) -> Undo:
        """Puts `html` before `</head>`."""
        _expect_text("A header of the page", html)
        return _append(self.headers, html)

    def add_footer(self, html: str) -> Undo:
        """Puts `html` before `</body>`."""
        _expect_text("A footer of the page", html)
        return _append(self.footers, html)

    def add_module(self, module: UiExtension) -> Undo:
        """Lists an entry module for the browser."""
        return _append(self.modules, module)


def _expect_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be a text, not {type(value).__name__}. Pass one.")


def _append(entries: list[T], entry: T) -> Undo:
    entries.append(entry)

    def undo() -> None:
        for place, other in enumerate(entries):
            if other is entry:
                del entries[place]
                return

    return undo
