"""models.dev as it was when this version was packaged: every provider that speaks a dialect we know."""

import gzip
import zlib
from pathlib import Path

from llms.kernel import files
from llms.kernel.catalog import Origin, split
from llms.kernel.errors import ConfigError
from llms.kernel.types import Json

NAME = "models-dev.json.gz"


def read(package: Path) -> tuple[Json, Origin]:
    """All of it, and its date; nothing where the packaged files come from a folder without it.

    It takes some tens of milliseconds, so ask only where something is missing. Raises ConfigError if it is damaged.
    """
    path = package / NAME
    if not path.exists():
        return {}, Origin()
    fix = "Install llms again."
    try:
        data = gzip.decompress(files.read_bytes(path))
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{path} is damaged: {error}. {fix}") from error
    return split(files.parse_json(data, name=NAME, fix=fix))
