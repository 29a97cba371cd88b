"""What is saved once is found again, by its content, whoever saves it and under whatever name."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from llms.kernel.errors import ConfigError, Forbidden, NotFound, RequestError
from llms.kernel.types import Json
from llms.media.cache import Cache

HELLO = hashlib.sha256(b"hello").hexdigest()
URL = f"/~cache/{HELLO[:2]}/{HELLO}"


def picture(width: int = 4, height: int = 2, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind, **options)
    return buffer.getvalue()


class Saved(list[Json]):
    """What the cache told of new files."""

    def urls(self) -> list[str]:
        return [one["url"] for one in self]


@pytest.fixture
def told() -> Saved:
    return Saved()


@pytest.fixture
def cache(tmp_path: Path, told: Saved) -> Cache:
    return Cache(tmp_path / "cache", saved=told.append)


def files(cache: Cache) -> list[str]:
    """Every file of the cache but the lock."""
    names = (path.relative_to(cache.root).as_posix() for path in cache.root.rglob("*") if path.is_file())
    return sorted(name for name in names if name != ".cache.lock")


# -- saving ----------------------------------------------------------------------------------------------


def test_a_file_is_named_by_its_content_and_its_extension(cache: Cache) -> None:
    url, _ = cache.save_bytes(b"hello", "greeting.txt")
    assert url == f"{URL}.txt"
    assert files(cache) == [f"2c/{HELLO}.info.json", f"2c/{HELLO}.txt"]
    assert Path(cache.path(f"2c/{HELLO}.txt")).read_bytes() == b"hello"


def test_its_info_tells_what_it_is_and_what_it_was_given(cache: Cache) -> None:
    _, info = cache.save_bytes(b"hello", "greeting.txt", {"prompt": "Greet", "cost": None}, {"user": "ann"})
    date = info.pop("date")
    assert abs(date - datetime.now(UTC).timestamp()) < 1000
    assert info == {
        "url": f"{URL}.txt",
        "size": 5,
        "type": "text/plain",
        "name": "greeting.txt",
        "prompt": "Greet",
        "user": "ann",
    }


def test_the_info_is_kept_beside_the_file(cache: Cache) -> None:
    _, info = cache.save_bytes(b"hello", "greeting.txt")
    assert json.loads(Path(cache.path(f"2c/{HELLO}.info.json")).read_text()) == info


def test_base64_and_data_uris_are_the_bytes_they_hold(cache: Cache) -> None:
    assert cache.save_image("aGVsbG8=", "a.png", {})[0] == f"{URL}.png"
    assert cache.save_image("data:image/png;base64,aGVsbG8=", "b.png", {})[0] == f"{URL}.png"
    assert cache.save_bytes(b"hello", "c.png")[0] == f"{URL}.png"


def test_what_is_no_base64_is_refused_and_leaves_nothing(cache: Cache) -> None:
    with pytest.raises(RequestError, match="not valid base64"):
        cache.save_bytes("<html>", "a.html")
    assert not cache.root.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_size_of_a_picture_is_told(cache: Cache, kind: str) -> None:
    _, info = cache.save_image(picture(30, 20, kind), f"a.{kind.lower()}", {})
    assert info is not None
    assert (info["width"], info["height"], info["type"]) == (30, 20, f"image/{kind.lower()}")


def test_a_photo_stored_on_its_side_has_the_size_one_sees(cache: Cache) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _, info = cache.save_bytes(picture(30, 20, "JPEG", exif=exif), "a.jpg")
    assert (info["width"], info["height"]) == (20, 30)


@pytest.mark.parametrize("data", [b"hello", picture()[:40], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_a_picture_that_is_none_is_kept_without_size(cache: Cache, data: bytes) -> None:
    url, info = cache.save_image(data, "a.png", {"prompt": "P"})
    assert cache.read(url)[0] == data
    assert info is not None
    assert info["prompt"] == "P"
    assert "width" not in info


def test_the_bytes_win_over_name_and_given_type(cache: Cache) -> None:
    _, info = cache.save_bytes(picture(kind="JPEG"), "a.png", {"type": "image/png"})
    assert info["type"] == "image/jpeg"


def test_a_given_type_wins_over_the_name(cache: Cache) -> None:
    assert cache.save_bytes(b"a,b", "a.data", {"type": "text/csv"})[1]["type"] == "text/csv"
    assert cache.save_bytes(b"hello", "b.png", {"type": "image"})[1]["type"] == "image/png"


def test_given_info_cannot_move_the_file(cache: Cache) -> None:
    url, info = cache.save_bytes(b"hello", "a.txt", {"url": "https://x.example/a.txt", "size": 99, "date": 7})
    assert (info["url"], info["size"], info["date"]) == (url, 5, 7)
    assert cache.info(Path(cache.path(f"2c/{HELLO}.txt"))) == info


def test_info_is_stored_as_json_can_hold_it(cache: Cache) -> None:
    given = {"at": datetime(2026, 1, 2, tzinfo=UTC), "tags": {"a"}, "nan": float("nan")}
    url, info = cache.save_bytes(b"hello", "a.txt", given)
    assert (info["at"], info["tags"]) == ("2026-01-02T00:00:00Z", ["a"])
    assert cache.read(url)[1] == info


@pytest.mark.parametrize("given", [{"x": object()}, {"x": "\ud800"}, ["a"], "text"])
def test_info_that_is_no_json_is_refused_before_anything_is_written(cache: Cache, given: Any) -> None:
    with pytest.raises(RequestError, match=r"^The info of the file is .*Give "):
        cache.save_bytes(b"hello", "a.txt", given)
    assert not cache.root.exists()


def test_info_that_holds_itself_is_refused(cache: Cache) -> None:
    given: Json = {}
    given["self"] = given
    with pytest.raises(RequestError, match="is no JSON"):
        cache.save_bytes(b"hello", "a.txt", given)


def test_what_the_caller_gave_stays_as_it_was(cache: Cache) -> None:
    given = {"prompt": "P"}
    cache.save_bytes(b"hello", "a.txt", given, {"user": "ann"})
    assert given == {"prompt": "P"}


# -- saving again ----------------------------------------------------------------------------------------


def test_saving_again_keeps_the_first_info(cache: Cache) -> None:
    first = cache.save_bytes(b"hello", "first.txt", {"prompt": "1"})
    assert cache.save_bytes(b"hello", "second.txt", {"prompt": "2"}) == first


def test_saving_an_image_again_can_leave_out_the_info(cache: Cache) -> None:
    url, info = cache.save_image(b"hello", "a.png", {}, ignore_info=True)
    assert info is not None
    assert cache.save_image(b"hello", "a.png", {}, ignore_info=True) == (url, None)
    assert cache.save_image(b"hello", "a.png", {}) == (url, info)


def test_the_same_bytes_under_two_extensions_have_an_info_each(cache: Cache) -> None:
    text = cache.save_bytes(b"hello", "a.txt", {"prompt": "text"})
    page = cache.save_bytes(b"hello", "a.html", {"prompt": "page"})
    assert (page[0], page[1]["type"], page[1]["prompt"]) == (f"{URL}.html", "text/html", "page")
    assert cache.read(text[0])[1] == text[1]
    assert cache.read(page[0])[1] == page[1]
    assert cache.save_bytes(b"hello", "b.html") == page
    assert cache.save_bytes(b"hello", "b.txt") == text


def test_extensions_in_capitals_are_no_others(cache: Cache) -> None:
    assert cache.save_bytes(b"hello", "A.TXT")[0] == cache.save_bytes(b"hello", "a.txt")[0]


def test_a_file_that_lost_its_info_gets_one_when_saved_again(cache: Cache, told: Saved) -> None:
    cache.save_bytes(b"hello", "a.txt")
    for broken in ("", "{", "[]", '{"url": 5'):
        Path(cache.path(f"2c/{HELLO}.info.json")).write_text(broken)
        assert cache.save_bytes(b"hello", "b.txt")[1]["name"] == "b.txt"
        assert cache.read(f"{URL}.txt")[1]["name"] == "b.txt"


def test_a_file_that_was_cut_is_written_again(cache: Cache) -> None:
    cache.save_bytes(b"hello", "a.txt")
    Path(cache.path(f"2c/{HELLO}.txt")).write_bytes(b"hel")
    cache.save_bytes(b"hello", "a.txt")
    assert cache.read(f"{URL}.txt")[0] == b"hello"


def test_info_written_by_other_tools_is_read(cache: Cache) -> None:
    folder = Path(cache.path("2c"))
    folder.mkdir()
    (folder / f"{HELLO}.png").write_bytes(b"hello")
    (folder / f"{HELLO}.info.json").write_text(json.dumps({"name": "old.png", "prompt": "P"}))
    assert cache.save_image(b"hello", "new.png", {}) == (f"{URL}.png", {"name": "old.png", "prompt": "P"})


# -- telling of new files --------------------------------------------------------------------------------


def test_a_new_file_is_told_once(cache: Cache, told: Saved) -> None:
    url, info = cache.save_bytes(b"hello", "a.txt", {}, {"user": "ann"})
    cache.save_bytes(b"hello", "b.txt")
    assert told == [{"url": url, "info": info, "user": "ann"}]


def test_whoever_is_told_cannot_change_what_the_caller_gets(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", saved=lambda saved: saved["info"].clear())
    assert cache.save_bytes(b"hello", "a.txt")[1]["name"] == "a.txt"


def test_a_file_without_a_user_is_nobodys(cache: Cache, told: Saved) -> None:
    for context in (None, {}, {"user": None}, {"user": ""}):
        _, info = cache.save_bytes(repr(context).encode(), "a.txt", None, context)
        assert "user" not in info
    assert {one["user"] for one in told} == {None}


def test_threads_that_save_the_same_write_it_once(cache: Cache, told: Saved) -> None:
    names = ["a.txt", "a.html", "a.json", "a.md"]
    threads = [threading.Thread(target=cache.save_bytes, args=(b"hello", name)) for name in names * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.urls()) == sorted(URL + name[1:] for name in names)
    assert {cache.read(URL + name[1:])[1]["name"] for name in names} == set(names)


def test_processes_that_save_the_same_write_it_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from llms.media.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1]), saved=lambda saved: print(saved['url']))\n"
        "sys.stdin.read()\n"
        "for i in range(50): cache.save_bytes(str(i).encode(), 'a.txt' if i % 2 else sys.argv[2])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache")]
    processes = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a.txt", "a.txt", "a.md")
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    said = [line for process in processes for line in process.stdout or ()]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert len(said) == len(set(said)) == 75  # 25 odd ones, and the even ones under two extensions


# -- hostile names, full disks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("../../../etc/passwd", "/etc/passwd", "..\\..\\x.exe", "a\0b.png", "..", ".", "", "a" * 300 + ".png"),
        *("a.png/..", "a./../b", "a.p/ng", "\ud800.png", "con", "a.info.json", "x." + "y" * 300, "-rf", "a.%2e%2e%2f"),
    ],
)
def test_whatever_its_name_a_file_stays_in_its_folder(cache: Cache, tmp_path: Path, name: str) -> None:
    url, info = cache.save_bytes(b"hello", name)
    assert url.startswith(f"{URL}.")
    assert cache.read(url) == (b"hello", info)
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "2c"]
    assert [path.name for path in outside] == [".cache.lock"]
    assert len(files(cache)) == 2


def test_a_full_disk_is_told_and_leaves_no_half_file(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"No space left on device\. Free some disk space"):
        cache.save_bytes(b"hello", "a.txt")
    assert files(cache) == []
    monkeypatch.undo()
    assert cache.read(cache.save_bytes(b"hello", "a.txt")[0])[0] == b"hello"


def test_a_cache_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written"):
        Cache(tmp_path / "cache").save_bytes(b"hello", "a.txt")


# -- finding and reading ---------------------------------------------------------------------------------


def by_url(cache: Cache) -> str:
    return f"{URL}.txt"


def by_place(cache: Cache) -> str:
    return f"2c/{HELLO}.txt"


def by_path(cache: Cache) -> str:
    return cache.path(f"2c/{HELLO}.txt")


@pytest.mark.parametrize("name", [by_url, by_place, by_path])
def test_a_file_is_read_by_url_place_and_path(cache: Cache, name: Callable[[Cache], str]) -> None:
    _, info = cache.save_bytes(b"hello", "greeting.txt", {"prompt": "P"})
    assert cache.read(name(cache)) == (b"hello", info)


def test_a_url_may_have_a_query(cache: Cache) -> None:
    cache.save_bytes(b"hello", "a.txt")
    assert cache.read(f"{URL}.txt?download")[0] == b"hello"
    assert cache.find(f"{URL}.txt?variant=width=5#x") == Path(cache.path(f"2c/{HELLO}.txt")).resolve()


def test_a_file_without_record_tells_what_can_be_seen(cache: Cache, tmp_path: Path) -> None:
    place = Path(cache.path("notes/a b.md"))
    place.parent.mkdir()
    place.write_text("hi")
    date = int(place.stat().st_mtime)
    seen = {"date": date, "name": "a b.md", "ext": "md", "type": "text/markdown"}
    assert cache.read("notes/a b.md")[1] == seen | {"url": "/~cache/notes/a b.md"}
    assert cache.read("/~cache/notes/a%20b.md")[0] == b"hi"
    outside = tmp_path / "a b.md"
    outside.write_text("out")
    os.utime(outside, (date, date))
    assert cache.read(str(outside)) == (b"out", seen | {"url": outside.as_uri()})


@pytest.mark.parametrize("missing", ["/~cache/ab/none.png", "ab/none.png", "", "/~cache/", "/no/such/file", "2c"])
def test_what_is_not_there_is_not_found(cache: Cache, missing: str) -> None:
    cache.save_bytes(b"hello", "a.txt")
    with pytest.raises(NotFound, match=r"Check (its URL|the path)"):
        cache.read(missing)


@pytest.mark.parametrize("path", ["/", "/a\0b"])
def test_a_path_that_cannot_be_read_is_told(cache: Cache, path: str) -> None:
    with pytest.raises(RequestError, match=r"cannot be read: .*Check that"):
        cache.read(path)


def test_a_file_of_the_web_is_not_read(cache: Cache) -> None:
    with pytest.raises(RequestError, match="Download it"):
        cache.read("https://x.example/a.png")


@pytest.mark.parametrize(
    "place",
    ["../secret", "/~cache/../secret", "/~cache/%2e%2e/secret", "a/../../secret", "/~cache//etc/passwd", "a\0b", "out"],
)
def test_a_place_outside_is_forbidden(cache: Cache, tmp_path: Path, place: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (Path(cache.path()) / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(Forbidden, match="outside of the cache"):
        cache.read(place)
    assert cache.find(place) is None


@pytest.mark.parametrize("place", [".cache.lock", "loop", "x" * 5000, "a/" * 3000, ".hidden/a.txt"])
def test_what_is_no_file_to_hand_out_is_not_found(cache: Cache, place: str) -> None:
    cache.save_bytes(b"hello", "a.txt")
    (cache.root / "loop").symlink_to(cache.root / "loop")
    (cache.root / ".hidden").mkdir()
    (cache.root / ".hidden" / "a.txt").write_text("hidden")
    assert cache.find(place) is None


# -- places ----------------------------------------------------------------------------------------------


def test_a_place_is_an_absolute_path(cache: Cache, tmp_path: Path) -> None:
    assert cache.path() == str(tmp_path / "cache")
    assert cache.path("my_extension/data.json") == str(tmp_path / "cache" / "my_extension" / "data.json")


def test_the_folder_of_the_cache_is_there_to_write_to(cache: Cache) -> None:
    Path(cache.path("data.json")).write_text("{}")
    assert files(cache) == ["data.json"]


@pytest.mark.parametrize("place", ["..", "../x", "a/../../x", "/etc/passwd", "a\0b"])
def test_a_path_never_leads_outside(cache: Cache, place: str) -> None:
    with pytest.raises(Forbidden):
        cache.path(place)


# -- messages --------------------------------------------------------------------------------------------


def test_inline_data_of_a_message_becomes_urls_of_the_cache(cache: Cache, told: Saved) -> None:
    data = picture()
    message = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + b64encode(data).decode()}}],
    }
    cache.take_inline_data(message, {"user": "ann"})
    url = message["content"][0]["image_url"]["url"]  # type: ignore[index]
    assert cache.read(url)[0] == data
    assert told.urls() == [url]
    assert told[0]["user"] == "ann"
