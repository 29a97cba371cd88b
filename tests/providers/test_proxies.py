"""Proxies of the environment: which request goes through one, and what is not sent along."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError
from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.proxies import Proxies
from llms.testing import FakeUpstream

from .asking import CHAT


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Names no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"http_proxy": "http://proxy:1"}, "http://proxy:1"),
        ({"http_proxy": "proxy:1"}, "http://proxy:1"),
        ({"https_proxy": "http://proxy:1"}, None),
        ({"all_proxy": "http://proxy:1"}, "http://proxy:1"),
        ({"all_proxy": "socks5://proxy:1"}, None),
        ({"http_proxy": "http://proxy:1", "no_proxy": "other.com,acme.com"}, None),
    ],
)
def test_the_environment_says_which_proxy(
    environment: pytest.MonkeyPatch, environ: dict[str, str], proxy: str | None
) -> None:
    for name, value in environ.items():
        environment.setenv(name, value)
    found = Proxies().for_url("http://api.acme.com/v1")
    assert (None if found is None else str(found).rstrip("/")) == proxy


def test_a_proxy_that_is_no_url_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("https_proxy", "http://[proxy")
    with pytest.raises(ConfigError, match=r"The proxy for https is no URL: .*\. Correct HTTPS_PROXY\.$"):
        Proxies()


@pytest.fixture
async def behind_proxy(environment: pytest.MonkeyPatch, fake_upstream: FakeUpstream) -> AsyncIterator[OpenAiCompatible]:
    """A provider whose every request goes through `fake_upstream`."""
    environment.setenv("http_proxy", fake_upstream.url.replace("http://", "http://user:pass@").removesuffix("/v1"))
    provider = OpenAiCompatible(id="acme", api="http://api.acme.test/v1", api_key="key-0123456789")
    provider.http = HttpClient(Limits(client_timeout=20))
    yield provider
    await provider.http.close()


async def test_a_request_goes_through_the_proxy(behind_proxy: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    await behind_proxy.chat(CHAT)
    assert fake_upstream.requests[0].headers["Host"] == "api.acme.test"
    assert fake_upstream.requests[0].headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"


async def test_what_stands_in_netrc_is_not_sent(
    behind_proxy: OpenAiCompatible, fake_upstream: FakeUpstream, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.acme.test login somebody password else\n")
    netrc.chmod(0o600)
    environment.setenv("NETRC", str(netrc))
    behind_proxy.headers.pop("Authorization")
    await behind_proxy.chat(CHAT)
    assert "Authorization" not in fake_upstream.requests[0].headers
