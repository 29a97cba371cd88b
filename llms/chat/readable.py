"""Gives a model files in a form it can read: as they are, or as their text."""

from typing import Any, cast

from llms.kernel.types import Chat, Json, Message, Model
from llms.media.documents import Documents
from llms.media.encoded import from_data_uri, is_data_uri

PDF = "application/pdf"


async def readable(chat: Chat, provider: Any, model: Model | None, documents: Documents) -> Chat:
    """`chat`, each file in it that `model` of `provider` cannot read replaced by its text.

    A provider class tells with `reads` the media types (or their beginnings) that its dialect has a form for; a PDF
    stays one only where the model is not known to have no eyes for it. `chat` itself where nothing has to change.
    """
    reads = _reads(provider, model)
    messages = [await _readable(message, reads, documents) for message in chat["messages"]]
    if all(new is old for new, old in zip(messages, chat["messages"], strict=True)):
        return chat
    changed = chat.copy()
    changed["messages"] = messages
    return changed


def _reads(provider: Any, model: Model | None) -> tuple[str, ...]:
    types: tuple[str, ...] = tuple(getattr(provider, "reads", (PDF,)))
    known = ((model or {}).get("modalities") or {}).get("input")
    if not known or "pdf" in known:
        return types
    if known == ["text"]:
        return ()
    return tuple(type for type in types if type != PDF)


async def _readable(message: Message, reads: tuple[str, ...], documents: Documents) -> Message:
    content = message.get("content")
    if not isinstance(content, list) or not any(map(_is_file, content)):
        return message
    parts = [await _part(part, reads, documents) if _is_file(part) else part for part in content]
    if all(new is old for new, old in zip(parts, content, strict=True)):
        return message
    changed = message.copy()
    changed["content"] = parts
    return changed


async def _part(part: Json, reads: tuple[str, ...], documents: Documents) -> Json:
    given = part["file"]
    uri = given.get("file_data")
    if not isinstance(uri, str) or not is_data_uri(uri):
        return part  # it lies with the provider
    mime = uri[5:].partition(",")[0].partition(";")[0].lower()
    if mime.startswith(reads):
        return part
    name = str(given.get("filename") or "file")
    text = await documents.text(from_data_uri(uri).data, mime, name)
    return {"type": "text", "text": f'<file name="{_quoted(name)}">\n{text}\n</file>'}


def _is_file(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "file" and isinstance(cast(Json, part).get("file"), dict)


def _quoted(name: str) -> str:
    return name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
