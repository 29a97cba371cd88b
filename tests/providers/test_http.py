"""The line that leaves the machine: which failure becomes which error, and which connection is used again."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest
from yarl import URL

from llms.kernel.errors import (
    ConfigError,
    LlmsError,
    ProviderTimeout,
    ProviderUnreachable,
    StreamCut,
)
from llms.kernel.limits import Limits
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import Cut, FakeUpstream, Hang, Pause

from .asking import CHAT, answer, refusal, stream_refusal, text

SSE = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}


ASK = [refusal, stream_refusal]


def impatient(provider: OpenAiCompatible, **limits: float) -> OpenAiCompatible:
    provider.http.limits = Limits(**limits)  # type: ignore[arg-type]
    return provider


# -- a good answer ---------------------------------------------------------------------------------------------


async def test_a_whole_answer_arrives(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello")
    assert text(await provider.chat(CHAT)) == "Hello"


async def test_a_whole_answer_is_shown_in_the_context(provider: OpenAiCompatible) -> None:
    context: Any = {}
    completion = await provider.chat(CHAT, context)
    assert context["providerResponse"] is completion


async def test_the_vendor_gets_the_request_with_its_key(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    await provider.chat(CHAT)
    (received,) = fake_upstream.requests
    assert (received.method, received.path, received.body) == ("POST", "/v1/chat/completions", CHAT)
    assert received.headers["Authorization"] == "Bearer key-0123456789"
    assert received.headers["Content-Type"] == "application/json"


async def test_a_compressed_answer_is_read(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    body = gzip.compress(b'{"choices": [{"message": {"content": "Hello"}}]}')
    fake_upstream.enqueue(body, headers={**JSON, "Content-Encoding": "gzip"})
    assert text(await provider.chat(CHAT)) == "Hello"


async def test_cookies_are_not_kept(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    provider.chat_url = provider.chat_url.replace("127.0.0.1", "localhost")  # addresses have no cookies anyway
    fake_upstream.enqueue(b'{"choices": []}', headers={**JSON, "Set-Cookie": "id=1; Path=/"})
    await provider.chat(CHAT)
    await provider.chat(CHAT)
    assert "Cookie" not in fake_upstream.requests[1].headers


# -- no connection ---------------------------------------------------------------------------------------------


@pytest.fixture
def closed_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("ask", ASK)
async def test_a_refused_connection_means_unreachable(provider: OpenAiCompatible, closed_port: int, ask: Any) -> None:
    provider.chat_url = f"http://127.0.0.1:{closed_port}/v1/chat/completions"
    error = await ask(provider)
    assert isinstance(error, ProviderUnreachable)
    assert str(error) == "Cannot reach Acme: Connection refused. Check its `api` URL and that it is running."
    assert error.status == 502


async def test_a_name_nobody_knows_means_unreachable(
    provider: OpenAiCompatible, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    provider.chat_url = "http://acme.invalid/v1/chat/completions"
    error = await refusal(provider)
    assert isinstance(error, ProviderUnreachable)
    assert "Name or service not known" in str(error)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that another one is neither accepted nor refused."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


async def test_a_connection_nobody_accepts_is_given_up(provider: OpenAiCompatible, full_port: int) -> None:
    provider.chat_url = f"http://127.0.0.1:{full_port}/v1/chat/completions"
    error = await refusal(impatient(provider, connect_timeout=0.05))
    assert isinstance(error, ProviderTimeout)
    assert str(error) == "Acme did not accept a connection within 0.05 s. Check its `api` URL."
    assert error.status == 504


async def test_a_name_server_that_says_nothing_is_given_up(
    provider: OpenAiCompatible, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    provider.chat_url = "http://acme.invalid/v1/chat/completions"
    error = await refusal(impatient(provider, connect_timeout=0.05))
    assert str(error) == "Acme did not accept a connection within 0.05 s. Check its `api` URL."


@pytest.mark.parametrize(
    "api", ["acme.com/v1", "ftp://acme.com/v1", "http:///v1", "http://acme.com:port/v1", "http://[::1/v1"]
)
@pytest.mark.parametrize("ask", [lambda p: p.chat(CHAT), answer])
async def test_a_url_that_is_none_is_the_operators_to_correct(provider: OpenAiCompatible, api: str, ask: Any) -> None:
    provider.chat_url = api
    with pytest.raises(ConfigError, match=r"Provider 'Acme' has an invalid URL.*Correct its `api`\."):
        await ask(provider)


async def test_a_header_that_is_none_is_the_operators_to_correct(provider: OpenAiCompatible) -> None:
    provider.headers["X-Title"] = "two\nlines, one of them secret"
    with pytest.raises(
        ConfigError, match=r"^Provider 'Acme' has an invalid header. Correct its `api_key` or `headers`.$"
    ):
        await provider.chat(CHAT)


# -- a bad status ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize(
    ("status", "ours"), [(400, 400), (401, 401), (403, 403), (404, 404), (429, 429), (500, 502), (503, 502)]
)
async def test_a_status_reaches_the_caller_in_the_vendors_words(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, status: int, ours: int, ask: Any
) -> None:
    fake_upstream.enqueue_error(status, "No luck.")
    error = await ask(provider)
    assert str(error).startswith("Acme: No luck.")
    assert (error.status, error.upstream_status) == (ours, status)


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "7"}, {"retry-after-ms": "7000"}, {"RETRY-AFTER": "7.0"}],
)
async def test_retry_after_is_told_in_seconds(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    fake_upstream.enqueue_error(429, "Slow down.", headers=headers)
    assert (await refusal(provider)).retry_after == 7


async def test_retry_after_may_be_a_date(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    fake_upstream.enqueue_error(503, "Slow down.", headers={"Retry-After": date})
    seconds = (await refusal(provider)).retry_after
    assert seconds is not None
    assert 3500 < seconds <= 3600


async def test_an_errors_body_may_come_in_pieces(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"error": {"mess', Pause(0.01), b'age": "No luck."}}', status=500, headers=JSON)
    assert str(await refusal(provider)) == "Acme: No luck."


async def test_an_errors_status_counts_even_where_its_body_breaks_off(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(b"Go aw", Cut(), status=401)
    error = await refusal(provider)
    assert error.status == 401
    assert str(error).startswith("Acme: HTTP 401 Unauthorized")


async def test_an_endless_error_body_is_not_read_to_its_end(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(b"x" * 200_000, Hang(), status=500)
    assert "HTTP 500" in str(await refusal(provider))


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, status: int, ask: Any
) -> None:
    fake_upstream.enqueue(status=status, headers={"Location": f"{fake_upstream.url}/elsewhere"})
    error = await ask(provider)
    assert "a redirect is never followed: correct this provider's `api` URL" in str(error)
    assert len(fake_upstream.requests) == 1


# -- a bad answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>Welcome</html>", "<html>Welcome</html>"),
        (b"", "an empty body"),
        (b'{"choices": [', '{"choices": ['),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
    ],
)
async def test_an_answer_that_is_no_json_is_shown(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, body: bytes, shown: str, ask: Any
) -> None:
    fake_upstream.enqueue(body, headers={"Content-Type": "text/html" if b"html" in body else "application/json"})
    error = await ask(provider)
    assert str(error) == f"Acme answered with something that is not a JSON object: {shown}. Check its `api` URL."
    assert error.status == 502


async def test_a_connection_closed_without_an_answer_means_unreachable(
    provider: OpenAiCompatible, raw_vendor: Any
) -> None:
    raw_vendor(b"")
    assert isinstance(await refusal(provider), ProviderUnreachable)


async def test_an_answer_that_is_no_http_is_an_error(provider: OpenAiCompatible, raw_vendor: Any) -> None:
    raw_vendor(b"220 mail.acme.com ESMTP\r\n\r\n")
    error = await refusal(provider)
    assert str(error).startswith("Acme answered with broken HTTP")
    assert str(error).endswith("Try again.")


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n3e8\r\n",
        b"Content-Length: 1000\r\nContent-Type: text/event-stream\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n3e8\r\n",
    ],
)
async def test_a_body_that_breaks_off_is_a_cut(
    provider: OpenAiCompatible, raw_vendor: Any, head: bytes, ask: Any
) -> None:
    raw_vendor(b"HTTP/1.1 200 OK\r\n" + head + b'{"choices": [{')
    error = await ask(provider)
    assert isinstance(error, StreamCut)
    assert str(error) == "Acme closed the connection in the middle of its answer. Try again."


async def test_a_connection_reset_within_a_body_is_a_cut(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(b'{"choices": ', Cut())
    assert isinstance(await refusal(provider), StreamCut)


@pytest.fixture
async def raw_vendor(provider: OpenAiCompatible) -> AsyncIterator[Any]:
    """Call it with the bytes a vendor sends before it hangs up."""
    answers: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[0])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    provider.chat_url = f"http://127.0.0.1:{port}/v1/chat/completions"
    yield answers.append
    server.close()
    await server.wait_closed()


# -- silence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ASK)
async def test_a_vendor_that_does_not_begin_is_given_up(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, ask: Any
) -> None:
    fake_upstream.enqueue(Hang())
    error = await ask(impatient(provider, first_byte_timeout=0.05))
    assert isinstance(error, ProviderTimeout)
    assert str(error).startswith("Acme did not begin to answer within 0.05 s. Raise `limits.first_byte_timeout`")


@pytest.mark.parametrize("ask", ASK)
async def test_a_vendor_that_falls_silent_is_given_up(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, ask: Any
) -> None:
    fake_upstream.enqueue(b'data: {"choices": []}\n\n', Hang(), headers=SSE)
    error = await ask(impatient(provider, client_timeout=0.05, first_byte_timeout=20))
    assert isinstance(error, ProviderTimeout)
    assert str(error).startswith("Acme sent nothing for 0.05 s. Raise `limits.client_timeout`")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_first_byte_has_a_limit_of_its_own(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, stream: bool
) -> None:
    patient = impatient(provider, client_timeout=0.05, first_byte_timeout=20)
    if stream:
        fake_upstream.enqueue(Pause(0.3), b'data: {"choices": []}\n\ndata: [DONE]\n\n', headers=SSE)
        await answer(patient)
    else:
        fake_upstream.enqueue(Pause(0.3), b'{"choices": []}')
        await patient.chat(CHAT)


async def test_a_slow_stream_is_read_to_its_end_as_long_as_it_says_something(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    pauses: list[Any] = [piece for letter in "abcdef" for piece in (letter, Pause(0.1))]
    fake_upstream.enqueue_stream(*pauses)
    assert text(await answer(impatient(provider, client_timeout=0.5))) == "abcdef"


async def test_a_change_of_the_limits_counts_from_the_next_request_on(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    await provider.chat(CHAT)
    fake_upstream.enqueue(Hang())
    assert isinstance(await refusal(impatient(provider, client_timeout=0.05)), ProviderTimeout)


# -- every foreign error ---------------------------------------------------------------------------------------


def _with_subclasses(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for sub in cls.__subclasses__():
        if sub.__module__.startswith("aiohttp"):
            yield from _with_subclasses(sub)


def _made(cls: type[Exception]) -> Exception:
    """An instance of `cls`, whatever its constructor asks for."""
    url = URL("http://acme.com")
    key = aiohttp.client_reqrep.ConnectionKey("acme.com", 80, False, True, None, None, None)
    error = cls.__new__(cls, "x")
    known = {"message": "x", "status": 400, "headers": None, "history": (), "host": "acme.com", "port": 80}
    of_urls = {"_url": url, "_description": "x", "request_info": aiohttp.RequestInfo(url, "GET", None, url)}  # type: ignore[arg-type]
    of_sockets = {"_conn_key": key, "_os_error": OSError(1, "x"), "_certificate_error": ValueError("x")}
    error.__dict__.update(known | of_urls | of_sockets)
    return error


FOREIGN = sorted({*_with_subclasses(aiohttp.ClientError), TimeoutError, OSError, ConnectionResetError}, key=str)


@pytest.mark.parametrize("cls", FOREIGN)
async def test_every_error_of_the_http_library_becomes_ours(provider: OpenAiCompatible, cls: type[Exception]) -> None:
    foreign = _made(cls)
    with pytest.raises(LlmsError) as raised:
        async with provider.http.post(provider.chat_url, headers={}, body=b"{}", provider="Acme"):
            raise foreign
    assert raised.value.__cause__ is foreign
    assert "Acme" in str(raised.value)


async def test_an_error_that_is_not_the_librarys_passes_unchanged(provider: OpenAiCompatible) -> None:
    with pytest.raises(ZeroDivisionError):
        async with provider.http.post(provider.chat_url, headers={}, body=b"{}", provider="Acme"):
            raise ZeroDivisionError
