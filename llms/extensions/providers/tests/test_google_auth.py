"""Access tokens for Google Cloud: which credentials count, and what Google's token endpoint is asked."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from llms.api import ConfigError, ProviderError, ProviderUnreachable
from llms.extensions.providers.google_auth import GoogleToken
from llms.testing import FakeUpstream

USER = {
    "type": "authorized_user",
    "client_id": "c",
    "client_secret": "s",
    "refresh_token": "r",
    "quota_project_id": "q",
}


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.private_bytes(*form).decode()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    yield


def account(upstream: FakeUpstream, key: str) -> Any:
    told = {"type": "service_account", "project_id": "p1", "private_key_id": "k", "private_key": key}
    return {**told, "client_email": "robot@example.com", "token_uri": upstream.url}


def enqueue_token(upstream: FakeUpstream, token: str, *, seconds: int = 3600) -> None:
    upstream.enqueue(json.dumps({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}).encode())


def token(environ: Any = None, home: Path | None = None, **entry: Any) -> GoogleToken:
    return GoogleToken(
        {"id": "acme", "name": "Acme", **entry}, environ={"HOME": str(home or "/none"), **(environ or {})}
    )


# -- which count -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [{"access_token": "ya29.abc"}, {"api_key": "ya29.abc"}])
async def test_a_token_that_is_told_is_taken_as_it_is(entry: Any) -> None:
    told = token(**entry)
    assert told.is_told
    assert told.problem() is None
    assert await told.bearer() == "ya29.abc"


@pytest.mark.parametrize(
    ("entry", "environ", "project", "location"),
    [
        ({"project": "a", "location": "b"}, {"GOOGLE_CLOUD_PROJECT": "c", "GOOGLE_CLOUD_LOCATION": "d"}, "a", "b"),
        ({}, {"GOOGLE_CLOUD_PROJECT": "c", "GOOGLE_CLOUD_REGION": "d"}, "c", "d"),
        ({}, {"GOOGLE_VERTEX_PROJECT": "e", "GOOGLE_CLOUD_PROJECT": "c", "GOOGLE_VERTEX_LOCATION": "f"}, "e", "f"),
        ({"credentials": {"type": "service_account", "project_id": "g"}}, {}, "g", "global"),
        ({"credentials": USER}, {}, "q", "global"),
        ({"access_token": "ya29.abc"}, {}, None, "global"),
    ],
)
def test_project_and_location_are_those_said_most_closely(
    entry: Any, environ: Any, project: str | None, location: str
) -> None:
    told = token(environ, **entry)
    assert (told.project, told.location) == (project, location)


def test_credentials_may_be_an_object_a_text_a_key_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(USER))
    gcloud = tmp_path / ".config" / "gcloud"
    gcloud.mkdir(parents=True)
    (gcloud / "application_default_credentials.json").write_text(json.dumps({**USER, "quota_project_id": "home"}))
    projects = [
        token(credentials=USER).project,
        token(credentials=json.dumps(USER)).project,
        token(api_key=json.dumps(USER)).project,
        token(credentials=str(file)).project,
        token({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}, home=tmp_path).project,
        token({"CLOUDSDK_CONFIG": str(gcloud)}).project,
        token(home=tmp_path).project,
    ]
    assert projects == ["q", "q", "q", "q", "q", "home", "home"]


def test_without_credentials_it_says_what_is_missing() -> None:
    problem = token().problem()
    assert problem is not None
    assert problem.startswith("Provider 'Acme' requires Google credentials: set GOOGLE_APPLICATION_CREDENTIALS")
    assert not token().is_told


@pytest.mark.parametrize(("entry", "environ"), [({"instance_role": True}, {}), ({}, {"K_SERVICE": "mine"})])
def test_a_machine_of_googles_has_its_own(entry: Any, environ: Any) -> None:
    assert token(environ, **entry).problem() is None


@pytest.mark.parametrize(
    ("text", "why"),
    [("not json", "is no JSON of Google"), ("[]", "is no JSON of Google"), ("{}", "is no JSON of Google")],
)
def test_files_that_are_no_credentials_are_told_of(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(text)
    told = token(credentials=str(file))
    assert told.project is None
    assert why in (told.problem() or "")


async def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    told = token({"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json")})
    assert "cannot read its Google credentials" in (told.problem() or "")
    with pytest.raises(ConfigError, match=r"none\.json"):
        await told.bearer()


# -- the token ---------------------------------------------------------------------------------------------------------


async def test_a_service_account_signs_for_a_token_and_keeps_it(fake_upstream: FakeUpstream, key: str) -> None:
    enqueue_token(fake_upstream, "ya29.first")
    told = token(credentials=account(fake_upstream, key))
    assert told.problem() is None
    assert {*await asyncio.gather(told.bearer(), told.bearer(), told.bearer())} == {"ya29.first"}
    (request,) = fake_upstream.requests
    form = parse_qs(request.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert form["assertion"][0].count(".") == 2


async def test_a_token_is_fetched_again_before_it_expires(fake_upstream: FakeUpstream, key: str) -> None:
    enqueue_token(fake_upstream, "ya29.first", seconds=60)
    enqueue_token(fake_upstream, "ya29.second")
    told = token(credentials=account(fake_upstream, key))
    assert [await told.bearer(), await told.bearer(), await told.bearer()] == [
        "ya29.first",
        "ya29.second",
        "ya29.second",
    ]


async def test_a_user_has_a_token_refreshed(fake_upstream: FakeUpstream) -> None:
    enqueue_token(fake_upstream, "ya29.user")
    assert await token(credentials=USER, token_uri=fake_upstream.url).bearer() == "ya29.user"
    (request,) = fake_upstream.requests
    assert parse_qs(request.body.decode())["refresh_token"] == ["r"]


async def test_credentials_that_google_refuses_are_an_error_without_secrets(fake_upstream: FakeUpstream) -> None:
    body = {"error": "invalid_grant", "error_description": "Token has been revoked."}
    fake_upstream.enqueue(json.dumps(body).encode(), status=400)
    secret = {**USER, "client_secret": "very-secret", "refresh_token": "also-secret"}
    with pytest.raises(ProviderError, match="Google gave Acme no token") as raised:
        await token(credentials=secret, token_uri=fake_upstream.url).bearer()
    assert raised.value.upstream_status == 401
    assert "revoked" in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_no_network_is_no_fault_of_the_credentials() -> None:
    with pytest.raises(ProviderUnreachable, match="Acme cannot reach Google"):
        await token(credentials=USER, token_uri="http://127.0.0.1:9/token").bearer()  # noqa: S106


@pytest.mark.parametrize("document", [{"type": "unheard of"}, {"type": "service_account", "private_key": "x"}])
async def test_documents_that_google_cannot_use_are_a_fault_of_the_configuration(document: Any) -> None:
    with pytest.raises(ConfigError, match="has no usable Google credentials"):
        await token(credentials=document).bearer()
