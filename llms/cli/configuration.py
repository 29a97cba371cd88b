"""The configuration this run uses."""

import logging
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from llms.cli.output import note
from llms.kernel.config import Config
from llms.kernel.first_run import ensure_home
from llms.kernel.paths import Home

logger = logging.getLogger("llms.cli")


def load(home: Home, options: Namespace, environ: Mapping[str, str]) -> Config:
    """What `--config` and `--providers` name, else the files of `home`, which are made if they are missing."""
    for said in ensure_home(home):
        note(said)
    config = read(home, options, environ)
    for warning in config.warnings:
        logger.warning("%s", warning)
    return config


def read(home: Home, options: Namespace, environ: Mapping[str, str]) -> Config:
    """As `load`, but makes nothing and says nothing."""
    return Config.load(
        home,
        config_file=_path(options.config),
        providers_file=_path(options.providers),
        environ=environ,
    )


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
