"""The chat request that a command line asks for."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from llms.chat import templates
from llms.cli.fields import parse_fields
from llms.kernel.errors import ConfigError, NotFound, RequestError
from llms.kernel.types import Chat, Context, Json

_ATTACHMENTS = ("image", "audio", "file")


def is_chat(options: argparse.Namespace, words: list[str], piped: str) -> bool:
    """Whether the line asks for a chat at all."""
    return bool(options.chat or options.out or words or piped.strip() or _attached(options))


def wants_stdin(options: argparse.Namespace, words: list[str]) -> bool:
    """Whether piped text belongs to the request. `--chat` decides it alone, unless `-` asks for more."""
    return "-" in words or not options.chat


def build_chat(config: Json, options: argparse.Namespace, words: list[str], piped: str) -> Chat:
    """The request: a base (`--chat`, a piped request, or a template), then what the flags and words say."""
    text = " ".join(word for word in words if word != "-")
    request = None if options.chat else _piped_request(piped, alone=not text)
    prompt = "\n\n".join(filter(str.strip, (text, "" if request else piped.rstrip())))
    chat = _chat_file(Path(options.chat)) if options.chat else request or _template(config, options)
    if options.system is not None:
        templates.set_system_prompt(chat, options.system)
    if prompt:
        templates.set_user_text(chat, prompt)
    if options.model:
        chat["model"] = options.model
    if options.args:
        cast(Json, chat).update(parse_fields(options.args))
    for kind, source in _attached(options).items():
        _attach(chat, kind, source)
    _refuse_empty(chat)
    return chat


def build_context(options: argparse.Namespace) -> Context:
    """What travels with the request. Paths may be read: who types a command may read these files anyway."""
    return {
        "tools": options.tools or "all",
        "nohistory": options.nohistory or options.nostore,
        "nostore": options.nostore,
        "local_files": True,
    }


def _refuse_empty(chat: Chat) -> None:
    """Raises RequestError where the last message is the user's and says nothing."""
    last = chat["messages"][-1] if chat["messages"] else {"role": "user", "content": ""}
    content = last.get("content") or []
    silent = content if isinstance(content, str) else "".join(str(part.get("text", "?")) for part in content)
    if last.get("role") == "user" and not silent.strip():
        raise RequestError("The prompt is empty. Write it after `llms`, or pipe it in.")


# -- the base ------------------------------------------------------------------------------------------------------


def _template(config: Json, options: argparse.Namespace) -> Chat:
    if kind := next(iter(_attached(options)), None):
        return templates.chat_from_template(config, kind)
    if not options.out:
        return templates.chat_from_template(config)
    name = f"out:{options.out}"
    try:
        return templates.chat_from_template(config, name)
    except NotFound as error:
        raise NotFound(
            f"Template for output modality '{options.out}' not found. Add `{name}` to `defaults` in llms.json."
        ) from error


def _chat_file(path: Path) -> Chat:
    try:
        text = path.expanduser().read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"--chat: {path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--chat: {path} is not UTF-8 text. Save it as UTF-8.") from error
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--chat: {path} is not valid JSON: {error}. Correct it.") from error
    return _request(found, f"--chat: {path}")


def _piped_request(piped: str, *, alone: bool) -> Chat | None:
    """The chat request in `piped`, or None where it is text.

    Beside a prompt, JSON that is no chat request is text to talk about. `alone`, what begins like JSON must be one.
    """
    if not piped.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(piped)
    except (ValueError, RecursionError) as error:
        if not alone:
            return None
        raise RequestError(f"Invalid JSON from stdin: {error}. Correct it, or add a prompt about it.") from error
    return _request(found, "The JSON from stdin") if alone or "messages" in found else None


def _request(found: Any, name: str) -> Chat:
    if not isinstance(found, dict) or not _are_messages(found.get("messages")):
        raise RequestError(f'{name} is not a chat request. Give it `messages`: [{{"role": "user", "content": "Hi"}}].')
    return cast(Chat, found)


def _are_messages(found: Any) -> bool:
    return isinstance(found, list) and all(_is_message(message) for message in found)


def _is_message(found: Any) -> bool:
    content = found.get("content") if isinstance(found, dict) else 0
    if isinstance(content, list):
        return all(isinstance(part, dict) for part in content)
    return content is None or isinstance(content, str)


# -- attachments ---------------------------------------------------------------------------------------------------


def _attached(options: argparse.Namespace) -> Mapping[str, str]:
    return {kind: source for kind in _ATTACHMENTS if (source := getattr(options, kind))}


def _attach(chat: Chat, kind: str, source: str) -> None:
    """Points the first user message's part of this kind at `source`, or puts such a part first."""
    new = _part(kind, source)
    messages = cast(list[Json], chat["messages"])
    message = next((m for m in messages if m.get("role") == "user"), None)
    if message is None:
        messages.append({"role": "user", "content": [new]})
        return
    content = message.get("content")
    if not isinstance(content, list):
        content = message["content"] = [{"type": "text", "text": content}] if content else []
    known = next((part for part in content if part.get("type") == new["type"]), None)
    if known is None:
        content.insert(0, new)
    else:
        known[new["type"]] = {**(known.get(new["type"]) or {}), **new[new["type"]]}


def _part(kind: str, source: str) -> Json:
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": source}}
    if kind == "audio":
        return {"type": "input_audio", "input_audio": {"data": source, "format": "mp3"}}
    path = urlsplit(source).path if "://" in source else source.replace("\\", "/")
    return {"type": "file", "file": {"filename": path.rstrip("/").rpartition("/")[2] or "file", "file_data": source}}
