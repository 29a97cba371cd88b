"""The error tree: one root, a status each, and the words OpenAI clients read."""

import inspect

import pytest

from llms.kernel import errors
from llms.kernel.errors import (
    AuthRequired,
    Forbidden,
    LlmsError,
    ModelNotFound,
    NotFound,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    StreamCut,
    TooLarge,
    UnsupportedMedia,
)

TREE = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]


@pytest.mark.parametrize("cls", TREE)
def test_every_error_has_the_one_root(cls: type) -> None:
    assert issubclass(cls, LlmsError)


@pytest.mark.parametrize("cls", TREE)
def test_every_error_stands_in_the_drawing_with_its_status(cls: type[LlmsError]) -> None:
    drawn = next((line for line in (errors.__doc__ or "").splitlines() if f" {cls.__name__}" in f" {line}"), None)
    assert drawn is not None, f"draw {cls.__name__} at the top of errors.py"
    if cls not in (LlmsError, errors.ConfigError):
        assert str(cls.status) in drawn


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (RequestError("x"), 400, "invalid_request_error", None),
        (AuthRequired("x"), 401, "authentication_error", "Unauthorized"),
        (Forbidden("x"), 403, "permission_error", "Forbidden"),
        (NotFound("x"), 404, "not_found_error", "NotFound"),
        (ModelNotFound("x"), 404, "invalid_request_error", "model_not_found"),
        (TooLarge("x"), 413, "invalid_request_error", "request_too_large"),
        (UnsupportedMedia("x"), 415, "invalid_request_error", "unsupported_media_type"),
        (errors.ConfigError("x"), 500, "configuration_error", None),
        (ProviderError("x"), 502, "upstream_error", None),
        (ProviderTimeout("x"), 504, "upstream_error", None),
        (ProviderUnreachable("x"), 502, "upstream_error", None),
        (StreamCut("x"), 502, "upstream_error", None),
    ],
)
def test_an_error_tells_clients_its_status_type_and_code(
    error: LlmsError, status: int, kind: str, code: str | None
) -> None:
    assert (error.status, error.kind, error.code) == (status, kind, code)


def test_a_code_given_wins_over_that_of_the_class() -> None:
    assert AuthRequired("x", code="expired").code == "expired"


def test_an_unknown_model_blames_the_field_model() -> None:
    assert ModelNotFound("x").param == "model"


@pytest.mark.parametrize(("upstream", "ours"), [(400, 400), (401, 401), (429, 429), (499, 499), (500, 502), (302, 502)])
def test_a_vendors_4xx_is_kept_and_anything_else_becomes_a_bad_gateway(upstream: int, ours: int) -> None:
    error = ProviderError("x", status=upstream)
    assert (error.status, error.upstream_status) == (ours, upstream)


def test_the_message_is_the_text_of_the_error() -> None:
    assert LlmsError("Do this.").message == "Do this."
