"""What a vendor has made, as parts of a message. No I/O."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llms.api import Usage

Part = dict[str, Any]


@dataclass(slots=True)
class Made:
    """Images, audio and text of one answer, or of several put together."""

    images: list[Part] = field(default_factory=list)
    audios: list[Part] = field(default_factory=list)
    text: str = ""
    usage: Usage | None = None
    cost: float | None = None  # dollars, where the vendor tells

    def __bool__(self) -> bool:
        return bool(self.images or self.audios or self.text)

    def unreadable(self) -> str | None:
        """The first part that says it is base64 and is not, as its kind; None where all are sound."""
        for kind, parts in (("image", self.images), ("audio", self.audios)):
            if any(not _is_sound(part[f"{kind}_url"]["url"]) for part in parts):
                return kind
        return None


def image(content: str, mime: str = "image/png", **about: Any) -> Part:
    """An image part of base64, a data URI or a link; `about` goes with it where it is told."""
    return _part("image_url", content, mime, about)


def audio(content: str | bytes, mime: str, **about: Any) -> Part:
    """An audio part of bytes, base64, a data URI or a link."""
    return _part("audio_url", encoded(content) if isinstance(content, bytes) else content, mime, about)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def together(several: Iterable[Made]) -> Made:
    """All that was made, in order, as one."""
    whole = Made()
    for made in several:
        whole.images += made.images
        whole.audios += made.audios
        whole.text = "\n".join(filter(None, (whole.text, made.text)))
        whole.usage = _sum(whole.usage, made.usage)
        if made.cost is not None:
            whole.cost = round((whole.cost or 0.0) + made.cost, 12)
    return whole


def _part(kind: str, content: Any, mime: str, about: Part) -> Part:
    if not isinstance(content, str) or not content:
        raise ValueError(f"nothing where a {kind} should be")
    is_addressed = content.startswith(("data:", "http://", "https://"))
    url = content if is_addressed else f"data:{mime};base64,{content}"
    return {"type": kind, kind: {"url": url}, **{key: value for key, value in about.items() if value is not None}}


def _is_sound(url: str) -> bool:
    if not url.startswith("data:"):
        return True
    try:
        return bool(binascii.a2b_base64(url.partition(",")[2], strict_mode=True))
    except ValueError:
        return False


def _sum(known: Usage | None, more: Usage | None) -> Usage | None:
    """The counts of both; what is not a number is the first one's."""
    if known is None or more is None:
        return known or more
    total: Any = {**known}
    for key, value in more.items():
        if isinstance(value, int | float) and isinstance(total.get(key, 0), int | float):
            total[key] = total.get(key, 0) + value
    return total  # type: ignore[no-any-return]
