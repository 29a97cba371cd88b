"""Providers that are put aside, and come back."""

import logging
from typing import Any

import pytest

from llms.chat.cooldown import Cooldowns
from llms.chat.routing_settings import RoutingSettings
from llms.chat.verdict import judged
from llms.kernel.errors import ProviderError, RequestError

from .clock import Clock

PLACE = ("acme", "fingerprint")


class Acme:
    """One provider, put aside or not."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.cooldowns = Cooldowns(RoutingSettings({"routing": settings}), self.clock)

    def fails(self, status: int = 500, *, retry_after: float = 0.0, times: int = 1) -> None:
        for _ in range(times):
            self.cooldowns.asks(PLACE)
            error = ProviderError("no", status=status)
            self.cooldowns.failed(PLACE, judged(error), retry_after=retry_after, label="acme")

    def answers(self) -> None:
        self.cooldowns.asks(PLACE)
        self.cooldowns.answered(PLACE)

    @property
    def is_cooling(self) -> bool:
        return self.cooldowns.is_cooling(PLACE)


@pytest.fixture
def acme() -> Acme:
    return Acme()


def test_it_takes_several_failures_in_a_row(acme: Acme) -> None:
    acme.fails(times=2)
    assert not acme.is_cooling
    acme.fails()
    assert acme.is_cooling


def test_an_answer_in_between_starts_the_count_again(acme: Acme) -> None:
    acme.fails(times=2)
    acme.answers()
    acme.fails(times=2)
    assert not acme.is_cooling


def test_it_ends_by_itself(acme: Acme) -> None:
    acme.fails(times=3)
    acme.clock.passes(29)
    assert acme.is_cooling
    acme.clock.passes(1)
    assert not acme.is_cooling


def test_when_it_ends_one_chat_tries_while_others_go_elsewhere(acme: Acme) -> None:
    acme.fails(times=3)
    acme.clock.passes(30)
    acme.cooldowns.asks(PLACE)
    assert acme.is_cooling
    acme.cooldowns.answered(PLACE)
    assert not acme.is_cooling


def test_one_that_fails_when_it_is_tried_is_put_aside_at_once_for_twice_as_long(acme: Acme) -> None:
    acme.fails(times=3)
    acme.clock.passes(30)
    acme.fails()
    acme.clock.passes(59)
    assert acme.is_cooling
    acme.clock.passes(1)
    assert not acme.is_cooling


def test_the_pause_grows_only_so_far() -> None:
    acme = Acme(failures=1, cooldown=10, longest_cooldown=20)
    for _ in range(5):
        acme.fails()
        acme.clock.passes(20)
        assert not acme.is_cooling


def test_failures_of_many_chats_at_the_same_time_do_not_make_the_pause_longer(acme: Acme) -> None:
    acme.fails(times=50)
    acme.clock.passes(30)
    assert not acme.is_cooling


def test_one_that_tried_and_was_given_up_leaves_the_trial_to_the_next(acme: Acme) -> None:
    acme.fails(times=3)
    acme.clock.passes(30)
    acme.cooldowns.asks(PLACE)
    acme.cooldowns.left(PLACE)
    assert not acme.is_cooling


@pytest.mark.parametrize("status", [401, 402])
def test_a_refused_key_is_put_aside_at_once(acme: Acme, status: int) -> None:
    acme.fails(status)
    acme.clock.passes(599)
    assert acme.is_cooling
    acme.clock.passes(1)
    assert not acme.is_cooling


def test_a_rate_limit_with_a_time_puts_aside_for_that_long(acme: Acme) -> None:
    acme.fails(429, retry_after=7)
    acme.clock.passes(6.9)
    assert acme.is_cooling
    acme.clock.passes(0.1)
    assert not acme.is_cooling


def test_a_rate_limit_without_a_time_counts_as_one_failure(acme: Acme) -> None:
    acme.fails(429, times=2)
    assert not acme.is_cooling
    acme.fails(429)
    assert acme.is_cooling


def test_a_pause_asked_for_may_be_longer_than_any_of_ours(acme: Acme) -> None:
    acme.fails(429, retry_after=3600)
    acme.clock.passes(3599)
    assert acme.is_cooling


def test_nobody_is_put_aside_for_more_than_a_day(acme: Acme) -> None:
    acme.fails(429, retry_after=1e12)
    acme.clock.passes(24 * 3600)
    assert not acme.is_cooling


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_what_the_request_is_to_blame_for_puts_nobody_aside(acme: Acme, status: int) -> None:
    acme.fails(status, times=10)
    assert not acme.is_cooling


def test_an_error_without_a_status_of_the_caller_puts_nobody_aside(acme: Acme) -> None:
    acme.cooldowns.failed(PLACE, judged(RequestError("Too long.")), retry_after=0, label="acme")
    assert not acme.is_cooling


def test_keys_cool_down_each_by_itself(acme: Acme) -> None:
    acme.fails(401)
    assert not acme.cooldowns.is_cooling(("acme", "another"))


def test_the_settings_count(caplog: pytest.LogCaptureFixture) -> None:
    acme = Acme(failures=1, cooldown=5)
    acme.fails()
    acme.clock.passes(4.9)
    assert acme.is_cooling
    acme.clock.passes(0.1)
    assert not acme.is_cooling


@pytest.mark.parametrize("setting", ["cooldown", "longest_cooldown"])
def test_with_no_time_to_be_put_aside_for_nobody_is_for_failing(setting: str) -> None:
    acme = Acme(**{setting: 0})
    acme.fails(times=9)
    assert not acme.is_cooling
    acme.fails(429, retry_after=7)  # the provider itself asks for it
    assert acme.is_cooling


def test_a_refused_key_may_be_put_aside_never() -> None:
    acme = Acme(key_cooldown=0)
    acme.fails(401, times=9)
    assert not acme.is_cooling


def test_nobody_is_put_aside_for_longer_than_at_most() -> None:
    acme = Acme(failures=1, cooldown=50, longest_cooldown=20)
    acme.fails()
    acme.clock.passes(20)
    assert not acme.is_cooling


@pytest.mark.parametrize(
    "settings", [{"failures": "many"}, {"failures": -1}, {"failures": 0}, {"failures": True}, {"cooldown": None}]
)
def test_a_setting_that_makes_no_sense_has_its_default(settings: Any) -> None:
    acme = Acme(**settings)
    acme.fails(times=2)
    assert not acme.is_cooling
    acme.fails()
    assert acme.is_cooling


def test_who_is_put_aside_is_told_once_with_the_reason(acme: Acme, caplog: pytest.LogCaptureFixture) -> None:
    acme.fails(503, times=9)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["acme is asked last for 30 s: unavailable, failure 3."]
