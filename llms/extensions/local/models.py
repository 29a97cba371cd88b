"""The models this machine can run: the demo weights, and every other `.gguf` in the models folder."""

import contextlib
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .gguf import GgufError, read_header
from .weights import SMOLLM2, Weights

DEMO_ID = "smollm2-135m-instruct"
DEMO_NAME = "SmolLM2 135M (tiny offline demo)"

_LARGEST_CONTEXT = 8192
"""Memory for a context is taken when the model loads; models trained for 128k tokens would take gigabytes."""
_UNKNOWN_CONTEXT = 2048
_LATER_SHARD = re.compile(r"-(?!0*1-of-)\d+-of-\d+$")
_FIRST_SHARD = re.compile(r"-0*1-of-\d+$")

log = logging.getLogger("llms.local")

Stamp = tuple[int, int]
"""Size and time of a file: another one means that its content may be another."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class LocalModel:
    """One model file and how to run it."""

    id: str
    name: str
    path: Path
    context: int
    """Tokens one request can use, prompt and answer together."""
    slots: int = 1
    """Requests answered at the same time; further ones wait."""
    stamp: Stamp = (0, 0)


def fingerprint(folder: Path) -> frozenset[tuple[str, Stamp]]:
    """Another one whenever a `.gguf` file of `folder` came, went, grew or was written anew. Opens no file."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return frozenset((entry.name, _stamp(entry)) for entry in entries if entry.name.lower().endswith(".gguf"))
    return frozenset()


def installed_models(folder: Path, *, tell: Tell = log.warning) -> list[LocalModel]:
    """The demo model first, if its weights are here; then the user's files, as far as they are models.

    `tell` gets a sentence for whatever had to be skipped.
    """
    models: dict[str, LocalModel] = {}
    demo = Weights(folder).find()
    if demo is not None:
        models[DEMO_ID] = LocalModel(DEMO_ID, DEMO_NAME, demo, context=2048, slots=4, stamp=_stamp(demo))
    for path in _gguf_files(folder, tell):
        try:
            model = _user_model(path, taken={DEMO_ID, *models})
        except GgufError as error:
            tell(f"Model file {path.name} skipped: {error}")
            continue
        if model is not None:
            models[model.id] = model
    return list(models.values())


def _stamp(file: os.DirEntry[str] | Path) -> Stamp:
    try:
        stat = file.stat()
    except OSError:  # just gone, or a link to nowhere
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _gguf_files(folder: Path, tell: Tell) -> list[Path]:
    """The user's files: neither ours, nor hidden, nor the later parts of a model in several files."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        tell(f"Models folder {folder} skipped ({error.strerror}): make it readable.")
        return []
    return [
        path
        for path in paths
        if path.suffix.lower() == ".gguf"
        and not path.name.startswith(".")
        and path.name != SMOLLM2.file_name
        and not _LATER_SHARD.search(path.stem)
        and path.is_file()
    ]


def _user_model(path: Path, *, taken: set[str]) -> LocalModel | None:
    header = read_header(path)
    if header.architecture == "clip":  # a projector: the eyes of another model, no model by itself
        return None
    stem = _FIRST_SHARD.sub("", path.stem)
    context = min(header.context_length or _UNKNOWN_CONTEXT, _LARGEST_CONTEXT)
    return LocalModel(_free_id(stem, taken), header.name or stem, path, context=context, stamp=_stamp(path))


def _free_id(stem: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-.") or "model"
    candidate, number = slug, 2
    while candidate in taken:
        candidate, number = f"{slug}-{number}", number + 1
    return candidate
