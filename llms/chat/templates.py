"""Chat requests from the templates of `defaults`, and what goes into them."""

import copy
from typing import Any, cast

from llms.kernel.errors import NotFound
from llms.kernel.types import Chat, Json


def chat_from_template(config: Json, template: str | None = None) -> Chat:
    """A copy of `defaults[template]`; nothing done to it reaches the template. `chat` means `text`."""
    name = {None: "text", "": "text", "chat": "text"}.get(template, template)
    found = (config.get("defaults") or {}).get(name)
    if not isinstance(found, dict):
        raise NotFound(f"Chat template '{template or name}' not found. Add it to `defaults` in llms.json.")
    chat = cast(Chat, copy.deepcopy(found))
    chat.setdefault("messages", [])
    return chat


def set_system_prompt(chat: Chat, prompt: str) -> None:
    """Puts a system message first."""
    chat["messages"].insert(0, {"role": "system", "content": prompt})


def set_user_text(chat: Chat, text: str) -> None:
    """Replaces the text of the last user message (the last part of a list), or appends one."""
    messages = chat["messages"]
    last: Any = messages[-1] if messages else None
    if not last or last.get("role") != "user":
        messages.append({"role": "user", "content": text})
    elif isinstance(last.get("content"), list) and last["content"]:
        last["content"][-1]["text"] = text
    else:
        last["content"] = text
