"""Whether anybody still wants the answer to a chat."""

import logging
import time
from collections.abc import Callable
from typing import cast

from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.kernel.types import Context, Json
from llms.kernel.undo import Undo

logger = logging.getLogger("llms.chat")
EVERY = 0.1  # seconds between two questions about one chat
_ASKED_AT = "cancelCheckedAt"  # key of the context
IsThreadCancelled = Callable[[str], bool]


class RequestCancelled(LlmsError):
    """The chat was cancelled. Not a failure: no error filter is told."""

    status = 499  # as nginx says for a client that left
    kind = "cancelled"
    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The chat was cancelled. Send it again if its answer is still wanted.")


class Cancellation:
    """Knows which chats were cancelled, here or by whoever keeps their threads."""

    def __init__(self) -> None:
        self._questions: list[tuple[IsThreadCancelled, str]] = []

    def add(self, is_thread_cancelled: IsThreadCancelled, *, extension: str) -> Undo:
        """From now on `is_thread_cancelled(thread_id)` is asked too. It is called on the event loop: be quick."""
        entry = (is_thread_cancelled, extension)
        self._questions.append(entry)

        def undo() -> None:
            self._questions = [other for other in self._questions if other is not entry]

        return undo

    def asked_for(self, context: Context) -> bool:
        """Whether the chat with `context` shall end now: `cancelled` or `completed` is set, or its thread says so."""
        if context.get("cancelled") or context.get("completed"):
            return True
        thread = context.get("threadId")
        if not self._questions or thread is None or not _is_time(context):
            return False
        if any(_answer(question, thread, extension) for question, extension in self._questions):
            context["cancelled"] = True
            return True
        return False


def _is_time(context: Context) -> bool:
    """Whether the last question about this chat is long enough ago."""
    now, kept = time.monotonic(), cast(Json, context)
    if now - kept.get(_ASKED_AT, -EVERY) < EVERY:
        return False
    kept[_ASKED_AT] = now
    return True


def _answer(question: IsThreadCancelled, thread: str, extension: str) -> bool:
    try:
        return bool(foreign.call_now(question, thread, extension=extension))
    except LlmsError as error:
        logger.warning("Extension '%s' cannot tell whether thread %s was cancelled: %s", extension, thread, error)
        return False
