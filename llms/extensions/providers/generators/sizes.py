"""Sizes in pixels for aspect ratios. No I/O."""

import math
from collections.abc import Iterable

from llms.api import RequestError

_WIDEST = 32  # times as wide as high, or the other way round


def ratio_of(text: str) -> float:
    """Width by height of "16:9" or "1024x768". Raises RequestError for what is no ratio."""
    width, _, height = text.replace("x", ":").partition(":")
    try:
        ratio = float(width) / float(height)
    except (ValueError, ZeroDivisionError):
        ratio = math.nan
    if not 1 / _WIDEST <= ratio <= _WIDEST:
        raise RequestError(f"{text[:40]!r} is no aspect ratio. Write one as '16:9'.", param="image_config.aspect_ratio")
    return ratio


def nearest(aspect_ratio: str, sizes: Iterable[str]) -> str:
    """The one of `sizes`, such as "1536x1024", or of other ratios, that is shaped most like `aspect_ratio`."""
    wanted = math.log(ratio_of(aspect_ratio))
    return min(sizes, key=lambda size: abs(math.log(ratio_of(size)) - wanted))


def fitted(aspect_ratio: str, *, pixels: int = 1024 * 1024, multiple: int = 64) -> tuple[int, int]:
    """A width and a height of that shape with about as many `pixels`, each a multiple of `multiple`."""
    ratio = ratio_of(aspect_ratio)
    width = math.sqrt(pixels * ratio)
    return _rounded(width, multiple), _rounded(width / ratio, multiple)


def _rounded(length: float, multiple: int) -> int:
    return max(multiple, round(length / multiple) * multiple)
