"""Where prompts are: in a JSON file of the user's, in one for everybody, or in the one that comes with llms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llms.api import ConfigError

if TYPE_CHECKING:
    from llms.api import ExtensionContext

Prompt = dict[str, Any]
FILE = "system_prompts/prompts.json"  # in a user's folder


class PromptStore:
    """Reads the files anew each time, so that what people edit is there at once."""

    def __init__(self, ctx: ExtensionContext, *, bundled: Path) -> None:
        self._ctx, self._bundled = ctx, bundled

    def of(self, user: str | None) -> list[Prompt]:
        """The first library there is for `user`. One that cannot be read is reported and passed over."""
        found: list[Prompt] | None = self._ctx.json_for_user(FILE, user, bundled=self._bundled, check=prompts_in)
        return found or []


def prompts_in(content: Any, file: Path) -> list[Prompt]:
    """The prompts that `file` holds. One without an `id` goes by its name. Raises ConfigError where it holds others."""
    if not isinstance(content, list):
        raise ConfigError(f'{file} holds no list. Write [{{"id": "…", "name": "…", "value": "…"}}].')
    for number, prompt in enumerate(content, 1):
        if not (
            isinstance(prompt, dict) and isinstance(prompt.get("name"), str) and isinstance(prompt.get("value"), str)
        ):
            raise ConfigError(f"prompt {number} in {file} is none. Give it a `name` and a `value`, both texts.")
    return [{"id": prompt["name"], **prompt} for prompt in content]
