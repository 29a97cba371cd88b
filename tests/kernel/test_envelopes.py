"""Errors as extensions and our UI read them."""

from typing import Any

import pytest

from llms.kernel import envelopes
from llms.kernel.errors import AuthRequired, Forbidden, LlmsError, ModelNotFound, NotFound, ProviderError


class Told(Exception):
    def __init__(self, message: Any = None, status: Any = None) -> None:
        super().__init__("the text")
        if message is not None:
            self.message = message
        if status is not None:
            self.status = status


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("plain words"), "plain words"),
        (Told(message="its message", status=404), "its message"),
        (Told(status=404), "404"),
        (Told(), "the text"),
        (Told(message=""), "the text"),
        (Told(message=["no", "text"]), "the text"),
        (Told(status="no number"), "the text"),
        (ValueError(), "ValueError"),
        (LlmsError("Ours. Fix it."), "Ours. Fix it."),
        (ValueError('{"message": "inside"}'), "inside"),
        (ValueError('{"error": "inside"}'), "inside"),
        (ValueError('{"error": {"message": "deep inside", "code": 5}}'), "deep inside"),
        (ValueError('{"message": "first", "error": "second"}'), "first"),
        (ValueError('{"other": 1}'), '{"other": 1}'),
        (ValueError('{"message": 5}'), '{"message": 5}'),
        (ValueError('{"message": '), '{"message": '),
        (ValueError("[1]"), "[1]"),
        (ValueError('{"a":' * 100_000), '{"a":' * 100_000),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_message_of_an_error_is_what_it_says_to_a_user(error: Exception, said: str) -> None:
    assert envelopes.error_message(error) == said


def test_an_error_response_is_the_envelope() -> None:
    assert envelopes.error_response(ValueError("no")) == {"responseStatus": {"errorCode": "Error", "message": "no"}}


def test_the_stack_trace_is_told_only_when_asked_for() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        told = envelopes.error_response(error, stacktrace=True)["responseStatus"]
    assert told["stackTrace"].startswith("Traceback")
    assert "test_the_stack_trace_is_told_only_when_asked_for" in told["stackTrace"]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (AuthRequired("Sign in."), "Unauthorized", 401),
        (Forbidden("No."), "Forbidden", 403),
        (NotFound("Nothing."), "NotFound", 404),
        (ModelNotFound("None."), "NotFound", 404),
        (ProviderError("Bad key.", status=401), "Error", 500),
        (ValueError("No."), "Error", 500),
    ],
)
def test_the_envelope_of_a_callers_error_asks_for_its_status(error: Exception, code: str, status: int) -> None:
    told = envelopes.error_response(error)
    assert told["responseStatus"]["errorCode"] == code
    assert envelopes.status_of(told) == status


def test_an_error_response_can_be_made_of_words_alone() -> None:
    assert envelopes.create_error_response("No.", "Custom", "at line 1") == {
        "responseStatus": {"errorCode": "Custom", "message": "No.", "stackTrace": "at line 1"}
    }


def test_auth_required_is_what_the_seed_promises_and_asks_for_401() -> None:
    told = envelopes.auth_required()
    assert told == {"responseStatus": {"errorCode": "Unauthorized", "message": "Authentication required"}}
    assert envelopes.status_of(told) == 401


def test_who_changes_its_auth_required_changes_nobody_elses() -> None:
    envelopes.auth_required()["responseStatus"]["message"] = "spoiled"
    assert envelopes.auth_required()["responseStatus"]["message"] == "Authentication required"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"result": 1},
        {"responseStatus": None},
        {"responseStatus": {}},
        {"responseStatus": {"message": "without a code"}},
        {"responseStatus": {"errorCode": ""}},
        {"responseStatus": "Unauthorized"},
        [],
        "Unauthorized",
        None,
        401,
    ],
    ids=repr,
)
def test_what_is_no_error_envelope_has_no_status(body: object) -> None:
    assert envelopes.status_of(body) is None


def test_an_error_code_of_an_odd_type_is_a_500() -> None:
    assert envelopes.status_of({"responseStatus": {"errorCode": ["Unauthorized"]}}) == 500
