"""Where the schemas of vendors' own tools are: in a file of the user's, in one for everybody, or beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llms.api import ConfigError

if TYPE_CHECKING:
    from llms.api import ExtensionContext

Schema = dict[str, Any]
FILE = "server-tools.json"  # in a user's folder
SCHEME = "tool://"


class ServerTools:
    """Reads the files anew each time, so that what people edit is there at once."""

    def __init__(self, ctx: ExtensionContext, *, bundled: Path) -> None:
        self._ctx, self._bundled = ctx, bundled

    def of(self, user: str | None) -> list[Schema]:
        """The first list there is for `user`. One that cannot be read is reported and passed over."""
        found: list[Schema] | None = self._ctx.json_for_user(FILE, user, bundled=self._bundled, check=schemas_in)
        return found or []


def schemas_in(content: Any, file: Path) -> list[Schema]:
    """The JSON Schemas that `file` holds. Raises ConfigError where one is none, or has no address."""
    if not isinstance(content, list):
        raise ConfigError(f"{file} holds no list. Write a list of JSON Schemas.")
    for number, schema in enumerate(content, 1):
        address = schema.get("$id") if isinstance(schema, dict) else None
        if not isinstance(address, str) or not address.startswith(SCHEME):
            raise ConfigError(
                f'schema {number} in {file} has no address. Give it an "$id" such as "tool://vendor/name".'
            )
        if not isinstance(schema.get("properties"), dict):
            raise ConfigError(f'{address} in {file} describes nothing. Give it "properties", "type" among them.')
    return content
