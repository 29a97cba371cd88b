"""What a vendor's answer means when it is no completion."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from llms.kernel.errors import ProviderError
from llms.providers import replies


def test_a_json_object_is_decoded() -> None:
    assert replies.decode(b'{"a": 1}', provider="Acme") == {"a": 1}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "an empty body"),
        (b"  \n", "an empty body"),
        (b"<html>Welcome</html>", "<html>Welcome</html>"),
        (b'{"a": ', '{"a":'),
        (b"[1, 2]", r"\[1, 2\]"),
        (b"null", "null"),
        (b'{"a": "\xff"}', '{"a": "\ufffd"}'),
        (b"\x00\x01", "\x00\x01"),
        (b"[" * 100_000, r"\[\[\["),
    ],
)
def test_anything_else_is_refused_and_shown(body: bytes, shown: str) -> None:
    with pytest.raises(ProviderError, match=f"^Acme answered with .*: {shown}.*Check its `api` URL") as raised:
        replies.decode(body, provider="Acme")
    assert raised.value.provider == "Acme"


def test_no_more_than_the_beginning_of_garbage_is_shown() -> None:
    with pytest.raises(ProviderError) as raised:
        replies.decode(b"x" * 10_000, provider="Acme")
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": "no luck", "type": "x"}},
        {"error": {"message": {"detail": "no luck"}}},
        {"error": "no luck"},
        {"message": "no luck", "error": "code_17"},
        {"detail": "no luck"},
        {"detail": [{"msg": "no luck", "loc": ["body"]}]},
        {"errors": [{"message": "no luck"}, {"message": "other"}]},
        [{"error": {"message": "no luck"}}],
        {"error": {"message": "", "detail": "no luck"}},
        "no luck",
    ],
)
def test_the_sentence_for_people_is_found_wherever_vendors_put_it(data: Any) -> None:
    assert replies.error_text(data) == "no luck"


@pytest.mark.parametrize("data", [None, {}, [], 5, "", {"error": {}}, {"error": True}, {"error": []}, {"message": 5}])
def test_where_there_is_no_sentence_none_is_made_up(data: Any) -> None:
    assert replies.error_text(data) is None


def failure(status: int, body: bytes = b"", **headers: str) -> ProviderError:
    return replies.failure(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, body, provider="Acme"
    )


def test_a_failure_tells_the_vendors_own_words() -> None:
    error = failure(400, b'{"error": {"message": "Too many tokens.", "code": "too_long", "param": "messages"}}')
    assert str(error) == "Acme: Too many tokens."
    assert (error.status, error.code, error.param, error.provider) == (400, "too_long", "messages", "Acme")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_as_what_to_check(status: int) -> None:
    error = failure(status, b'{"error": {"message": "Bad key."}}')
    assert str(error) == "Acme: Bad key. (check this provider's API key)"
    assert error.status == status


def test_a_redirect_names_the_url_as_what_to_correct() -> None:
    error = failure(301)
    assert "a redirect is never followed: correct this provider's `api` URL" in str(error)
    assert error.status == 502


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"", "Acme: HTTP 500 Internal Server Error"),
        (502, b"<html>bad gateway</html>", "Acme: HTTP 502 Bad Gateway: <html>bad gateway</html>"),
        (599, b"", "Acme: HTTP 599 "),
        (500, b'"\xff"', 'Acme: HTTP 500 Internal Server Error: "\ufffd"'),
    ],
)
def test_a_failure_without_words_tells_its_status(status: int, body: bytes, message: str) -> None:
    assert str(failure(status, body)) == message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "-3"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "Retry-After": "7"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert replies.retry_after(headers) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    seconds = replies.retry_after({"Retry-After": in_an_hour})
    assert seconds is not None
    assert 3500 < seconds <= 3600


def test_retry_after_travels_with_the_failure() -> None:
    assert failure(429, retry_after="7", Retry_After="7").retry_after == 7


@pytest.mark.parametrize(
    ("data", "message", "status", "code"),
    [
        ({"error": {"message": "no luck", "code": 429}}, "Acme: no luck", 429, "429"),
        ({"error": {"message": "no luck", "code": "429"}}, "Acme: no luck", 502, "429"),
        ({"error": {"message": "no luck", "code": 502}}, "Acme: no luck", 502, "502"),
        ({"error": {"message": "no luck", "code": "content_filter"}}, "Acme: no luck", 502, "content_filter"),
        ({"error": "no luck"}, "Acme: no luck", 502, None),
        ({"error": {"reason": 5}}, "Acme: {'reason': 5}", 502, None),
        ({"choices": [{"error": {"message": "no luck", "code": 429}}]}, "Acme: no luck", 429, "429"),
        ({"choices": [{"delta": {}}, {"error": {"message": "no luck"}}]}, "Acme: no luck", 502, None),
    ],
)
def test_an_error_inside_a_good_answer_is_one(data: Any, message: str, status: int, code: str | None) -> None:
    error = replies.failure_inside(data, provider="Acme")
    assert error is not None
    assert (str(error), error.status, error.code) == (message, status, code)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"error": None},
        {"error": {}},
        {"error": ""},
        {"choices": None},
        {"choices": [{"error": None}]},
        {"choices": 5},
    ],
)
def test_an_answer_without_error_has_none_inside(data: Any) -> None:
    assert replies.failure_inside(data, provider="Acme") is None
