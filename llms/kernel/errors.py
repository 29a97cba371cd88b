"""One root for every error we raise on purpose, grouped by who must act.

    LlmsError
    ├── RequestError              the caller: 400, or the status of the subclass
    │   ├── AuthRequired          401
    │   ├── Forbidden             403
    │   ├── NotFound              404
    │   │   └── ModelNotFound     404
    │   ├── TooLarge              413
    │   └── UnsupportedMedia      415
    ├── ConfigError               the operator: a file, a flag, a port
    └── ProviderError             the far end answered badly, or not at all: its own 4xx, else 502
        ├── ProviderTimeout       504
        ├── ProviderUnreachable   502
        └── StreamCut             502

A message is one sentence that ends with the fix. `kind` and `code` are what OpenAI clients read.
"""

from typing import ClassVar


class LlmsError(Exception):
    """Root of every error raised on purpose. `str(error)` is safe to show to a user."""

    status: int = 500
    kind: ClassVar[str] = "server_error"
    code: str | None = None
    param: str | None = None

    @property
    def message(self) -> str:
        return str(self)


class RequestError(LlmsError):
    """The request is wrong. `param` names the field, where one is to blame."""

    status = 400
    kind = "invalid_request_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code or type(self).code


class AuthRequired(RequestError):
    status = 401
    kind = "authentication_error"
    code = "Unauthorized"


class Forbidden(RequestError):
    status = 403
    kind = "permission_error"
    code = "Forbidden"


class NotFound(RequestError):
    status = 404
    kind = "not_found_error"
    code = "NotFound"


class ModelNotFound(NotFound):
    kind = "invalid_request_error"  # what OpenAI itself answers for an unknown model
    code = "model_not_found"

    def __init__(self, message: str) -> None:
        super().__init__(message, param="model")


class TooLarge(RequestError):
    status = 413
    code = "request_too_large"


class UnsupportedMedia(RequestError):
    status = 415
    code = "unsupported_media_type"


class ConfigError(LlmsError):
    """What the operator wrote (a file, a flag, a variable) cannot be used."""

    kind = "configuration_error"


class ProviderError(LlmsError):
    """A provider failed. `status` is what our caller gets; `retry_after` is in seconds."""

    status = 502
    kind = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.upstream_status = status
        self.status = status if status is not None and 400 <= status < 500 else type(self).status
        self.code = code
        self.param = param
        self.retry_after = retry_after


class ProviderTimeout(ProviderError):
    status = 504


class ProviderUnreachable(ProviderError):
    """No connection, or one that broke before an answer began."""


class StreamCut(ProviderError):
    """The stream ended with neither a finish reason nor `[DONE]`."""
