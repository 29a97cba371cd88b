"""What each extension has cost so far."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llms.kernel.errors import LlmsError


@dataclass(slots=True)
class Account:
    """Calls into one extension: how many, how many failed, and the seconds they took, waiting included."""

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    last_error: str | None = None

    def failed(self, error: Exception) -> None:
        self.errors += 1
        self.last_error = str(error)


class Accounts:
    """One account for each extension that was ever called."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def of(self, extension: str) -> Account:
        return self._accounts.setdefault(extension, Account())

    @contextmanager
    def charge(self, extension: str) -> Iterator[None]:
        """Charges the block to `extension`; an error that leaves it is counted."""
        account = self.of(extension)
        account.calls += 1
        started = time.perf_counter()
        try:
            yield
        except LlmsError as error:
            account.failed(error)
            raise
        finally:
            account.seconds += time.perf_counter() - started
