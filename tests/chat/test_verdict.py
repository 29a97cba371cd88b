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


def status(code: int | None, *, says: str | None = None) -> ProviderError:
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
        (status(400, says="billing_hard_limit_reached"), "no credit"),
        (ProviderError("requires more credits, or fewer max_tokens", status=402), "too dear"),
        (status(403, says="model_not_found"), "not found"),
        (status(None, says="rate_limit_exceeded"), "rate limited"),
        (status(None, says="server_error"), "server error"),
        (status(None, says="overloaded_error"), "overloaded"),
        (status(None, says="invalid_prompt"), "bad request"),
        (status(413, says="rate_limit_exceeded"), "too large"),  # Groq's, for a prompt of more than a minute's tokens
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


@pytest.mark.parametrize(
    "error",
    [status(401), status(402), status(400, says="invalid_api_key"), status(429, says="insufficient_quota")],
    ids=str,
)
def test_what_is_wrong_with_the_key_spoils_it(error: LlmsError) -> None:
    assert judged(error).spoils_key


@pytest.mark.parametrize("error", [status(403), ProviderError("or fewer max_tokens", status=402)], ids=str)
def test_what_may_be_wrong_with_the_request_is_tried_with_another_key_and_spoils_none(error: LlmsError) -> None:
    verdict = judged(error)
    assert verdict.is_of_key
    assert verdict.is_final
    assert not (verdict.is_fault or verdict.spoils_key)


def test_a_model_that_a_key_may_not_use_is_not_asked_for_with_another() -> None:
    verdict = judged(status(403, says="model_not_found"))
    assert verdict.is_final
    assert not (verdict.is_of_key or verdict.spoils_key)
