"""Where one installation keeps its files."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llms.kernel.errors import RequestError
from llms.kernel.files import cannot_write

PACKAGE = Path(__file__).resolve().parents[1]
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
_LONGEST_NAME = 255  # bytes; what every file system we run on takes


@dataclass(frozen=True)
class Home:
    """The layout below `root`. Only names: nothing is created before `prepare`."""

    root: Path
    extensions_dir: Path | None = None  # set when user extensions live elsewhere
    package: Path = PACKAGE  # where the packaged JSON files, the UI and the built-in extensions are

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Home":
        """The home that LLMS_HOME, LLMS_EXTENSIONS_DIR and LLMS_ROOT describe; empty counts as unset."""
        extensions = environ.get("LLMS_EXTENSIONS_DIR")
        return cls(
            root=_absolute(environ.get("LLMS_HOME") or "~/.llms"),
            extensions_dir=_absolute(extensions) if extensions else None,
            package=_absolute(environ.get("LLMS_ROOT") or str(PACKAGE)),
        )

    @property
    def config_file(self) -> Path:
        return self.root / "llms.json"

    @property
    def providers_file(self) -> Path:
        return self.root / "providers.json"

    @property
    def extras_file(self) -> Path:
        return self.root / "providers-extra.json"

    @property
    def extensions(self) -> Path:
        return self.extensions_dir or self.root / "extensions"

    @property
    def lock_file(self) -> Path:
        """What is installed in `extensions`, and where each comes from."""
        return self.root / "extensions.lock"

    @property
    def crashes(self) -> Path:
        """Where we note which extension's code was running, in case the process dies."""
        return self.root / "crashes"

    @property
    def models(self) -> Path:
        """Where `*.gguf` files for the embedded runtime are looked for."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def user(self, name: str) -> Path:
        """The folder of user `name`. Raises RequestError unless the name is a plain file name."""
        if not is_plain_name(name):
            raise RequestError(
                f"User name {name!r} cannot be used. Choose one of letters, digits, '.', '-', '_' or '@'.",
                param="user",
            )
        return self.root / "user" / name

    def prepare(self) -> None:
        """Makes the home if it is missing, for its owner alone. Raises ConfigError if it is not writable."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()  # only writing tells: root has every permission
        except OSError as error:
            raise cannot_write(self.root, error) from error


def is_plain_name(name: str) -> bool:
    """Whether `name` is one path segment, on every system, and means nothing special there."""
    return (
        name not in ("", ".", "..")
        and name == name.strip()
        and not name.endswith(".")
        and not _NOT_IN_A_NAME.search(name)
        and len(name.encode()) <= _LONGEST_NAME
    )


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
