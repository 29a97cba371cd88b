"""What a chat says that a vendor has no words for."""

import logging
from collections.abc import Iterable

from llms.kernel.errors import RequestError

logger = logging.getLogger("llms.providers")


class Leftovers:
    """Takes note of what was left out of a provider's requests. Each is logged once, however many chats say it.

    With `refuse`, the entry's `unsupported: "error"`, nothing is left out: the chat is refused.
    """

    def __init__(self, provider: str, *, refuse: bool = False) -> None:
        self._provider, self._refuse = provider, refuse
        self._told: set[str] = set()

    def leave_out(self, *names: str) -> None:
        """Raises RequestError where nothing may be left out."""
        if names and self._refuse:
            raise RequestError(
                f"{self._provider} cannot be told {', '.join(f'`{name}`' for name in names)}. "
                'Leave it out, or set `unsupported` to "drop" in the provider\'s entry.',
                param=names[0],
            )
        if fresh := [name for name in names if name not in self._told]:
            self._told.update(fresh)
            logger.warning("%s cannot be told %s: left out of its requests.", self._provider, ", ".join(fresh))

    def rest(self, given: Iterable[str], said: Iterable[str]) -> None:
        """Leaves out every name that was `given` and is not among those `said`."""
        said = frozenset(said)
        self.leave_out(*(name for name in given if name not in said))
