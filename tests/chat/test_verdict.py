"""What each failure means."""

import pytest

from llms.chat.verdict import judged
from llms.kernel.errors import (
    ConfigError,
    LlmsError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    StreamCut,
)
from llms.kernel.foreign import ExtensionError


def status(code: int, *, says: str | None = None) -> ProviderError:
    return ProviderError("no", status=code, code=says)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (status(400), "bad request"),
        (status(401), "key refused"),
        (status(402), "no credit"),
        (status(403), "not allowed"),
        (status(404), "not found"),
        (status(408), "timed out"),
        (status(418), "refused"),
        (status(429), "rate limited"),
        (status(500), "server error"),
        (status(503), "unavailable"),
        (status(529), "overloaded"),
        (status(302), "unreadable answer"),
        (status(400, says="context_length_exceeded"), "context too long"),
        (status(429, says="insufficient_quota"), "no credit"),
        (status(400, says="invalid_api_key"), "key refused"),
        (ProviderTimeout("slow"), "timed out"),
        (ProviderUnreachable("gone"), "unreachable"),
        (StreamCut("cut"), "cut off"),
        (ProviderError("garbage"), "unreadable answer"),
        (ConfigError("wrong"), "misconfigured"),
        (RequestError("wrong"), "failed"),
        (ExtensionError("no luck", extension="x"), "failed"),
    ],
    ids=str,
)
def test_each_failure_has_a_name(error: LlmsError, why: str) -> None:
    assert judged(error).why == why


@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_not_final(code: int) -> None:
    assert not judged(status(code)).is_final


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 413, 422, 451])
def test_every_other_4xx_is_final(code: int) -> None:
    assert judged(status(code)).is_final


@pytest.mark.parametrize("code", [400, 404, 409, 413, 422])
def test_what_the_request_is_to_blame_for_speaks_against_nobody(code: int) -> None:
    verdict = judged(status(code))
    assert not (verdict.is_fault or verdict.spoils_key or verdict.is_of_key)


def test_a_quota_that_is_used_up_is_final_though_its_status_is_that_of_a_rate_limit() -> None:
    assert judged(status(429, says="insufficient_quota")).is_final
