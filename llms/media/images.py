"""Makes images smaller: for a model, for a preview. The formats are the ones that occur; none runs foreign code."""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from llms.kernel.errors import ConfigError, RequestError
from llms.media.types import by_magic

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 2**26  # 8192 x 8192: a few KB can unpack to any number of pixels, and each costs four bytes
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_NOT_FOR_PILLOW = ("image/heic", "image/avif")  # some models read them, not every Pillow does
_LARGEST_WEBP = 16383  # pixels on a side
_ORIENTATION = 0x0112
_FIX = "Send a PNG, JPEG, WebP or GIF."
_PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,  # "broken PNG file"
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Warning,  # where the interpreter makes errors of them
)


def convert(
    data: bytes,
    mime: str,
    *,
    max_size: str = "1536x1024",
    max_length: int = 1572864,
    before_unpacking: Callable[[int], None] | None = None,
) -> tuple[bytes, str]:
    """The image as a model may have it, with its real media type; `mime` is what its source says.

    One larger than `max_size` on a side, or longer than `max_length` in base64, is fitted inside both as WebP on
    white, upright. Any other comes back as the same object, and so does every image where Pillow is missing.
    `before_unpacking` is told how many pixels an image has that is not small at first sight, and may refuse it.
    Raises RequestError for what is no image or unpacks to too many pixels.
    """
    box = _box(max_size)
    known = by_magic(data)
    if not has_pillow():
        return data, known or mime
    if known in _NOT_FOR_PILLOW:
        return data, known
    import PIL.Image

    with _opened(BytesIO(data)) as image:
        pixels, is_short = image.width * image.height, base64_length(data) <= max_length
        _refuse_bomb(pixels)
        fits = is_short and max(image.size) <= min(box)
        if not fits and before_unpacking:
            before_unpacking(pixels)  # already to learn how a PNG is turned, Pillow unpacks it
        if fits or (is_short and _fits(image, box)):
            return data, known or PIL.Image.MIME[image.format or ""]
        return _shrunk(image, box, max_length), "image/webp"


def thumbnail(source: bytes | Path, *, width: int | None, height: int | None) -> bytes | None:
    """The image as WebP, upright, fitted inside `width` and `height`; None where it is no larger than that, or where
    Pillow is missing. Raises RequestError for what is no image or unpacks to too many pixels.
    """
    if not has_pillow():
        return None
    box = width or _LARGEST_WEBP, height or _LARGEST_WEBP
    with _opened(BytesIO(source) if isinstance(source, bytes) else source) as image:
        _refuse_bomb(image.width * image.height)
        return None if _fits(image, box) else _webp(_within(image, box))


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of the image as one sees it; None for what Pillow cannot tell. Unpacks nothing."""
    if not has_pillow():
        return None
    try:
        with _opened(BytesIO(data)) as image:
            is_turned = image.format != "PNG" and _turned(image)  # to learn it of a PNG, Pillow unpacks it
            return image.size[::-1] if is_turned else image.size
    except RequestError:
        return None


def has_pillow() -> bool:
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return False
    return True


@contextmanager
def _opened(source: BytesIO | Path) -> "Iterator[Image]":
    """The image, not yet unpacked. Whatever goes wrong with it inside the block is a RequestError."""
    import PIL.Image

    try:
        with closing(PIL.Image.open(source, formats=_FORMATS)) as image:  # frees the pixels, error or not
            yield image
    except PIL.UnidentifiedImageError as exc:
        raise RequestError(f"Not an image that can be read. {_FIX}") from exc
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as exc:
        raise _too_many_pixels() from exc
    except _PILLOW_ERRORS as exc:
        reason = str(exc).strip(" .") or type(exc).__name__
        raise RequestError(f"The image is damaged: {reason}. {_FIX}") from exc


def base64_length(data: bytes) -> int:
    return (len(data) + 2) // 3 * 4


def _box(max_size: str) -> tuple[int, int]:
    width, _, height = max_size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ConfigError(f"convert.image.max_size {max_size!r} is no size. Write it as '1536x1024'.")
    return min(int(width), _LARGEST_WEBP), min(int(height), _LARGEST_WEBP)


def _refuse_bomb(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> RequestError:
    return RequestError(f"The image has more than {MAX_PIXELS // 10**6} megapixels. Send a smaller one.")


def _turned(image: "Image") -> bool:
    """Whether the image is stored lying on its side."""
    return image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)


def _fits(image: "Image", box: tuple[int, int]) -> bool:
    width, height = image.size[::-1] if _turned(image) else image.size
    return width <= box[0] and height <= box[1]


def _within(image: "Image", box: tuple[int, int]) -> "Image":
    """The image, upright, fitted inside `box`."""
    from PIL import ImageOps

    if image.mode.startswith("I;16"):
        # Pillow would cut 16 bits of grey, not scale them; and few of its steps take them
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.mode in ("1", "P", "PA"):
        image = image.convert("RGBA")  # colours out of a palette cannot be mixed
    image.thumbnail(box[::-1] if _turned(image) else box)  # first of all: a JPEG is then only partly decoded
    image = ImageOps.exif_transpose(image)
    image.thumbnail(box)  # for formats that Pillow turned upright itself
    return image


def _shrunk(image: "Image", box: tuple[int, int], max_length: int) -> bytes:
    image = _on_white(_within(image, box))
    while base64_length(webp := _webp(image)) > max_length and max(image.size) > 1:
        image.thumbnail((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
    return webp


def _on_white(image: "Image") -> "Image":
    import PIL.Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    white = PIL.Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _webp(image: "Image") -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
