"""The limits and what stands in for a missing one."""

import msgspec
import pytest

from llms.kernel.limits import Limits


def test_missing_limits_have_the_documented_values() -> None:
    assert msgspec.structs.asdict(Limits()) == {
        "client_timeout": 120,
        "connect_timeout": 10,
        "first_byte_timeout": None,
        "client_max_size": 20971520,
        "retries": 3,
        "max_iterations": 10,
        "stream_checkpoint_interval": 0.25,
        "keep_alive_interval": 15,
        "shutdown_timeout": 30,
        "hook_timeout": 30,
        "tool_timeout": 120,
        "install_timeout": 60,
        "block_timeout": 5,
    }


def test_the_first_byte_may_take_as_long_as_the_answer_unless_told() -> None:
    assert msgspec.convert({"client_timeout": 7}, Limits).first_byte == 7
    assert msgspec.convert({"client_timeout": 7, "first_byte_timeout": 3}, Limits).first_byte == 3


@pytest.mark.parametrize("wrong", [{"client_timeout": 0}, {"retries": 0}, {"client_max_size": -1}])
def test_a_limit_that_would_stop_everything_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Limits)
