"""The way out of a chat that failed for good."""

import traceback
from types import TracebackType

from llms.chat.cancel import RequestCancelled
from llms.kernel.hooks import Hooks
from llms.kernel.types import Context


class ErrorFilters:
    """Hands whatever ends the block to the error filters; it goes on its way afterwards.

    A cancelled chat is no failure: it ends the block, and that is all.
    """

    def __init__(self, hooks: Hooks, context: Context) -> None:
        self._hooks, self._context = hooks, context

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception) and not isinstance(error, RequestCancelled):
            self._context.setdefault("stackTrace", "".join(traceback.format_exception(error)))
            await self._hooks.chat_error(error, self._context)
        return isinstance(error, RequestCancelled)
