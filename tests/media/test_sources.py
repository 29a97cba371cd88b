"""Files of this machine: the command line may name them, a request over HTTP may not."""

import asyncio
import os
from pathlib import Path

import pytest

from llms.kernel.errors import RequestError
from llms.media.cache import Cache
from llms.media.sources import MAX_FILE, Attachment, Sources

PDF = b"%PDF-1.7 hello"
READ = Attachment(PDF, "application/pdf", "a report.pdf")


async def no_web(url: str) -> tuple[bytes, str, str]:
    raise AssertionError(f"{url} was fetched")


@pytest.fixture
def at_the_command_line() -> Sources:
    return Sources(fetch=no_web, local_files=True)


@pytest.fixture
def over_http() -> Sources:
    return Sources(fetch=no_web, local_files=False)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "a report.pdf"
    path.write_bytes(PDF)
    return path


# -- the command line ------------------------------------------------------------------------------------


async def test_a_path_is_read(at_the_command_line: Sources, report: Path) -> None:
    assert await at_the_command_line.load(str(report)) == READ


async def test_a_path_above_is_read(
    at_the_command_line: Sources, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (report.parent / "below").mkdir()
    monkeypatch.chdir(report.parent / "below")
    assert await at_the_command_line.load("../a report.pdf") == READ


async def test_a_path_from_home_is_read(
    at_the_command_line: Sources, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(report.parent))
    assert await at_the_command_line.load("~/a report.pdf") == READ


async def test_a_file_url_is_read(at_the_command_line: Sources, report: Path) -> None:
    assert report.as_uri().endswith("a%20report.pdf")
    assert await at_the_command_line.load(report.as_uri()) == READ


async def test_a_path_that_looks_like_base64_is_a_path(
    at_the_command_line: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "abcd").write_bytes(PDF)
    monkeypatch.chdir(tmp_path)
    assert (await at_the_command_line.load("abcd")).data == PDF


async def test_base64_that_is_no_path_is_base64(at_the_command_line: Sources) -> None:
    assert await at_the_command_line.load("/9j/4AAQ") == Attachment(b"\xff\xd8\xff\xe0\x00\x10", "", "", inline=True)


async def test_the_name_tells_the_type_where_the_bytes_do_not(at_the_command_line: Sources, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b")
    assert (await at_the_command_line.load(str(tmp_path / "notes.csv"))).mime == "text/csv"


@pytest.mark.parametrize(
    "path",
    ["missing.png", "/", ".", "a\0b.png", "~nobody-of-that-name/x.png", "x" * 300 + ".png", "file:///missing.png"],
)
async def test_a_path_that_is_no_file_is_an_error(at_the_command_line: Sources, path: str) -> None:
    with pytest.raises(RequestError, match=r"Check the path\."):
        await at_the_command_line.load(path)


async def test_a_file_url_of_another_machine_is_an_error(at_the_command_line: Sources) -> None:
    with pytest.raises(RequestError, match="names another machine"):
        await at_the_command_line.load("file://server/share/a.png")


async def test_a_pipe_or_a_device_is_not_waited_for(at_the_command_line: Sources, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with asyncio.timeout(20):
        for path in (str(tmp_path / "pipe"), (tmp_path / "pipe").as_uri(), "/dev/zero", "file:///dev/zero"):
            with pytest.raises(RequestError, match="Check the path"):
                await at_the_command_line.load(path)


async def test_a_file_too_large_is_an_error(at_the_command_line: Sources, tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(MAX_FILE + 1)
    with pytest.raises(RequestError, match="exceeds 50 MB"):
        await at_the_command_line.load(str(tmp_path / "huge"))


# -- over HTTP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["{0}/a report.pdf", "a report.pdf", "./a report.pdf", "x/../a report.pdf", "~/a report.pdf"]
)
async def test_no_path_is_read(over_http: Sources, report: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(report.parent)
    monkeypatch.setenv("HOME", str(report.parent))
    with pytest.raises(RequestError, match=r"Local paths work only from the command line; send a data URI or"):
        await over_http.load(path.format(report.parent))


@pytest.mark.parametrize("prefix", ["file://", "FILE://", "file://localhost", "file:", "File:////"])
async def test_no_file_url_is_read(over_http: Sources, report: Path, prefix: str) -> None:
    with pytest.raises(RequestError, match="Local paths work only from the command line"):
        await over_http.load(f"{prefix}{report}")


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "..%2f..%2fetc/passwd", "/proc/self/environ", "\\\\host\\share"]
)
async def test_no_path_of_an_attack_is_read(over_http: Sources, path: str) -> None:
    with pytest.raises(RequestError, match="Local paths work only from the command line"):
        await over_http.load(path)


async def test_a_path_that_is_also_base64_is_base64(
    over_http: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "abcd").write_bytes(PDF)
    monkeypatch.chdir(tmp_path)
    assert (await over_http.load("abcd")).data == b"i\xb7\x1d"


async def test_the_answer_does_not_tell_whether_a_path_exists(over_http: Sources, report: Path) -> None:
    errors = []
    for path in (report, report.with_name("no report.pdf")):
        with pytest.raises(RequestError) as refused:
            await over_http.load(str(path))
        errors.append(str(refused.value).replace(path.name, ""))
    assert errors[0] == errors[1]


# -- the cache -------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.mark.parametrize("local_files", [True, False])
async def test_a_cache_url_is_read_wherever_the_chat_came_from(cache: Cache, local_files: bool) -> None:
    url, _ = cache.save_bytes(PDF, "a report.pdf")
    assert await Sources(fetch=no_web, local_files=local_files, cache=cache).load(url) == READ


async def test_the_record_tells_the_type_where_the_bytes_do_not(cache: Cache) -> None:
    url, _ = cache.save_bytes(b"a,b", "numbers.data", {"type": "text/csv"})
    assert await Sources(fetch=no_web, local_files=False, cache=cache).load(url) == Attachment(
        b"a,b", "text/csv", "numbers.data"
    )


@pytest.mark.parametrize("local_files", [True, False])
@pytest.mark.parametrize(
    "url",
    [
        *("/~cache/ab/none.png", "/~cache/", "/~cache/..", "/~cache/../secret.txt", "/~cache/%2e%2e/secret.txt"),
        *("/~cache/..%2fsecret.txt", "/~cache//etc/passwd", "/~cache/a\0b", "/~cache/out", "/~cache/.cache.lock"),
    ],
)
async def test_a_cache_url_that_leads_elsewhere_is_refused(
    cache: Cache, tmp_path: Path, url: str, local_files: bool
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    cache.save_bytes(PDF, "a.pdf")
    (cache.root / "out").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(RequestError, match=r"is not in the cache\. Upload the file again\.") as refused:
        await Sources(fetch=no_web, local_files=local_files, cache=cache).load(url)
    assert refused.value.status == 400


async def test_without_a_cache_its_urls_lead_nowhere(over_http: Sources) -> None:
    with pytest.raises(RequestError, match="Local paths work only"):
        await over_http.load("/~cache/ab/abc.png")
