"""What a docstring says of each parameter."""

from llms.kernel import foreign
from llms.kernel.errors import LlmsError


def described(doc: str | None) -> dict[str, str]:
    """By name, one line each, from a docstring in the style of Google, NumPy or reST; empty where it is none."""
    if not doc or not isinstance(doc, str):
        return {}
    from docstring_parser import parse

    try:
        params = foreign.call_now(parse, doc, extension=foreign.RUNNING.get()).params
    except LlmsError:
        return {}
    told = ((param.arg_name, " ".join((param.description or "").split())) for param in params)
    return {name.strip(" *"): text for names, text in told if text for name in names.split(",")}
