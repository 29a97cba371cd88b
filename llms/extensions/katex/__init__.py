"""Maths in answers, set by KaTeX: `$…$` and `\\(…\\)` in a line, `$$…$$` and `\\[…\\]` on lines of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llms.api import ExtensionContext

BUILT = ("katex.min.mjs", "katex.min.css")  # hatch_build.py puts them into `ui`


def install(ctx: ExtensionContext) -> None:
    if missing := [name for name in BUILT if not Path(ctx.path, "ui", name).is_file()]:
        ctx.disabled = f"{' and '.join(missing)} missing: install llms again without LLMS_BUILD_UI=0 to see maths set."
        return
    ctx.add_importmaps({"katex": f"{ctx.ext_prefix}/katex.min.mjs"})
    ctx.add_index_header(f'<link rel="stylesheet" href="{ctx.ext_prefix}/katex.min.css">')


__install__ = install
