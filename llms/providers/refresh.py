"""Brings providers.json up to date with models.dev: on request, or while serving, once a day.

What was there stays until something that is known to be sound takes its place, in one step.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from llms.kernel import catalog, files, schema, snapshot
from llms.kernel.catalog import Origin
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError, LlmsError, ProviderTimeout, ProviderUnreachable, StreamCut
from llms.kernel.types import Json
from llms.providers.http import HttpClient

logger = logging.getLogger("llms.providers")
TIMEOUT = 30.0  # seconds for the whole of it; it is a few megabytes
MAX_BYTES = 64 * 2**20  # some ten times what it is
AFTER_START = 300.0  # seconds that a server runs before it looks whether there is anything to do


async def update(config: Config, http: HttpClient) -> list[str]:
    """Replaces providers.json by what models.dev says of the providers in llms.json; says what is worth knowing.

    Where models.dev cannot be had, what came with this version takes its place if that is newer. Raises ConfigError,
    and leaves the file as it was, if there is nothing newer.
    """
    try:
        fresh, origin = await _fetched(config, http)
    except ConfigError as error:
        packaged, origin = await asyncio.to_thread(snapshot.read, config.home.package)
        if not _is_newer(origin, config.origin):
            since = f" of {config.origin.date}" if config.origin.date else ""
            raise ConfigError(f"{error} {config.providers_file.name}{since} stays as it was.") from error
        said = await _taken(config, packaged, origin, addresses=True)
        return [str(error), f"The catalogue that came with this version was taken instead, of {origin.date}.", *said]
    return await _taken(config, fresh, origin, addresses=True)


async def keep_fresh(config: Config, http: HttpClient, *, every: float = AFTER_START) -> None:
    """Never ends. Updates the home's providers.json when it is older than `catalog.refresh_hours`.

    Only facts about models change by this, not the places where keys are sent. A failure is logged, and the next try
    is as many hours away. `LLMS_DISABLE_UPDATE=1`, or 0 hours, stops it; so does a providers.json named on the line.
    """
    next_try = 0.0
    while True:
        await asyncio.sleep(every)
        hours = _hours(config)
        if not hours or time.monotonic() < next_try or _age(config) < hours * 3600:
            continue
        next_try = time.monotonic() + hours * 3600
        try:
            fresh, origin = await _fetched(config, http)
            said = await _taken(config, fresh, origin, addresses=False)
        except LlmsError as error:
            logger.info("The catalogue stays as it is: %s", error)
        else:
            logger.info("The catalogue is up to date. %s", " ".join(said))


def _hours(config: Config) -> float:
    is_home = config.providers_file == config.home.providers_file
    if not is_home or config.environ.get("LLMS_DISABLE_UPDATE") == "1":
        return 0
    return float((config.data.get("catalog") or {}).get("refresh_hours", schema.Catalog().refresh_hours))


def _age(config: Config) -> float:
    """Seconds since the file was written; 0 where there is none."""
    try:
        return time.time() - config.providers_file.stat().st_mtime
    except OSError:
        return 0


def _is_newer(one: Origin, other: Origin) -> bool:
    """Whether `one` is the younger catalogue. A file that tells no date is its owner's, and not replaced unasked."""
    return bool(one.date and other.date and one.date > other.date)


# -- fetching ------------------------------------------------------------------------------------------------------


async def _fetched(config: Config, http: HttpClient) -> tuple[Json, Origin]:
    """The providers at `catalog.url`, unchecked. Raises ConfigError if that has no catalogue for us."""
    url = (config.data.get("catalog") or {}).get("url") or schema.Catalog().url
    try:
        async with asyncio.timeout(TIMEOUT):
            body = await _body(http, url)
    except TimeoutError as error:
        raise ConfigError(f"{url} did not send its catalogue within {TIMEOUT:g} s. Try again later.") from error
    except LlmsError as error:
        raise ConfigError(f"No catalogue could be had from {url}: {_reason(error)} Try again later.") from error
    data = await asyncio.to_thread(
        partial(files.parse_json, body, name=url, fix="That is no catalogue: check `catalog.url` in llms.json.")
    )
    providers, _ = catalog.split(data)
    return providers, Origin(f"{datetime.now(UTC):%Y-%m-%d}", url)


async def _body(http: HttpClient, url: str) -> bytes:
    """What `url` answers. Raises LlmsError; redirects are not followed."""
    async with http.get(url, headers={"Accept": "application/json", "User-Agent": "llms"}, provider=url) as response:
        if response.status != 200:
            raise ConfigError(f"it answers {response.status} {response.reason or ''}".rstrip() + ".")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ConfigError(f"it sends more than {MAX_BYTES // 2**20} MB.")
        return bytes(body)


def _reason(error: LlmsError) -> str:
    """What `error` means here: its own words are about a provider of llms.json."""
    reasons = {
        ProviderTimeout: "it does not answer.",
        ProviderUnreachable: "it cannot be reached.",
        StreamCut: "it broke off in the middle.",
    }
    return next((reason for kind, reason in reasons.items() if isinstance(error, kind)), str(error))


# -- replacing -----------------------------------------------------------------------------------------------------


async def _taken(config: Config, fresh: Json, origin: Origin, *, addresses: bool) -> list[str]:
    """Writes providers.json anew. Raises ConfigError, and writes nothing, if `fresh` has nothing that can be used."""
    wanted = frozenset(catalog.looked_up(config.data))
    work = partial(_replace, config.providers_file, fresh, origin, wanted=wanted, addresses=addresses)
    return await asyncio.to_thread(work)


def _replace(path: Path, fresh: Json, origin: Origin, *, wanted: frozenset[str], addresses: bool) -> list[str]:
    with files.lock(path):
        old, _ = catalog.split(files.read_json(path, fix="Run `llms --reset providers`."))
        result, said = catalog.taken_over(old, fresh, wanted=wanted, addresses=addresses, problem=_problem)
        usable = [id for id in result if id in fresh and not _problem(fresh[id])]
        if not usable:
            nothing = f"{origin.source} has nothing usable on the providers in llms.json."
            raise ConfigError(" ".join([nothing, *said, f"Check `catalog.url`. {path.name} stays as it was."]))
        files.write_atomic(path, catalog.to_bytes(result, origin))
    return said


def _problem(provider: Any) -> str | None:
    """What is wrong with one provider of a catalogue that comes from the network."""
    return schema.problem(provider, schema.CatalogEntry) or schema.problem(
        provider.get("models") or {}, dict[str, schema.CatalogModel]
    )
