"""What becomes of an image before a model sees it."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llms.kernel.errors import ConfigError, RequestError
from llms.media.images import MAX_PIXELS, base64_length, convert, size_of, thumbnail


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(width: int, height: int, colour: str = "red", mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), colour)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 20 for a, b in zip(pixel, colour, strict=True))


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is `width` x `height`."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    rest = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + chunk + rest


# -- untouched -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_small_image_is_the_same_object(kind: str) -> None:
    data = encoded(plain(20, 10), kind)
    found, mime = convert(data, "image/x")
    assert found is data
    assert mime == f"image/{kind.lower()}"


def test_an_image_of_exactly_the_largest_size_is_untouched() -> None:
    data = encoded(plain(1536, 1024))
    assert convert(data, "image/png")[0] is data


def test_the_bytes_tell_the_type_and_not_the_name() -> None:
    assert convert(encoded(plain(5, 5), "JPEG"), "image/png")[1] == "image/jpeg"


@pytest.mark.parametrize(("brand", "mime"), [(b"heic", "image/heic"), (b"avif", "image/avif")])
def test_formats_some_models_read_and_pillow_may_not_are_untouched(brand: bytes, mime: str) -> None:
    data = b"\0\0\0\x18ftyp" + brand + b"rest"
    assert convert(data, "") == (data, mime)


def test_without_pillow_everything_is_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(plain(3000, 2000))
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    found, mime = convert(data, "image/jpeg")
    assert found is data
    assert mime == "image/png"


# -- fitted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "fitted"),
    [((3000, 2000), (1536, 1024)), ((1537, 10), (1536, 10)), ((10, 1025), (10, 1024)), ((2000, 3000), (683, 1024))],
)
def test_an_image_too_large_on_a_side_is_fitted_inside(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    data, mime = convert(encoded(plain(*size)), "image/png")
    assert mime == "image/webp"
    assert Image.open(BytesIO(data)).format == "WEBP"
    assert opened(data).size == fitted


def test_a_line_is_not_shrunk_to_nothing() -> None:
    assert opened(convert(encoded(plain(9000, 1)), "")[0]).size == (1536, 1)


def test_max_size_is_configurable() -> None:
    assert opened(convert(encoded(plain(400, 400)), "", max_size="100x50")[0]).size == (50, 50)


@pytest.mark.parametrize("max_size", ["", "100", "x", "0x10", "-1x5", "ax5", "1x2x3", "1536 x 1024"])
def test_a_max_size_that_is_no_size_names_the_key(max_size: str) -> None:
    with pytest.raises(ConfigError, match=r"convert\.image\.max_size"):
        convert(encoded(plain(5, 5)), "", max_size=max_size)


def test_an_image_too_long_in_base64_is_made_shorter() -> None:
    noise = encoded(Image.effect_noise((300, 300), 90))
    data, mime = convert(noise, "image/png", max_length=base64_length(noise) - 1)
    assert mime == "image/webp"
    assert base64_length(data) < base64_length(noise)
    assert opened(data).size == (300, 300)


def test_the_limit_counts_base64_and_not_bytes() -> None:
    data = encoded(Image.effect_noise((100, 100), 90))
    assert convert(data, "", max_length=base64_length(data))[0] is data
    assert convert(data, "", max_length=len(data))[0] is not data


def test_the_result_is_never_too_long() -> None:
    data, _ = convert(encoded(Image.effect_noise((400, 400), 90)), "", max_length=4000)
    assert base64_length(data) <= 4000
    assert opened(data).size < (400, 400)


def test_base64_length_is_the_length_of_base64() -> None:
    assert [base64_length(b"x" * n) for n in range(5)] == [0, 4, 4, 4, 8]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_becomes_white(mode: str) -> None:
    clear = Image.new(mode, (2000, 20), (0,) * len(mode))
    assert near(opened(convert(encoded(clear), "")[0]).getpixel((700, 5)), (255, 255, 255))


def test_transparency_of_a_palette_becomes_white() -> None:
    image = plain(2000, 20, mode="P", colour=0)  # type: ignore[arg-type]
    image.putpalette([255, 0, 0])
    data = encoded(image, transparency=0)
    assert near(opened(convert(data, "")[0]).getpixel((700, 5)), (255, 255, 255))


def test_half_transparent_red_becomes_pink() -> None:
    data = encoded(Image.new("RGBA", (2000, 20), (255, 0, 0, 128)))
    assert near(opened(convert(data, "")[0]).getpixel((700, 5)), (255, 127, 127))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "I;16"])
def test_every_kind_of_pixel_keeps_its_brightness(mode: str) -> None:
    white = {"I;16": 65535, "CMYK": (0, 0, 0, 0)}.get(mode, "white")
    data = encoded(Image.new(mode, (2000, 20), white), "TIFF")  # type: ignore[arg-type]
    assert near(opened(convert(data, "")[0]).getpixel((700, 5)), (255, 255, 255))


def test_sixteen_bit_grey_is_scaled_and_not_cut() -> None:
    data = encoded(Image.new("I;16", (2000, 20), 32768))
    assert near(opened(convert(data, "")[0]).getpixel((700, 5)), (128, 128, 128))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_taken_upright_stays_upright(kind: str) -> None:
    lying = plain(3000, 1500, "blue")
    lying.paste(plain(300, 1500, "red"), (0, 0))  # its left side, which turned becomes the top
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = opened(convert(encoded(lying, kind, exif=exif), "")[0])
    assert upright.size == (512, 1024)
    assert near(upright.getpixel((256, 10)), (255, 0, 0))
    assert near(upright.getpixel((256, 1000)), (0, 0, 255))


def test_a_photo_turned_to_landscape_keeps_all_its_pixels_of_width() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    assert opened(convert(encoded(plain(1500, 3000), "JPEG", exif=exif), "")[0]).size == (1536, 768)


def test_a_photo_is_measured_as_it_is_looked_at() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(plain(1024, 1536), "JPEG", exif=exif)  # upright it is 1536 x 1024
    assert convert(lying, "")[0] is lying


def test_the_place_of_a_photo_is_not_passed_on() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    data = encoded(plain(2000, 20), "JPEG", exif=exif, comment=b"by Ann")
    fitted = convert(data, "")[0]
    assert b"at home" in data and b"at home" not in fitted and b"by Ann" not in fitted


def test_an_animation_becomes_its_first_picture() -> None:
    data = encoded(plain(2000, 20, "red"), "GIF", save_all=True, append_images=[plain(2000, 20, "blue")])
    assert near(opened(convert(data, "")[0]).getpixel((700, 5)), (255, 0, 0))


# -- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(60000, 60000), (10000, 9000), (9000, 9000), (2**31 - 1, 1)])
def test_a_few_bytes_that_unpack_to_gigabytes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(RequestError, match=r"megapixels\. Send a smaller one\."):
        convert(png_header(*size), "image/png")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(RequestError, match="Send a PNG, JPEG, WebP or GIF"):
        convert(data, "image/png")


def test_postscript_is_never_run() -> None:
    eps = encoded(plain(20, 20), "EPS")
    with pytest.raises(RequestError, match="Not an image"):
        convert(eps, "image/png")


def test_an_image_cut_short_is_refused_once_it_must_be_read() -> None:
    data = encoded(Image.effect_noise((2000, 50), 90))
    with pytest.raises(RequestError, match="damaged"):
        convert(data[: len(data) // 2], "image/png")


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]),
    place=st.integers(0, 150),
    junk=st.binary(min_size=1, max_size=12),
    cut=st.integers(0, 400),
)
def test_damage_is_an_error_of_the_request_and_never_of_ours(kind: str, place: int, junk: bytes, cut: int) -> None:
    data = bytearray(encoded(plain(40, 30), kind))
    data[place : place + len(junk)] = junk
    try:
        convert(bytes(data[:-cut] if cut else data), "image/x", max_size="20x20")
    except RequestError as error:
        assert str(error).endswith(".")


def test_pillow_is_imported_only_for_an_image() -> None:
    code = "import llms.media.inline, llms.media.images, sys; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_a_large_image_in_16_bits_of_grey_keeps_its_shade(mode: str) -> None:
    data = encoded(Image.new(mode, (300, 200), 32768), "TIFF")
    assert near(opened(convert(data, "image/tiff", max_size="30x20")[0]).getpixel((3, 3)), (128, 128, 128))


# -- previews and sizes ----------------------------------------------------------------------------------


def test_a_thumbnail_fits_inside_what_is_asked() -> None:
    data = encoded(plain(300, 200))
    for bounds, size in (((30, None), (30, 20)), ((None, 10), (15, 10)), ((30, 10), (15, 10))):
        found = thumbnail(data, width=bounds[0], height=bounds[1])
        assert found is not None
        assert opened(found).size == size


def test_an_image_that_fits_has_no_thumbnail() -> None:
    assert thumbnail(encoded(plain(30, 20)), width=30, height=20) is None


def test_a_thumbnail_of_a_bomb_is_refused() -> None:
    with pytest.raises(RequestError, match="megapixels"):
        thumbnail(png_header(2**14, MAX_PIXELS // 2**14 + 1), width=10, height=None)


def test_the_size_of_an_image_is_told_without_unpacking_it() -> None:
    assert size_of(png_header(8000, 8000)) == (8000, 8000)
    assert size_of(encoded(plain(3, 5), "JPEG")) == (3, 5)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"<svg/>", png_header(2**31 - 1, 2**31 - 1), b"\xff\xd8\xff" + b"x" * 99]
)
def test_what_is_no_image_has_no_size(data: bytes) -> None:
    assert size_of(data) is None
