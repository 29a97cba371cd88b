"""An HTTP status as an exception."""

from llms.kernel.envelopes import error_message
from llms.kernel.http_error import HTTPError


def test_it_carries_status_reason_and_body() -> None:
    error = HTTPError(409, "Conflict", "It exists already.", {"X-A": "1"})
    assert (error.status, error.reason, error.body, error.headers) == (
        409,
        "Conflict",
        "It exists already.",
        {"X-A": "1"},
    )
    assert error_message(error) == "It exists already."


def test_without_a_body_the_reason_tells() -> None:
    assert str(HTTPError(404, "Not Found")) == "Not Found"
    assert str(HTTPError(404)) == "HTTP 404"
