"""What a chat wants to have made, and how: read once, for every vendor. No I/O."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, cast

from llms.api import Attachment, Chat, Model, RequestError, attachment_of, parts_of, text_of

MOST = 10  # things one chat may have made: what OpenAI allows


class Order:
    """What the last message of the user asks for.

    Settings stand in the chat's `image_config` or `audio`, in the chat itself, in the generator's `entry`, or in the
    `defaults` of the model: the first that says something counts.
    """

    def __init__(self, chat: Chat, entry: Mapping[str, Any], facts: Model | None = None) -> None:
        self.chat: Mapping[str, Any] = cast(Mapping[str, Any], chat)
        self.model: str = chat.get("model") or ""
        messages: list[Any] = [*self.chat.get("messages", ())]
        self._asked: Mapping[str, Any] = next((m for m in reversed(messages) if m.get("role") == "user"), {})
        defaults = _mapping(cast(Mapping[str, Any], facts or {}).get("defaults"))
        self._sources: tuple[Mapping[str, Any], ...] = (
            *(_mapping(self.chat.get("image_config")), _mapping(self.chat.get("audio"))),
            *(self.chat, entry, defaults, _mapping(defaults.get("options"))),
        )

    @property
    def prompt(self) -> str:
        """What the user said last. Raises RequestError where that is nothing."""
        said = text_of(self._asked.get("content"), between="\n").strip()
        if not said:
            raise RequestError("The last user message has no text. Say what shall be made.", param="messages")
        return said

    @property
    def system(self) -> str:
        """What the system message says."""
        messages = self.chat.get("messages") or ()
        return "\n".join(text_of(m.get("content")) for m in messages if m.get("role") in ("system", "developer"))

    @property
    def images(self) -> list[Attachment]:
        """The images to work from."""
        return [one for one in self._attachments() if one.kind == "image"]

    @property
    def sounds(self) -> list[Attachment]:
        """The audio to listen to."""
        return [one for one in self._attachments() if one.kind == "audio"]

    @property
    def aspect_ratio(self) -> str | None:
        """Such as "16:9"; None where any will do."""
        ratio = self.get("aspect_ratio")
        return ratio if isinstance(ratio, str) and ratio != "auto" else None

    @property
    def count(self) -> int:
        """How many to make. Raises RequestError for none, or too many."""
        count = self.get("n", default=1)
        if not isinstance(count, int) or not 0 < count <= MOST:
            raise RequestError(f"`n` is {count!r}. Ask for 1 to {MOST}.", param="n")
        return count

    def variant(self, number: int) -> "Order":
        """The same again with another seed, where one was told: the same one makes the same image."""
        seed = self.get("seed")
        other = copy.copy(self)
        if isinstance(seed, int):
            other._sources = ({"seed": seed + number}, *self._sources)
        return other

    def get(self, *names: str, kind: type = object, default: Any = None) -> Any:
        """The first of these settings that is set, to something of this `kind`."""
        values = (source.get(name) for name in names for source in self._sources)
        return next((value for value in values if value is not None and isinstance(value, kind)), default)

    def given(self, *names: str, **other: str) -> dict[str, Any]:
        """Those of these settings that are set; `other` maps what the vendor calls one to what we call it."""
        wanted = {**{name: name for name in names}, **other}
        found = {theirs: self.get(ours) for theirs, ours in wanted.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _attachments(self) -> Iterator[Attachment]:
        return (found for part in parts_of(self._asked.get("content")) if (found := attachment_of(part)) is not None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
