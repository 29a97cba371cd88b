"""What a failure says of whom to ask next: the one table by which every error is judged."""

from dataclasses import dataclass

from llms.kernel.errors import ConfigError, LlmsError, ProviderError, ProviderTimeout, ProviderUnreachable, StreamCut

LONGEST_WAIT = 5.0  # seconds; a caller told to wait longer can decide better than we can


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is for the log. Whatever it is, the next candidate is asked; the rest says what else follows."""

    why: str
    is_final: bool = False  # the same request to the same provider would fail in the same way
    is_of_key: bool = False  # another key of this provider may do better
    is_fault: bool = False  # it speaks against the provider, not against the request
    spoils_key: bool = False  # the key is of no use for a while


_KEY = {"is_final": True, "is_of_key": True, "spoils_key": True}
_REFUSED, _NO_CREDIT = Verdict("key refused", **_KEY), Verdict("no credit", **_KEY)
_TOO_DEAR = Verdict("too dear", is_final=True, is_of_key=True)
_BAD, _NOT_FOUND = Verdict("bad request", is_final=True), Verdict("not found", is_final=True)
_LIMITED = Verdict("rate limited", is_of_key=True, is_fault=True)
_OVERLOADED = Verdict("overloaded", is_fault=True)
_OTHER_4XX = Verdict("refused", is_final=True)
_5XX = Verdict("server error", is_fault=True)
_BY_STATUS = {
    400: _BAD,
    401: _REFUSED,
    402: _NO_CREDIT,
    403: Verdict("not allowed", is_final=True, is_of_key=True),  # also what moderation answers: the key may be sound
    404: _NOT_FOUND,
    408: Verdict("timed out", is_fault=True),
    409: Verdict("conflict"),
    413: Verdict("too large", is_final=True),
    422: _BAD,
    429: _LIMITED,
    503: Verdict("unavailable", is_fault=True),
    504: Verdict("timed out", is_fault=True),
    529: _OVERLOADED,  # https://docs.anthropic.com/en/api/errors
}
_BY_CODE = {  # what vendors say more exactly than by status
    "context_length_exceeded": Verdict("context too long", is_final=True),
    "insufficient_quota": _NO_CREDIT,  # OpenAI's, with 429
    "invalid_api_key": _REFUSED,  # some say it with 400
    "model_not_found": _NOT_FOUND,  # OpenAI's with 403 too, for a model that the key's project may not use
}
_WITHOUT_STATUS = {  # what an error inside an answer of 200 may say in place of one
    "invalid_prompt": _BAD,
    "overloaded_error": _OVERLOADED,
    "rate_limit_exceeded": _LIMITED,
    "server_error": _5XX,
}
_BY_KIND: tuple[tuple[type[LlmsError], Verdict], ...] = (  # the first that fits
    (ProviderTimeout, Verdict("timed out", is_fault=True)),
    (ProviderUnreachable, Verdict("unreachable", is_fault=True)),
    (StreamCut, Verdict("cut off", is_fault=True)),
    (ProviderError, Verdict("unreadable answer", is_fault=True)),
    (ConfigError, Verdict("misconfigured", is_final=True)),
    (LlmsError, Verdict("failed", is_final=True)),
)


def judged(error: LlmsError) -> Verdict:
    """What `error`, with which an attempt failed, means."""
    if isinstance(error, ProviderError):
        code, status = error.code or "", error.upstream_status
        if by_code := _BY_CODE.get(code) or (_NO_CREDIT if code.startswith("billing") else None):
            return by_code
        if status == 402 and "max_tokens" in str(error):
            return _TOO_DEAR  # OpenRouter's: the credit would do for a shorter answer
        if status is not None and status >= 400:
            return _BY_STATUS.get(status) or (_OTHER_4XX if status < 500 else _5XX)
        if status is None and code in _WITHOUT_STATUS:
            return _WITHOUT_STATUS[code]
    return next(verdict for kind, verdict in _BY_KIND if isinstance(error, kind))


def is_rate_limit(error: LlmsError) -> bool:
    """Whether it says to come back later, rather than not at all."""
    return isinstance(error, ProviderError) and error.upstream_status == 429


def wait_asked_for(error: LlmsError) -> float:
    """Seconds that the provider asks to be left alone; 0 where it does not say."""
    return getattr(error, "retry_after", None) or 0.0
