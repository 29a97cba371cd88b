"""Request fields from `--args "temperature=0.2&stop=a,b"`."""

import math
import re
from typing import Any
from urllib.parse import parse_qs

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


def parse_fields(text: str) -> dict[str, Any]:
    """The fields in URL-encoded `text`, typed. A key given more than once is a list of its texts, as written."""
    return {key: _field(key, values) for key, values in parse_qs(text, keep_blank_values=True).items()}


def _field(key: str, values: list[str]) -> Any:
    if len(values) > 1:
        return values
    if key == "stop" and "," in values[0]:
        return values[0].split(",")
    return _typed(values[0])


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text) and math.isfinite(number := float(text)):
        return number
    return text
