"""Previews of images, and every reason to show the image itself instead."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from llms.media.cache import Cache
from llms.media.images import MAX_PIXELS
from llms.media.variants import MAX_VARIANTS, Variant


def picture(width: int = 300, height: int = 200, kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new(mode, (width, height), options.pop("colour", 0)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def kept(cache: Cache, data: bytes, name: str = "a.png") -> Path:
    file = cache.find(cache.save_bytes(data, name)[0])
    assert file is not None
    return file


def variant(text: str) -> Variant:
    found = Variant.parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "end", "size"),
    [
        ("width=100", "_100w", (100, 67)),
        ("height=50", "_50h", (75, 50)),
        ("width=100,height=50", "_100w_50h", (75, 50)),
        ("height=100, width=30", "_30w_100h", (30, 20)),
        ("width=1", "_1w", (1, 1)),
    ],
)
def test_a_preview_is_webp_kept_beside_the_image_and_keeps_its_proportions(
    cache: Cache, text: str, end: str, size: tuple[int, int]
) -> None:
    file = kept(cache, picture())
    preview = variant(text).of(file)
    assert preview == file.with_name(f"{file.stem}{end}.webp")
    with Image.open(preview) as image:
        assert (image.format, image.size) == ("WEBP", size)


def test_a_preview_is_made_once(cache: Cache) -> None:
    file = kept(cache, picture())
    preview = variant("width=100").of(file)
    preview.write_bytes(b"as it was")
    assert variant("width=100").of(file) == preview
    assert preview.read_bytes() == b"as it was"


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "I;16"), ("PNG", "1"), ("GIF", "P"), ("TIFF", "CMYK")]
)
def test_every_kind_of_image_has_a_preview(cache: Cache, kind: str, mode: str) -> None:
    file = kept(cache, picture(kind=kind, mode=mode), f"a.{kind.lower()}")
    with Image.open(variant("width=30").of(file)) as image:
        assert image.size == (30, 20)


def test_what_one_sees_through_stays_so(cache: Cache) -> None:
    file = kept(cache, picture(mode="RGBA", colour=(255, 0, 0, 0)))
    with Image.open(variant("width=30").of(file)) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_a_photo_stored_on_its_side_is_upright(cache: Cache) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(variant("width=20").of(kept(cache, picture(kind="JPEG", exif=exif), "a.jpg"))) as image:
        assert image.size == (20, 30)


@pytest.mark.parametrize(
    "text",
    [
        *("", "width", "width=", "width=0", "width=-5", "width=5.5", "width=1e3", "width=999999", "width=٣", "w=5"),
        *("width=5,width=6", "width=5,height=6,width=7", "width=5;height=6", "width=5,", "count=5", "width=../../x"),
    ],
)
def test_what_means_no_variant_is_none(text: str) -> None:
    assert Variant.parse(text) is None


@pytest.mark.parametrize("text", ["width=300", "width=99999", "height=200", "width=400,height=200"])
def test_an_image_is_never_enlarged(cache: Cache, text: str) -> None:
    file = kept(cache, picture())
    assert variant(text).of(file) == file


def bomb() -> bytes:
    """A few bytes that say they unpack to more than may be unpacked."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**14, MAX_PIXELS // 2**14 + 1, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg"),
        (b"hello", "a.txt"),
        (b"hello", "a.png"),
        (b"", "a.png"),
        (picture()[:60], "a.png"),
        (bomb(), "a.png"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a.eps"),
    ],
)
def test_what_has_no_preview_is_shown_itself(cache: Cache, data: bytes, name: str) -> None:
    file = kept(cache, data, name)
    before = sorted(file.parent.iterdir())
    assert variant("width=10").of(file) == file
    assert sorted(file.parent.iterdir()) == before


def test_files_that_may_change_have_none(cache: Cache) -> None:
    file = Path(cache.path("mine.png"))
    file.write_bytes(picture())
    file.with_name("mine_10w.webp").write_bytes(b"something else")
    assert variant("width=10").of(file) == file
    assert variant("width=10").place(file) is None


def test_a_preview_has_none(cache: Cache) -> None:
    preview = variant("width=100").of(kept(cache, picture()))
    assert variant("width=10").of(preview) == preview


def test_nobody_fills_the_disk_with_every_size_there_is(cache: Cache) -> None:
    file = kept(cache, picture(60, 40))
    made = [variant(f"width={width}").of(file) for width in range(1, MAX_VARIANTS + 5)]
    assert len({*made} - {file}) == MAX_VARIANTS
    assert made[-4:] == [file] * 4


def test_a_disk_that_takes_nothing_shows_the_image_itself(cache: Cache) -> None:
    file = kept(cache, picture())
    file.with_name(f"{file.stem}_10w.webp").symlink_to(file.parent / "no" / "such" / "folder")
    assert variant("width=10").of(file) == file
