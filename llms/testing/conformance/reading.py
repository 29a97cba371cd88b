"""The checks that only read: nothing of the extension runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from llms import __version__
from llms.host.manifest import FILE, Manifest
from llms.kernel.errors import ConfigError
from llms.testing.conformance import page
from llms.testing.conformance.report import Check, counted, listed
from llms.testing.conformance.requirements import own_names, unlisted
from llms.testing.conformance.source import Module, code_of
from llms.testing.conformance.uses import Use, uses


def read(folder: Path) -> Iterator[Check]:
    """Manifest, code, requirements, permissions, files and page."""
    manifest, told = _manifest(folder)
    yield told
    modules, told = _code(folder)
    yield told
    yield _requirements(folder, modules, manifest or Manifest())
    found = list(_uses(folder, modules))
    yield _permissions(folder, [use for use in found if use.permission != "files"], manifest)
    yield _files([use for use in found if use.permission == "files"], manifest)
    yield page.check(folder)


def _manifest(folder: Path) -> tuple[Manifest | None, Check]:
    try:
        manifest = Manifest.read(folder)
    except ConfigError as error:
        return None, Check.failed("manifest", str(error), "")
    if not (folder / FILE).is_file():
        fix = "Add one, so that people see what they install."
        return manifest, Check.skipped("manifest", f"There is no {FILE}.", fix)
    if why := manifest.why_not(__version__):
        return manifest, Check.failed("manifest", why, "")
    missing = [field for field in ("version", "llms", "description") if not getattr(manifest, field)]
    if missing:
        return manifest, Check.ok("manifest", f"{FILE} is in order.", f"It could also tell {listed(missing)}.")
    return manifest, Check.ok("manifest", f"{FILE} is in order.")


def _code(folder: Path) -> tuple[list[Module], Check]:
    modules, errors = [], []
    for file in code_of(folder):
        try:
            modules.append(Module.read(folder, file))
        except ConfigError as error:
            errors.append(str(error))
    if errors:
        return modules, Check.failed("code", " ".join(errors), "Correct it.")
    if not modules:
        return modules, Check.skipped("code", "There is no Python code.")
    return modules, Check.ok("code", f"{counted(len(modules), 'file')} of Python can be read.")


def _requirements(folder: Path, modules: Sequence[Module], manifest: Manifest) -> Check:
    try:
        missing = list(unlisted(folder, modules, manifest))
    except ConfigError as error:
        return Check.failed("requirements", str(error), "")
    if missing:
        told = listed(f"{found.name.partition('.')[0]} ({found.place})" for found in missing)
        fix = f"List its package in requirements.txt, or under `requirements` in {FILE}."
        return Check.failed("requirements", f"No requirement accounts for the import of {told}.", fix)
    return Check.ok("requirements", "Whatever it imports is its own, Python's, one of llms' own, or listed.")


def _uses(folder: Path, modules: Sequence[Module]) -> Iterator[Use]:
    """What needs a permission; the page included, which takes no code."""
    own = own_names(folder)
    for module in modules:
        yield from (use for use in uses(module) if use.what.partition(".")[0] not in own)
    if (folder / "ui/index.mjs").is_file():
        yield Use("ui", "a module for the page", "ui/index.mjs")


def _permissions(folder: Path, found: Sequence[Use], manifest: Manifest | None) -> Check:
    name, needed = "permissions", list(dict.fromkeys(use.permission for use in found))
    if manifest is None:
        return Check.skipped(name, f"{FILE} cannot be understood.")
    if needed and not (folder / FILE).is_file():
        fix = f"Add one that says `permissions = [{_quoted(needed)}]`."
        return Check.skipped(name, f"There is no {FILE} to declare them in.", fix)
    missing = [permission for permission in needed if permission not in manifest.permissions]
    if missing:
        first = {use.permission: use for use in reversed(found)}
        told = listed(f"{permission} ({first[permission]})" for permission in missing)
        return Check.failed(name, f"{FILE} does not declare {told}.", f"Add {_quoted(missing)} to `permissions`.")
    told = f"{FILE} declares what its code uses: {listed(needed)}." if needed else "Its code uses none."
    return Check.ok(name, told)


def _quoted(permissions: Sequence[str]) -> str:
    return ", ".join(f'"{permission}"' for permission in permissions)


def _files(found: Sequence[Use], manifest: Manifest | None) -> Check:
    """No more than a hint: which files are meant, reading does not tell."""
    name = "files"
    if not found:
        return Check.ok(name, "No call that changes files was seen.")
    if manifest is not None and "files" in manifest.permissions:
        return Check.ok(name, f"{FILE} declares `files`.")
    told = f"It changes files, and reading does not tell which: {listed(map(str, found))}."
    return Check.skipped(name, told, 'If any lies outside its own folder, add "files" to `permissions`.')
