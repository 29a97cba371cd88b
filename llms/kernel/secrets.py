"""Keeps keys and passwords out of everything we show: log lines, error bodies, `GET /config`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote

MASK = "***"
SHORTEST = 8  # a shorter value is more likely a word than a secret, and masking it would eat ordinary text

_NAME = re.compile(
    r"(?:^|_)(?:api_?keys?|access_key|private_key|secret_key|secret|token|password|passwd|authorization|cookie"
    r"|credentials?)$"
)
_IN_ENVIRON = re.compile(r"(?:^|_)(?:API_?KEY|ACCESS_KEY|SECRET_KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
_WORDS = r"api[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret|password|passwd"

# What a secret looks like when nobody told us of it. `keep` is shown, what follows it is masked.
_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<keep_header>\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"',;]+",
            r"(?P<keep_bearer>\bbearer\s+)(?=[^\s\"']*\d)[\w.~+/=-]{8,}",
            rf"(?P<keep_name>\b(?:x-(?:goog-)?api-key|{_WORDS})[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;}}]+",
            r"(?P<keep_query>(?:[?&](?:key|sig|signature)|\b(?:token|secret))=)[^&\s\"'<>#]+",
            r"(?P<keep_url>://)[^/\s@?#\"']+(?=@)",
            r"\bsk-[\w-]{8,}",
            r"\b(?:xai-|nvapi-|pplx-|gsk_|hf_|ghp_|gho_|github_pat_|AIza)(?=[\w-]*\d)[\w-]{8,}",
        )
    ),
    re.IGNORECASE,
)


class Secrets:
    """The secrets of this process. `mask` hides them, and whatever looks like one, in any text."""

    def __init__(self) -> None:
        self._literals: set[str] = set()
        self._known: re.Pattern[str] | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Knows the value of every variable called like a secret, such as OPENAI_API_KEY."""
        secrets = cls()
        for name, value in environ.items():
            if _IN_ENVIRON.search(name):
                secrets.add(value)
        return secrets

    def add(self, value: str) -> None:
        """Masks `value` from now on, also where it is quoted for a URL or for JSON. Ignores short ones."""
        value = value.strip()
        forms = {value, quote(value, safe="", errors="replace"), json.dumps(value)[1:-1]}
        if len(value) < SHORTEST or forms <= self._literals:
            return
        self._literals |= forms
        longest_first = sorted(self._literals, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(literal) for literal in longest_first))

    def add_from(self, data: Any) -> None:
        """Masks every value that stands under a key such as `api_key` anywhere in `data`."""
        for value in _secret_values(data):
            self.add(value)

    def mask(self, text: str) -> str:
        # known ones first: a pattern could cut one in two and leave a half
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _PATTERN.sub(_keep_name, text)


def redact(data: Any) -> Any:
    """A deep copy of JSON data without the entries called like a secret, and without passwords in URLs."""
    if isinstance(data, dict):
        return {key: redact(value) for key, value in data.items() if not is_secret_name(str(key))}
    if isinstance(data, list):
        return [redact(value) for value in data]
    return _PATTERN.sub(_keep_name, data) if isinstance(data, str) else data


def is_secret_name(name: str) -> bool:
    """Whether `name` is that of a secret, in any spelling: `api_key`, `x-api-key`, `clientSecret`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return _NAME.search(snake) is not None


def _secret_values(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for value in data:
            yield from _secret_values(value)
    elif isinstance(data, dict):
        for key, value in data.items():
            texts = value if isinstance(value, list) else [value]  # some providers have several keys
            if is_secret_name(str(key)) and all(isinstance(text, str) for text in texts):
                yield from (text.removeprefix("Bearer ") for text in texts if not text.startswith("$"))
            else:
                yield from _secret_values(value)


def _keep_name(match: re.Match[str]) -> str:
    return (match[match.lastgroup] if match.lastgroup else "") + MASK
