"""A plan as text, for the person who has to agree to it."""

from collections.abc import Iterator, Mapping, Sequence

from llms.cli.answer import visible
from llms.host.install.plan import Plan

_MOST_LINES = 20
_COLUMN = 14


def describe(plan: Plan) -> str:
    """Where it comes from, what is in it, what it asks for, and what that changes."""
    lines = [plan.name, *_facts(plan), *_requirements(plan), *_differences(plan)]
    for note in plan.notes:
        lines += _row("note", [note])
    for why in plan.refusals:
        lines += _row("refused", [why])
    return "\n".join(map(visible, lines))


def one_line(text: str) -> str:
    """`text`, which somebody else wrote, as it can be shown on a line."""
    return visible(" ".join(text.split()))


def _facts(plan: Plan) -> Iterator[str]:
    manifest = plan.manifest
    yield from _row("from", [str(plan.source)])
    yield from _row("version" if plan.source.kind == "package" else "commit", [plan.commit])
    yield from _row("files", [f"{len(plan.tree.files)}, {_size(plan.tree.size)}"])
    yield from _row("extensions", [", ".join(plan.provides)])
    yield from _row("says it is", [f"{manifest.id} {manifest.version}"])
    yield from _row("works with", [f"llms {manifest.llms}" if manifest.llms else ""])
    yield from _row("description", [manifest.description])
    yield from _row("homepage", [manifest.homepage])
    yield from _row("permissions", [", ".join(manifest.permissions) or "none declared"])


def _requirements(plan: Plan) -> Iterator[str]:
    resolution = plan.resolution
    place = "into its own folder" if resolution.outcome == "overlay" else "beside the server"
    yield from _row("needs", _versions(resolution.present, "is there"))
    yield from _row("installs", _versions(resolution.new, place))


def _differences(plan: Plan) -> Iterator[str]:
    difference = plan.difference
    if difference is None:
        return
    yield from _row("replaces", [difference.commit])
    yield from _row("history", ["was rewritten"] if difference.subjects is None else difference.subjects)
    yield from _row("changes", difference.files)
    yield from _row("permissions", difference.permissions)
    yield from _row("requires", difference.requirements)


def _row(title: str, values: Sequence[str]) -> Iterator[str]:
    """The values below each other, beside the title. None at all for none."""
    shown = [line for value in values if (line := one_line(value))]
    if len(shown) > _MOST_LINES:
        shown = [*shown[: _MOST_LINES - 1], f"and {len(shown) - _MOST_LINES + 1} more"]
    for number, value in enumerate(shown):
        yield f"  {title if number == 0 else '':<{_COLUMN}}{value}"


def _versions(versions: Mapping[str, str], where: str) -> list[str]:
    return [f"{name} {version} ({where})" for name, version in sorted(versions.items())]


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
