"""Files an extension reads: its content, or None where there is no such file."""

import json
from pathlib import Path
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.paths import PACKAGE


def text_from_file(path: str | Path) -> str | None:
    """The UTF-8 text in `path`; None where it is absent."""
    try:
        return Path(path).read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Check that it is a UTF-8 text you may read.") from error


def json_from_file(path: str | Path) -> Any:
    """What the JSON in `path` says; None where it is absent. Raises ConfigError for what is no JSON."""
    text = text_from_file(path)
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}. Correct it.") from error


def text_from_resource(name: str) -> str | None:
    """The text of a file packaged with llms, such as `llms.json`; None where there is none."""
    file = (PACKAGE / name).resolve()
    return text_from_file(file) if file.is_relative_to(PACKAGE) and file.is_file() else None
