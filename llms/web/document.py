"""The page's HTML, put together from its template and what extensions add, and the policy it is sent with."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

from llms.host.page import Page

_MAP = '<script type="importmap"></script>'


def assembled(template: str, page: Page, *, extra: str = "") -> str:
    """`template` with the import map, the headers and the footers in their places.

    The places are looked for in the template alone, so that a `</head>` in somebody's header is not one.
    """
    before_map, has_map, after_map = template.partition(_MAP)
    edited: dict[Any, Any] = page.import_maps  # as extensions like
    imports = {name: url for name, url in edited.items() if isinstance(name, str) and isinstance(url, str)}
    written = json.dumps({"imports": imports}, indent=2).replace("<", "\\u003c")
    filled = f'<script type="importmap">{written}</script>' if has_map else ""
    head, end_of_head, rest = after_map.partition("</head>")
    body, end_of_body, tail = rest.rpartition("</body>")
    headers, footers = _joined([*page.headers, extra]), _joined(page.footers)
    return "".join([before_map, filled, head, headers, end_of_head, body, footers, end_of_body, tail])


def _joined(parts: Sequence[object]) -> str:
    """The texts among `parts`, which extensions edit as they like, with line ends as a browser reads them.

    It hashes inline scripts as it has read them: https://html.spec.whatwg.org/multipage/parsing.html
    """
    text = "\n".join(part for part in parts if isinstance(part, str))
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()


def policy(html: str) -> str:
    """The Content-Security-Policy for `html`: its own inline scripts and styles, told by their hash, and no others."""
    inline = _Inline()
    inline.feed(html)
    inline.close()
    return (
        f"default-src 'self'; script-src 'self'{inline.hashes('script')}; style-src 'self'{inline.hashes('style')}; "
        "img-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class _Inline(HTMLParser):
    """Collects the text of every style, and of every script that has no `src`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._texts: dict[str, list[str]] = {"script": [], "style": []}
        self._inside: list[str] | None = None

    def hashes(self, tag: str) -> str:
        """As https://www.w3.org/TR/CSP3/#match-element-to-source-list says."""
        digests = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in self._texts[tag])
        return "".join(f" 'sha256-{digest}'" for digest in digests)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_inline = not any(name == "src" for name, _ in attrs)
        self._inside = self._texts.get(tag) if is_inline else None
        if self._inside is not None:
            self._inside.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self._inside[-1] += data
