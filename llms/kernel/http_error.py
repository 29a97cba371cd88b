"""An HTTP status as an exception, for extensions that answer or ask over HTTP."""

from collections.abc import Mapping

from llms.kernel.errors import LlmsError


class HTTPError(LlmsError):
    """Raised in a handler, it becomes an answer with this status. `body` is told to the caller."""

    def __init__(self, status: int, reason: str = "", body: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body or reason or f"HTTP {status}")
        self.status = status
        self.reason, self.body, self.headers = reason, body, dict(headers or {})
        self.code = reason.replace(" ", "") or None
