"""Whom a chat may be asked of."""

from typing import NamedTuple

from llms.providers.base import Provider


class Candidate(NamedTuple):  # made for every chat, so it has to be cheap
    """One provider with one of its keys, and the model it would be asked for."""

    provider: Provider
    id: str  # of the provider
    model: str  # the name it is asked by, which for an alias is not what the chat says
    upstream: str  # what the provider itself calls it
    key: str = ""  # tells keys apart, and is none
    number: int = 0  # of the key, where there are several

    @property
    def label(self) -> str:
        """What the log calls it."""
        return f"{self.id} key {self.number}" if self.number else self.id

    @property
    def place(self) -> tuple[str, str]:
        """What cools down after failures."""
        return self.id, self.key

    @property
    def offer(self) -> tuple[str, str]:
        """What is the same whichever key is used."""
        return self.id, self.upstream
