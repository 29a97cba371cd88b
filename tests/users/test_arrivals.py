"""Each user is set up once, whoever else comes at the same time."""

import asyncio

import pytest

from llms.kernel.hooks import Hooks
from llms.users.arrivals import Arrivals


class Setup:
    """A handler that notes whom it sets up, and waits until it may end."""

    def __init__(self) -> None:
        self.requests: list[object] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, request: object) -> None:
        self.requests.append(request)
        self.begun.set()
        await self.may_end.wait()


@pytest.fixture
async def setup() -> Setup:
    return Setup()


@pytest.fixture
def hooks(setup: Setup) -> Hooks:
    hooks = Hooks()
    hooks.setup_user.add(setup, extension="test")
    return hooks


async def test_every_user_is_set_up_once_and_so_is_nobody_in_particular(hooks: Hooks, setup: Setup) -> None:
    setup.may_end.set()
    arrivals = Arrivals(hooks.setup_user)
    for user in ("ann", None, "bob", "ann", None, "bob"):
        await arrivals.welcome(user, user)
    assert setup.requests == ["ann", None, "bob"]


async def test_requests_that_come_meanwhile_wait_for_the_one_setup(hooks: Hooks, setup: Setup) -> None:
    arrivals = Arrivals(hooks.setup_user)
    first, second = (asyncio.create_task(arrivals.welcome("ann", number)) for number in (1, 2))
    await setup.begun.wait()
    await asyncio.sleep(0)
    assert not first.done()
    assert not second.done()
    setup.may_end.set()
    await asyncio.gather(first, second)
    assert setup.requests == [1]


async def test_other_users_do_not_wait(hooks: Hooks, setup: Setup) -> None:
    arrivals = Arrivals(hooks.setup_user)
    first = asyncio.create_task(arrivals.welcome("ann", "ann"))
    await setup.begun.wait()
    setup.may_end.set()
    await arrivals.welcome("bob", "bob")
    await first
    assert setup.requests == ["ann", "bob"]


async def test_a_client_that_leaves_does_not_stop_the_setup_of_the_others(hooks: Hooks, setup: Setup) -> None:
    arrivals = Arrivals(hooks.setup_user)
    gone, waiting = (asyncio.create_task(arrivals.welcome("ann", number)) for number in (1, 2))
    await setup.begun.wait()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    setup.may_end.set()
    await waiting
    await arrivals.welcome("ann", 3)
    assert setup.requests == [1]


async def test_a_handler_that_raises_turns_nobody_away(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise ValueError("the reason")

    hooks = Hooks()
    hooks.setup_user.add(broken, extension="broken")
    arrivals = Arrivals(hooks.setup_user)
    await arrivals.welcome("ann", 1)
    await arrivals.welcome("ann", 2)
    assert caplog.text.count("setup_user failed: the reason") == 1


async def test_an_extension_that_comes_later_meets_everybody(setup: Setup) -> None:
    setup.may_end.set()
    hooks = Hooks()
    arrivals = Arrivals(hooks.setup_user)
    await arrivals.welcome("ann", 1)
    hooks.setup_user.add(setup, extension="late")
    await arrivals.welcome("ann", 2)
    assert setup.requests == [2]
