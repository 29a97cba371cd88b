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
_BY_STATUS = {
    400: Verdict("bad request", is_final=True),
    401: Verdict("key refused", **_KEY),
    402: Verdict("no credit", **_KEY),
    403: Verdict("not allowed", **_KEY),
    404: Verdict("not found", is_final=True),
    408: Verdict("timed out", is_fault=True),
    409: Verdict("conflict"),
    413: Verdict("too large", is_final=True),
    422: Verdict("bad request", is_final=True),
    429: Verdict("rate limited", is_of_key=True, is_fault=True),
    503: Verdict("unavailable", is_fault=True),
    504: Verdict("timed out", is_fault=True),
    529: Verdict("overloaded", is_fault=True),  # https://docs.anthropic.com/en/api/errors
}
_OTHER_4XX = Verdict("refused", is_final=True)
_5XX = Verdict("server error", is_fault=True)
_BY_CODE = {  # what vendors say more exactly than by status
    "context_length_exceeded": Verdict("context too long", is_final=True),
    "insufficient_quota": Verdict("no credit", **_KEY),  # OpenAI's, with 429
    "invalid_api_key": Verdict("key refused", **_KEY),  # some say it with 400
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
        if by_code := _BY_CODE.get(error.code or ""):
            return by_code
        if (status := error.upstream_status) is not None and status >= 400:
            return _BY_STATUS.get(status) or (_OTHER_4XX if status < 500 else _5XX)
    return next(verdict for kind, verdict in _BY_KIND if isinstance(error, kind))


def is_rate_limit(error: LlmsError) -> bool:
    """Whether it says to come back later, rather than not at all."""
    return isinstance(error, ProviderError) and error.upstream_status == 429


def wait_asked_for(error: LlmsError) -> float:
    """Seconds that the provider asks to be left alone; 0 where it does not say."""
    return getattr(error, "retry_after", None) or 0.0
