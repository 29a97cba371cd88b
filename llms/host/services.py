"""What one extension lends all others: conversations, media and projects. Until one does, each says so."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llms.kernel.types import Json
from llms.kernel.undo import Undo

logger = logging.getLogger("llms.host")


class Absent:
    """Stands where no extension lends anything yet: it logs that, and answers with nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _missing(self, method: str) -> None:
        logger.info("%s.%s is not implemented: no extension provides it.", self._name, method)


class NoThreads(Absent):
    """Conversations that are stored."""

    db: Any = None

    def get_thread(self, _id: Any, _user: str | None = None) -> Json | None:
        self._missing("get_thread")
        return None

    async def update_thread_async(self, _id: Any, _fields: Mapping[str, Any], user: str | None = None) -> int | None:
        self._missing("update_thread_async")
        return None

    async def checkpoint_stream_async(self, _id: Any, _message: Json, user: str | None = None) -> None:
        self._missing("checkpoint_stream_async")

    def get_request(self, _id: Any, _user: str | None = None) -> Json | None:
        self._missing("get_request")
        return None


class NoMedia(Absent):
    """Files that were made, and what is known of each."""

    def query_media(self, _query: Mapping[str, Any], user: str | None = None) -> list[Json]:
        self._missing("query_media")
        return []

    def update_media(self, _id: Any, _fields: Mapping[str, Any], user: str | None = None) -> int | None:
        self._missing("update_media")
        return None

    async def update_media_async(self, _id: Any, _fields: Mapping[str, Any], user: str | None = None) -> int | None:
        self._missing("update_media_async")
        return None


class NoProjects(Absent):
    """Named workspaces."""

    def get_user_projects(self, user: str | None = None) -> list[Json]:
        self._missing("get_user_projects")
        return []

    def resolve_workspace(self, _project_id: Any, _user: str | None = None) -> Json | None:
        self._missing("resolve_workspace")
        return None


async def keep_messages(
    messages: list[Json], target_tokens: int, chunk_tokens: int, user: str | None = None, **_: Any
) -> tuple[list[Json], Json | None, int]:
    """Compacts nothing: all of `messages`, no response, and how many were kept."""
    logger.info("compact_messages is not implemented: no extension provides it.")
    return messages, None, len(messages)


class Services:
    """One of each, replaceable: the one that was lent last, of those that still are."""

    def __init__(self) -> None:
        self.compact_messages: Any = keep_messages
        self.threads: Any = NoThreads("threads")
        self.media: Any = NoMedia("media")
        self.projects: Any = NoProjects("projects")
        self._stacks = {name: [Loan(service)] for name, service in vars(self).items()}

    def lend(self, name: str, service: Any) -> Undo:
        """Puts `service` in the place called `name`."""
        stack, loan = self._stacks[name], Loan(service)
        stack.append(loan)
        setattr(self, name, service)

        def undo() -> None:
            stack[:] = [other for other in stack if other is not loan]
            setattr(self, name, stack[-1].service)

        return undo


@dataclass(frozen=True, slots=True, eq=False)
class Loan:
    """One lending; the same service may be lent twice."""

    service: Any
