"""Previews of cached images, kept beside them: `<sha256>_<w>w_<h>h.webp`."""

import logging
from pathlib import Path
from typing import NamedTuple

from llms.kernel.errors import LlmsError
from llms.kernel.files import write_atomic
from llms.media.images import thumbnail
from llms.media.names import is_addressed

MAX_VARIANTS = 24  # of one image: a caller could ask for every size there is
logger = logging.getLogger("llms.media")


class Variant(NamedTuple):
    """How large a preview may be; None is no bound. Its image keeps its proportions and is never enlarged."""

    width: int | None
    height: int | None

    @classmethod
    def parse(cls, text: str) -> "Variant | None":
        """The variant that `width=100,height=50`, or one half of it, means; None for anything else."""
        sizes: dict[str, int] = {}
        for pair in text.split(",", 2):
            side, _, pixels = pair.strip().partition("=")
            is_number = pixels.isascii() and pixels.isdigit() and len(pixels) <= 5 and int(pixels) > 0
            if side not in cls._fields or side in sizes or not is_number:
                return None
            sizes[side] = int(pixels)
        return cls(sizes.get("width"), sizes.get("height"))

    def place(self, file: Path) -> Path | None:
        """Where this variant of `file` is kept; None where there can be none: of what may change, of a preview."""
        if not is_addressed(file) or "_" in file.stem:
            return None
        sizes = [f"{pixels}{side}" for pixels, side in ((self.width, "w"), (self.height, "h")) if pixels]
        return file.with_name("_".join([file.stem, *sizes]) + ".webp")

    def of(self, file: Path) -> Path:
        """The preview of `file`, made if need be; `file` itself where none can be made."""
        place = self.place(file)
        if place is None or place.exists():
            return place or file
        try:
            return place if self._made(file, place) else file
        except LlmsError as error:
            logger.info("No preview of %s: %s", file.name, error)
            return file

    def _made(self, file: Path, place: Path) -> bool:
        if len(list(file.parent.glob(f"{file.stem}_*.webp"))) >= MAX_VARIANTS:
            return False
        preview = thumbnail(file, width=self.width, height=self.height)
        if preview is not None:
            write_atomic(place, preview)
        return preview is not None
