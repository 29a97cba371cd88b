"""One call of a tool. Whatever becomes of it is a result that a model can read."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from llms.kernel import foreign
from llms.kernel.accounts import Accounts
from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Json
from llms.tools.arguments import arguments
from llms.tools.registry import Tool, Tools
from llms.tools.results import Results, clean

Deadline = float | None | Callable[[], float | None]


class Executor:
    """Runs tools by name. `deadline` is how many seconds one call may take, or a function that says so."""

    def __init__(
        self, tools: Tools, results: Results, *, deadline: Deadline = None, accounts: Accounts | None = None
    ) -> None:
        self._tools, self._results, self._deadline = tools, results, deadline
        self._accounts = accounts or Accounts()

    async def run(self, name: str, args: Json | None, *, user: str | None = None) -> tuple[str | None, list[Json]]:
        """What the tool says to `args`, and its resources. Raises nothing but a cancellation of our own task.

        A failure is such a text too. `user` is given to a tool that asks for the signed-in user.
        """
        try:
            tool = self._tools.get(name)
            if tool is None:
                return f"Error: Tool '{name}' not found", []
            return await self._run(tool, args, user)
        except LlmsError as error:
            return _failed(name, str(error)), []

    async def _run(self, tool: Tool, args: Any, user: str | None) -> tuple[str, list[Json]]:
        given = arguments(args, tool.parameters, tool.function, user=user)
        with self._accounts.charge(tool.extension):
            result = await self._call(tool, partial(tool.function, *given.positional, **given.named))
        if inspect.iscoroutine(result):
            result.close()
            raise RequestError("The tool returned a coroutine instead of a result. Await it in the tool.")
        if type(result) is str and result.isascii():
            return result, []  # the usual one needs no thread
        whole = partial(self._results.whole, result, tool.name, args, user=user)
        told: tuple[str, list[Json]] = await self._call(tool, whole)
        return told

    async def _call(self, tool: Tool, function: Callable[[], Any]) -> Any:
        deadline = self._deadline() if callable(self._deadline) else self._deadline
        return await foreign.call(function, extension=tool.extension or tool.name, deadline=deadline)


def _failed(name: str, message: str) -> str:
    return clean(f"Error executing tool '{name}':\n{message}")
