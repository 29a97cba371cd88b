"""What the outside may send us, and what it may make us ask for."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from llms.kernel.errors import RequestError
from llms.providers.fetch import Fetcher, is_public

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


def here(address: str) -> bool:
    """Stands for the public internet: of this machine's addresses, only one is allowed."""
    return address == HERE


class Origin:
    """A real server on every loopback address. A reply that is a list is sent piece by piece, then nothing more."""

    def __init__(self) -> None:
        self.replies: dict[str, bytes | list[bytes]] = {}
        self.requests: list[str] = []
        self.connections: list[str] = []  # the address by which each came
        self.asked, self.hung_up = asyncio.Event(), asyncio.Event()
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "0.0.0.0", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer.get_extra_info("sockname")[0])
        self._open.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.requests.append(head)
                self.asked.set()
                reply = self.replies[head.split()[1]]
                if isinstance(reply, bytes):
                    writer.write(reply)
                else:
                    for piece in reply:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0.01)
                    await reader.read()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.hung_up.set()
            writer.close()
            self._open.discard(writer)

    def hang_up(self) -> None:
        for writer in list(self._open):
            writer.close()


class Names(AbstractResolver):
    """DNS of this test."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self.names:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
            for address in self.names[host]
        ]

    async def close(self) -> None: ...


def ok(body: bytes, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    server = await origin.start()
    async with asyncio.timeout(20):
        yield origin
    server.close()
    origin.hang_up()
    await asyncio.sleep(0)


@pytest.fixture
async def fetch() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(allowed=here, max_bytes=1000, resolver=Names({}))
    yield fetcher
    await fetcher.close()


@pytest.fixture
async def guarded() -> AsyncIterator[Fetcher]:
    """As in production."""
    fetcher = Fetcher()
    yield fetcher
    await fetcher.close()


# -- what comes back -------------------------------------------------------------------------------------


async def test_content_type_and_name_come_back(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/a/cat.png?size=1"] = ok(b"meow", Content_Type="Image/PNG; charset=x")
    assert await fetch(f"{origin.url}/a/cat.png?size=1") == (b"meow", "image/png", "cat.png")


async def test_an_empty_file_is_a_file(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/empty.txt"] = ok(b"", Content_Type="text/plain")
    assert await fetch(f"{origin.url}/empty.txt") == (b"", "text/plain", "empty.txt")


async def test_a_body_without_length_ends_with_the_connection(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x.txt"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert (await fetch(f"{origin.url}/x.txt"))[0] == b"abc"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="Report 1.pdf"', "Report 1.pdf"),
        ("attachment; filename*=UTF-8''na%C3%AFve.pdf", "naïve.pdf"),
        ('attachment; filename="report"', "report.pdf"),
        ('attachment; filename="../../etc/cron.d/x.sh"', "x.sh"),
        ('attachment; filename="..\\\\..\\\\boot.ini"', "boot.ini"),
        ('attachment; filename=".."', "file.pdf"),
        ('attachment; filename="a\x01b.pdf"', "file.pdf"),
        (f'attachment; filename="{"x" * 300}.pdf"', "file.pdf"),
        ("attachment; filename*=nonsense''%ff%fe", "ÿþ.pdf"),
        (";;;=\"'*", "download.pdf"),
    ],
)
async def test_the_servers_name_is_taken_but_is_never_a_path(
    origin: Origin, fetch: Fetcher, header: str, name: str
) -> None:
    origin.replies["/download"] = ok(b"x", Content_Type="application/pdf", Content_Disposition=header)
    assert (await fetch(f"{origin.url}/download"))[2] == name


async def test_a_url_without_a_name_still_gives_one(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/"] = ok(b"x", Content_Type="text/csv")
    assert (await fetch(f"{origin.url}/"))[2] == "file.csv"


async def test_redirects_are_followed_three_times(origin: Origin, fetch: Fetcher) -> None:
    origin.replies |= {f"/{n}": redirect(f"/{n + 1}", status) for n, status in enumerate((301, 307, 308))}
    origin.replies["/3"] = ok(b"here")
    assert (await fetch(f"{origin.url}/0"))[0] == b"here"


async def test_a_closed_fetcher_opens_again(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = ok(b"x")
    await fetch(f"{origin.url}/x")
    await fetch.close()
    await fetch.close()
    assert (await fetch(f"{origin.url}/x"))[0] == b"x"


# -- what it does not ask for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.2",
        "localhost",
        "LocalHost",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ],
)
async def test_no_spelling_of_this_machine_reaches_it(origin: Origin, guarded: Fetcher, host: str) -> None:
    origin.replies["/secret"] = ok(b"secret")
    with pytest.raises(RequestError):
        await guarded(f"http://{host}:{origin.port}/secret")
    assert origin.connections == []


async def test_the_refusal_says_what_to_do(origin: Origin, guarded: Fetcher) -> None:
    with pytest.raises(RequestError, match=r"not on the public internet.*Send the content itself\.") as refused:
        await guarded(f"{origin.url}/x")
    assert refused.value.status == 400


async def test_a_name_that_resolves_to_this_machine_is_refused(origin: Origin) -> None:
    fetch = Fetcher(resolver=Names({"cdn.example": [HERE, ELSEWHERE]}))
    with pytest.raises(RequestError, match="not on the public internet"):
        await fetch(f"http://cdn.example:{origin.port}/x")
    await fetch.close()
    assert origin.connections == []


async def test_of_several_addresses_only_the_allowed_one_is_tried(origin: Origin) -> None:
    origin.replies["/x"] = ok(b"x")
    fetch = Fetcher(allowed=here, resolver=Names({"cdn.example": [ELSEWHERE, HERE]}))
    await fetch(f"http://cdn.example:{origin.port}/x")
    await fetch.close()
    assert origin.connections == [HERE]


@pytest.mark.parametrize("host", [ELSEWHERE, "inside.example"])
async def test_a_redirect_to_a_private_address_is_refused(origin: Origin, host: str) -> None:
    fetch = Fetcher(allowed=here, resolver=Names({"cdn.example": [HERE], "inside.example": [ELSEWHERE]}))
    origin.replies |= {"/open": redirect(f"http://{host}:{origin.port}/secret"), "/secret": ok(b"secret")}
    with pytest.raises(RequestError, match="not on the public internet"):
        await fetch(f"http://cdn.example:{origin.port}/open")
    await fetch.close()
    assert origin.connections == [HERE]


async def test_a_name_that_changes_its_address_is_checked_again(origin: Origin) -> None:
    names = Names({"cdn.example": [HERE]})
    origin.replies["/x"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    fetch = Fetcher(allowed=here, resolver=names)
    await fetch(f"http://cdn.example:{origin.port}/x")
    names.names["cdn.example"] = [ELSEWHERE]
    await fetch.close()  # forgets the earlier answer
    with pytest.raises(RequestError, match="not on the public internet"):
        await fetch(f"http://cdn.example:{origin.port}/x")
    await fetch.close()
    assert origin.connections == [HERE]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "javascript:alert(1)"])
async def test_a_redirect_to_another_scheme_is_refused(origin: Origin, fetch: Fetcher, to: str) -> None:
    origin.replies["/x"] = redirect(to)
    with pytest.raises(RequestError, match="no web address"):
        await fetch(f"{origin.url}/x")


async def test_a_fourth_redirect_is_refused(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = redirect("/x")
    with pytest.raises(RequestError, match="more than 3 times"):
        await fetch(f"{origin.url}/x")
    assert len(origin.requests) == 4


async def test_a_redirect_to_rubbish_is_refused(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = redirect("http://[::1")
    with pytest.raises(RequestError, match="no valid URL"):
        await fetch(f"{origin.url}/x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://x/y",
        "http://",
        "http:///x",
        "http://[::1",
        "http://a:99999/",
        "http://a\\@b/",
        "http://\x00/",
        f"http://{'a' * 300}/",
        "http://exa mple/",
        "//x/y",
    ],
)
async def test_what_is_no_web_address_is_refused(fetch: Fetcher, url: str) -> None:
    with pytest.raises(RequestError):
        await fetch(url)


async def test_credentials_in_a_url_are_refused_and_not_repeated(origin: Origin, fetch: Fetcher) -> None:
    with pytest.raises(RequestError, match="credentials") as refused:
        await fetch(f"http://ann:hunter2@{HERE}:{origin.port}/x")
    assert "hunter2" not in str(refused.value) and "ann" not in str(refused.value)
    assert origin.connections == []


async def test_credentials_in_a_redirect_are_refused(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = redirect(f"http://ann:hunter2@{HERE}:{origin.port}/y")
    with pytest.raises(RequestError, match="credentials"):
        await fetch(f"{origin.url}/x")


async def test_cookies_are_not_kept(origin: Origin) -> None:
    fetch = Fetcher(allowed=here, resolver=Names({"cdn.example": [HERE]}))
    origin.replies["/x"] = ok(b"x", Set_Cookie="id=1; Path=/")
    for _ in range(2):
        await fetch(f"http://cdn.example:{origin.port}/x")
    await fetch.close()
    assert not any("cookie" in request.lower() for request in origin.requests)


async def test_proxies_of_the_environment_are_not_used(
    origin: Origin, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", origin.url)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(RequestError, match="not on the public internet"):
        await fetch("http://10.0.0.1/x")
    assert origin.connections == []


# -- how much it takes -----------------------------------------------------------------------------------


async def test_a_gigabyte_is_refused_before_its_first_byte(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"]
    with pytest.raises(RequestError, match=r"exceeds .* MB"):
        await fetch(f"{origin.url}/x")
    await origin.hung_up.wait()


async def test_an_endless_body_is_cut_at_the_limit(origin: Origin, fetch: Fetcher) -> None:
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    origin.replies["/x"] = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 50]
    with pytest.raises(RequestError, match=r"exceeds .* MB"):
        await fetch(f"{origin.url}/x")
    await origin.hung_up.wait()


async def test_a_body_of_exactly_the_limit_is_taken(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = ok(b"x" * 1000)
    assert len((await fetch(f"{origin.url}/x"))[0]) == 1000


async def test_a_compressed_answer_is_not_unpacked(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = ok(b"\x1f\x8b", Content_Encoding="gzip")
    with pytest.raises(RequestError, match="compressed"):
        await fetch(f"{origin.url}/x")
    assert "Accept-Encoding: identity" in origin.requests[0]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="silence"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 1000], id="drip in the head"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 800], id="drip in the body"),
    ],
)
async def test_a_slow_server_is_given_up(origin: Origin, pieces: list[bytes]) -> None:
    origin.replies["/x"] = pieces
    fetch = Fetcher(allowed=here, timeout=0.2)
    with pytest.raises(RequestError, match=r"took longer than 0\.2 s"):
        await fetch(f"{origin.url}/x")
    await fetch.close()
    await origin.hung_up.wait()


# -- what goes wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
async def test_any_status_but_200_is_an_error(origin: Origin, fetch: Fetcher, status: int) -> None:
    origin.replies["/x"] = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(RequestError, match=f"status {status}"):
        await fetch(f"{origin.url}/x")


@pytest.mark.parametrize(
    "reply",
    [
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_broken_http_is_an_error(origin: Origin, fetch: Fetcher, reply: bytes) -> None:
    origin.replies["/x"] = reply
    with pytest.raises(RequestError, match="broke off or answered with broken HTTP"):
        await fetch(f"{origin.url}/x")


async def test_a_connection_that_breaks_off_is_an_error(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
    fetching = asyncio.ensure_future(fetch(f"{origin.url}/x"))
    await origin.asked.wait()
    origin.hang_up()
    with pytest.raises(RequestError, match="broke off"):
        await fetching


async def test_a_port_nobody_listens_on_is_an_error(fetch: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        with pytest.raises(RequestError, match="cannot be reached"):
            await fetch(f"http://{HERE}:{taken.getsockname()[1]}/x")


async def test_an_unknown_name_is_an_error() -> None:
    fetch = Fetcher(resolver=Names({}))
    with pytest.raises(RequestError, match="cannot be reached"):
        await fetch("http://nowhere.example/x")
    await fetch.close()


async def test_https_to_a_server_without_it_is_an_error(fetch: Fetcher) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with asyncio.timeout(20), await asyncio.start_server(answer, HERE, 0) as server:
        with pytest.raises(RequestError, match="no valid certificate"):
            await fetch(f"https://{HERE}:{server.sockets[0].getsockname()[1]}/x")


async def test_no_error_repeats_what_follows_the_question_mark(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x?signature=s3cret"] = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(RequestError) as failed:
        await fetch(f"{origin.url}/x?signature=s3cret")
    assert "s3cret" not in str(failed.value)


async def test_giving_up_hangs_up(origin: Origin, fetch: Fetcher) -> None:
    origin.replies["/x"] = []
    fetching = asyncio.ensure_future(fetch(f"{origin.url}/x"))
    await origin.asked.wait()
    fetching.cancel()
    await origin.hung_up.wait()
    with pytest.raises(asyncio.CancelledError):
        await fetching


# -- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "151.101.1.1", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1"),
        *("168.63.129.16", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1"),
        *("::ffff:8.8.8.8", "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"),
        *("100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "fc00::1", "fd00:ec2::254"),
        *("fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1", "5f00::1", "8000::1"),
        *("", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "1.1.1.1.", " 1.1.1.1"),
    ],
)
def test_other_addresses_are_not(address: str) -> None:
    assert not is_public(address)
