"""Signed requests, checked by a second reading of Amazon's rules, and frames, checked by botocore's own parser."""

import asyncio
import hashlib
import hmac
import importlib.util
import json
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from llms.api import ProviderError
from llms.extensions.providers.aws import MAX_FRAME, EventStreamDecoder, Signer, failure_of
from llms.extensions.providers.tests.bedrock_samples import exception, frame, framed, header

SAMPLE = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": SAMPLE}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No variable and no file of this machine's user counts. Gives the file that profiles are read from."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return config


def signer(**entry: Any) -> Signer:
    return Signer(entry, service="bedrock", region="eu-west-1", provider="Acme")


# -- signatures ----------------------------------------------------------------------------------------------------


def signature(secret: str, date: str, scope: str, canonical: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html"""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


def expected_signature(method: str, raw_path: str, headers: Mapping[str, str], body: bytes, secret: str) -> str:
    told = dict(part.split("=", 1) for part in headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", "))
    names = told["SignedHeaders"].split(";")
    listed = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = f"{method}\n{quote(raw_path, safe='/~')}\n\n{listed}\n{';'.join(names)}\n"
    scope = told["Credential"].partition("/")[2]
    return signature(secret, headers["X-Amz-Date"], scope, canonical + hashlib.sha256(body).hexdigest())


def test_the_rules_as_read_here_give_the_published_signature() -> None:
    """`get-vanilla` of Amazon's own test suite for Signature Version 4."""
    canonical = (
        "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    made = signature(SAMPLE, "20150830T123600Z", "20150830/us-east-1/service/aws4_request", canonical)
    assert made == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


Arrived = tuple[str, Mapping[str, str], bytes]


@pytest.fixture
async def arrivals() -> AsyncIterator[tuple[str, list[Arrived]]]:
    """A server's URL, and what arrives there: path as it was sent, headers and body."""
    arrived: list[Arrived] = []

    async def take(request: web.Request) -> web.Response:
        arrived.append((request.raw_path, request.headers.copy(), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", arrived
    await runner.cleanup()


@pytest.mark.parametrize("token", [None, "session-token"])
@pytest.mark.parametrize("model", ["amazon.nova-micro-v1:0", "arn:aws:bedrock:us-east-1:000000000000:profile/x y~é"])
async def test_what_arrives_is_what_was_signed(
    arrivals: tuple[str, list[Arrived]], model: str, token: str | None
) -> None:
    server, arrived = arrivals
    url, body = f"{server}/model/{quote(model, safe='')}/converse", b'{"messages":["\xc3\xa9"]}'
    headers = await signer(**KEYS, session_token=token).signed(url, {"Content-Type": "application/json"}, body)
    async with ClientSession() as http, http.post(URL(url, encoded=True), data=body, headers=headers):
        pass
    path, told, sent = arrived[0]
    assert told["Authorization"].endswith(f"Signature={expected_signature('POST', path, told, sent, SAMPLE)}")
    assert "/eu-west-1/bedrock/aws4_request" in told["Authorization"]
    assert told.get("X-Amz-Security-Token") == token


async def test_a_changed_body_has_another_signature(arrivals: tuple[str, list[Arrived]]) -> None:
    url = f"{arrivals[0]}/model/m/converse"
    headers = {**await signer(**KEYS).signed(url, {}, b"{}"), "Host": URL(url).authority}
    given = headers["Authorization"].rpartition("=")[2]
    assert given == expected_signature("POST", "/model/m/converse", Headers(headers), b"{}", SAMPLE)
    assert given != expected_signature("POST", "/model/m/converse", Headers(headers), b"[]", SAMPLE)


class Headers(dict[str, str]):
    """Headers by their name in whatever case."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in given.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


# -- credentials ---------------------------------------------------------------------------------------------------


def process(config: Path, script: str) -> None:
    """Has the profile `work` take its credentials from what `script`, a program in Python, prints."""
    program = config.with_name("credentials.py")
    program.write_text(script)
    config.write_text(f"[profile work]\ncredential_process = {sys.executable} {program}\n")


async def key_used(signing: Signer) -> str:
    headers = await signing.signed("http://127.0.0.1/", {}, b"")
    return headers["Authorization"].partition("Credential=")[2].partition("/")[0]


async def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SAMPLE)
    assert signer().problem() is None
    assert await key_used(signer()) == "AKIDENVIRONMENT"


async def test_keys_may_name_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY_ID", "AKIDMINE")
    assert await key_used(signer(access_key_id="$MY_KEY_ID", secret_access_key=SAMPLE)) == "AKIDMINE"


async def test_keys_of_the_entry_come_before_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SAMPLE)
    assert await key_used(signer(**KEYS)) == "AKIDEXAMPLE"


def test_keys_come_from_a_profile(no_credentials: Path) -> None:
    no_credentials.write_text(f"[profile work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = {SAMPLE}\n")
    assert asyncio.run(key_used(signer(profile="work"))) == "AKIDWORK"


async def test_keys_that_expire_are_fetched_again(no_credentials: Path) -> None:
    process(no_credentials, FETCHED)
    signing = signer(profile="work")
    assert len({await key_used(signing) for _ in range(3)}) == 3


FETCHED = """
import json, datetime, pathlib
count = pathlib.Path(__file__).with_name("count")
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)).isoformat()
print(json.dumps({"Version": 1, "AccessKeyId": f"AKID{number}", "SecretAccessKey": "s", "Expiration": soon}))
"""


async def test_keys_that_take_their_time_hold_up_nothing_else(no_credentials: Path) -> None:
    go = no_credentials.with_name("go")
    process(no_credentials, WAITED_FOR.replace("GO", repr(str(go))))
    asyncio.get_running_loop().call_later(0.05, go.touch)
    assert await key_used(signer(profile="work")) == "AKIDWAITED"


WAITED_FOR = """
import json, pathlib, sys, time
for _ in range(200):
    if pathlib.Path(GO).exists():
        break
    time.sleep(0.05)
else:
    sys.exit("nobody went on")
print(json.dumps({"Version": 1, "AccessKeyId": "AKIDWAITED", "SecretAccessKey": "s"}))
"""


@pytest.mark.parametrize("profile", ["unknown", None])
async def test_without_credentials_the_provider_says_how_to_give_them(profile: str | None) -> None:
    with pytest.raises(ProviderError, match=r"Acme has no AWS credentials: .* Set AWS_ACCESS_KEY_ID") as raised:
        await signer(profile=profile).signed("http://127.0.0.1/", {}, b"")
    assert raised.value.upstream_status == 401


def test_a_machine_without_any_source_of_credentials_is_not_ready() -> None:
    assert "requires AWS credentials: set AWS_ACCESS_KEY_ID" in str(signer().problem())


@pytest.mark.parametrize("entry", [KEYS, {"profile": "work"}, {"instance_role": True}])
def test_an_entry_that_says_where_credentials_are_is_ready(entry: Any) -> None:
    assert signer(**entry).problem() is None


def test_a_file_of_profiles_makes_it_ready(no_credentials: Path) -> None:
    no_credentials.write_text("[default]\n")
    assert signer().problem() is None


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key"])
def test_half_a_key_is_none(name: str) -> None:
    assert "has half a key. Give it" in str(signer(**{name: "x"}).problem())


def test_without_botocore_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert signer(**KEYS).problem() == (
        "Provider 'Acme' signs its requests with botocore. Run: pip install 'llms[aws]'"
    )


# -- frames --------------------------------------------------------------------------------------------------------


def plain_header(name: str, kind: int, value: bytes) -> bytes:
    """A header of a type that is no text."""
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


def decoded(*pieces: bytes) -> list[Any]:
    decoder = EventStreamDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [json.loads(event) for event in [*events, *decoder.finish()]]


FRAMES = frame("messageStart", {"role": "assistant"}) + frame("contentBlockDelta", {"delta": {"text": "Grüße"}})
EVENTS = [{"messageStart": {"role": "assistant"}}, {"contentBlockDelta": {"delta": {"text": "Grüße"}}}]
DAMAGED = {"exception": {"type": "damaged", "message": "a frame of its stream was damaged. Try again."}}


def test_frames_are_those_that_botocore_reads() -> None:
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(FRAMES)
    read = [{event.headers[":event-type"]: json.loads(event.payload)} for event in buffer]
    assert read == decoded(FRAMES) == EVENTS


def test_frames_may_be_cut_anywhere() -> None:
    for place in range(len(FRAMES)):
        assert decoded(FRAMES[:place], FRAMES[place:]) == EVENTS
    assert decoded(*(bytes([byte]) for byte in FRAMES)) == EVENTS


def test_a_frame_that_never_came_whole_is_no_event() -> None:
    assert decoded(FRAMES[:-1]) == EVENTS[:1]


def test_a_frame_without_payload_is_an_empty_event() -> None:
    assert decoded(framed(header(":event-type", "ping") + header(":message-type", "event"), b"")) == [{"ping": {}}]


def test_headers_of_every_type_are_passed_over() -> None:
    sizes = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    others = b"".join(plain_header(f"h{kind}", kind, bytes(size)) for kind, size in sizes.items())
    others += plain_header("h6", 6, b"\x00\x02ab")
    headers = others + header(":event-type", "ping") + header(":message-type", "event")
    assert decoded(framed(headers, b"{}")) == [{"ping": {}}]


@pytest.mark.parametrize("place", [0, 5, 9, 20, -6, -1])
def test_a_damaged_frame_ends_the_stream(place: int) -> None:
    first = bytearray(frame("messageStart", {"role": "assistant"}))
    first[place] ^= 1
    assert decoded(bytes(first) + FRAMES) == [DAMAGED]


@pytest.mark.parametrize(
    "damaged",
    [
        framed(b"\x05:even", b""),  # a header that ends too early
        framed(header(":message-type", "event"), b"{}"),  # an event of no type
        framed(plain_header("x", 10, b""), b"{}"),  # a type of header that is none
        framed(header(":event-type", "a")[:-1] + b"\xff" + header(":message-type", "event"), b"{}"),
        b"<html><body>502 Bad Gateway</body></html>",
        struct.pack(">II", MAX_FRAME + 1, 0) + struct.pack(">I", zlib.crc32(struct.pack(">II", MAX_FRAME + 1, 0))),
        struct.pack(">II", 15, 0) + struct.pack(">I", zlib.crc32(struct.pack(">II", 15, 0))),
    ],
)
def test_bytes_that_are_no_frame_end_the_stream(damaged: bytes) -> None:
    assert decoded(damaged, FRAMES) == [DAMAGED]


def test_a_damaged_frame_takes_nothing_from_those_before() -> None:
    assert decoded(FRAMES + b"<html><body>502 Bad Gateway</body></html>") == [*EVENTS, DAMAGED]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttlingException", 429),
        ("modelStreamErrorException", 424),
        ("validationException", 400),
        ("serviceUnavailableException", 503),
        ("internalServerException", 500),
        ("ModelTimeoutException", 408),
        ("somethingNewException", None),
    ],
)
def test_an_exception_becomes_an_error_with_its_status(kind: str, status: int | None) -> None:
    (event,) = decoded(exception(kind, b'{"message": "Too many tokens."}'))
    error = failure_of(event["exception"], provider="Acme")
    assert (str(error), error.upstream_status, error.code) == ("Acme: Too many tokens.", status, kind)


@pytest.mark.parametrize(("payload", "message"), [(b"busy", "busy"), (b"", "throttlingException"), (b"[1]", "[1]")])
def test_an_exception_need_not_be_json(payload: bytes, message: str) -> None:
    (event,) = decoded(exception("throttlingException", payload))
    assert str(failure_of(event["exception"], provider="Acme")) == f"Acme: {message}"


def test_an_error_frame_tells_its_code() -> None:
    headers = header(":error-code", "InternalError") + header(":error-message", "Oh") + header(":message-type", "error")
    assert decoded(framed(headers, b"")) == [{"exception": {"type": "InternalError", "message": "Oh"}}]
