"""An extension that looks on, and what else tests of one chat are made of."""

from typing import Any

import pytest

from llms.host.context import ExtensionContext
from llms.kernel.errors import ProviderError
from llms.kernel.types import Context
from llms.testing import FakeProvider, TestServer

BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


class Recorder:
    """An extension that notes every hook it is called for, and may do something of its own in one."""

    def __init__(self, **act: Any) -> None:
        self.calls: list[tuple[str, Any, Context]] = []
        self._act = act
        self.__install__ = self.install

    def install(self, ctx: ExtensionContext) -> None:
        for hook in ("request", "status", "delta", "response", "error"):
            getattr(ctx, f"register_chat_{hook}_filter")(self._noting(hook))

    def _noting(self, hook: str) -> Any:
        async def note(subject: Any, context: Context) -> Any:
            self.calls.append((hook, subject, context))
            act = self._act.get(hook)
            return act(subject, context) if act else None

        return note

    @property
    def hooks(self) -> list[str]:
        return [hook for hook, _, _ in self.calls]

    def subject(self, hook: str) -> Any:
        """What the one call of `hook` was about."""
        [found] = [subject for name, subject, _ in self.calls if name == hook]
        return found

    @property
    def context(self) -> Context:
        return self.calls[-1][2]


def fail(error: Exception) -> Any:
    def act(*_: Any) -> None:
        raise error

    return act


def refusing(status: int, message: str = "no", **kwargs: Any) -> ProviderError:
    return ProviderError(message, status=status, **kwargs)


def add(server: TestServer, id: str) -> FakeProvider:
    """A further provider of the same model, asked after those that are there."""
    provider = server.app.registry.live[id] = FakeProvider(id)
    return provider
