"""What is masked, and what is left readable."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.secrets import Secrets, is_secret_name, redact

# no `*`: the mask itself could then spell the rest of a secret
SECRET = st.text(st.characters(exclude_characters="*"), min_size=8, max_size=40).filter(lambda s: len(s.strip()) >= 8)


@given(st.text(), SECRET, st.text())
def test_a_known_secret_never_survives(before: str, secret: str, after: str) -> None:
    secrets = Secrets()
    secrets.add(secret)
    for form in (secret, quote(secret, safe="", errors="replace"), json.dumps(secret)):
        assert secret.strip() not in secrets.mask(before + form + after)


@given(st.text(), st.lists(SECRET, min_size=1, max_size=5))
def test_no_secret_hides_another(text: str, several: list[str]) -> None:
    secrets = Secrets()
    for secret in several:
        secrets.add(secret)
    masked = secrets.mask(text + "".join(several))
    assert not [secret for secret in several if secret.strip() in masked]


def test_a_short_value_is_not_masked() -> None:
    secrets = Secrets()
    secrets.add("abc")
    secrets.add("")
    assert secrets.mask("abcdef") == "abcdef"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic ***'}"),
        ("sent Bearer a1b2c3d4e5 upstream", "sent Bearer *** upstream"),
        ("x-api-key: 12345678", "x-api-key: ***"),
        ('{"api_key": "12345678", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("Incorrect API key provided: sk-proj-AbCd1234.", "Incorrect API key provided: ***."),
        ("GET https://x.test/v1?key=AbCd1234&alt=sse", "GET https://x.test/v1?key=***&alt=sse"),
        ("GET /v1?alt=sse&api_key=AbCd1234", "GET /v1?alt=sse&api_key=***"),
        ("GET /v1?token=AbCd1234#top", "GET /v1?token=***#top"),
        ("clone https://ada:secret@git.test/x", "clone https://***@git.test/x"),
        ("clone https://ghp_abc123def456@git.test/x", "clone https://***@git.test/x"),
        ("the key gsk_abcdefgh12345678 is wrong", "the key *** is wrong"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert Secrets().mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Provider 'Groq' requires API Key GROQ_API_KEY",
        "max_tokens=100 next_token=5",
        "the bearer of bad news",
        "see https://docs.test/a?b=c@d and mail ada@example.com",
        "task-force and hf_hub_download",
        "llms.json: limits.retries: expected int, got str",
    ],
)
def test_ordinary_text_stays_readable(text: str) -> None:
    assert Secrets().mask(text) == text


def test_variables_called_like_secrets_are_known() -> None:
    secrets = Secrets.from_environ(
        {
            "OPENAI_API_KEY": "the openai key",
            "HF_TOKEN": "the hf token",
            "X_SECRET": "the x secret",
            "EDITOR": "an editor",
        }
    )
    assert secrets.mask("the openai key, the hf token, the x secret, an editor") == "***, ***, ***, an editor"


def test_secrets_in_a_config_are_found_at_any_depth() -> None:
    secrets = Secrets()
    secrets.add_from({"providers": {"a": {"api_key": "first secret"}}, "list": [{"clientSecret": "second secret"}]})
    secrets.add_from({"headers": {"Authorization": "Bearer third secret"}, "api_key": "$NOT_A_SECRET"})
    assert secrets.mask("first secret second secret third secret") == "*** *** ***"
    assert secrets.mask("$NOT_A_SECRET") == "$NOT_A_SECRET"


@pytest.mark.parametrize(
    "name",
    ["api_key", "apiKey", "x-api-key", "API_KEY", "client_secret", "token", "accessToken", "password", "Authorization"],
)
def test_names_of_secrets_are_known_in_any_spelling(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["max_tokens", "token_count", "env", "models", "keyboard", "secretary"])
def test_names_that_only_resemble_one_are_not(name: str) -> None:
    assert not is_secret_name(name)


def test_a_redacted_config_has_no_secrets_and_shares_nothing() -> None:
    config = {
        "defaults": {"voice": {"api_key": "secret", "model": "m"}},
        "providers": {"a": {"api_key": "$A", "api": "https://u:p@host/v1", "headers": {"x-api-key": "s", "x": "1"}}},
        "list": [{"token": "t", "n": 1}],
    }
    before = json.dumps(config)
    shown = redact(config)
    assert shown == {
        "defaults": {"voice": {"model": "m"}},
        "providers": {"a": {"api": "https://***@host/v1", "headers": {"x": "1"}}},
        "list": [{"n": 1}],
    }
    shown["list"][0]["n"] = 2
    assert json.dumps(config) == before
