"""What an extension costs is counted against it."""

import pytest

from llms.kernel.accounts import Accounts
from llms.kernel.errors import NotFound


def test_calls_and_their_time_are_counted() -> None:
    accounts = Accounts()
    with accounts.charge("a"):
        sum(range(1000))
    account = accounts.of("a")
    assert (account.calls, account.errors, account.last_error) == (1, 0, None)
    assert account.seconds > 0
    assert accounts.of("b").calls == 0


def test_an_error_is_counted_and_goes_on() -> None:
    accounts = Accounts()
    with pytest.raises(NotFound), accounts.charge("a"):
        raise NotFound("Gone. Look elsewhere.")
    assert (accounts.of("a").errors, accounts.of("a").last_error) == (1, "Gone. Look elsewhere.")
