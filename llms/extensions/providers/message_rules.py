"""What single vendors want of the messages they are sent. Each rule gives a message, and copies what it changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
_MISTRAL_ID = re.compile(r"[a-zA-Z0-9]{9}")
_LONGEST_ID = 40


def system_for_developer(message: Message) -> Message:
    """`developer` is OpenAI's own word for `system`."""
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def with_reasoning(message: Message) -> Message:
    """Earlier thoughts under the name `reasoning`."""
    if not (thought := message.get("reasoning_content")):
        return message
    return {"reasoning": thought, **{key: value for key, value in message.items() if key != "reasoning_content"}}


def without_thinking(message: Message) -> Message:
    """Without `thinking`, as models of these families call at other places what here is in `reasoning_details`."""
    return {key: value for key, value in message.items() if key != "thinking"} if "thinking" in message else message


def flat(message: Message) -> Message:
    """A content that is a list of texts as one text."""
    content = message.get("content")
    if not isinstance(content, list) or not all(_is_text(part) for part in content):
        return message
    return {**message, "content": "".join(part if isinstance(part, str) else part["text"] for part in content)}


def with_mistral_ids(message: Message) -> Message:
    """Ids of tool calls as Mistral takes them: nine letters or digits. The same id always becomes the same."""
    return _with_ids(message, _mistral_id)


def with_short_ids(message: Message) -> Message:
    """Ids of tool calls of at most 40 characters. The same id always becomes the same.

    Longer ones, such as vLLM's, are answered with 400: "string too long. Expected a string with maximum length 40".
    """
    return _with_ids(message, _short_id)


def with_mistral_documents(message: Message) -> Message:
    """Files as the documents that Mistral reads (https://docs.mistral.ai/capabilities/document_ai/document_qna/)."""
    content = message.get("content")
    if not isinstance(content, list) or not any(map(_is_file, content)):
        return message
    return {**message, "content": [_document(part) if _is_file(part) else part for part in content]}


def with_audio_as_data_uri(message: Message) -> Message:
    """Audio as a data URI in place of bare base64 (https://help.aliyun.com/zh/model-studio/qwen-omni)."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [_with_data_uri(part) for part in content]}


def _is_text(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and part.get("type") == "text" and "text" in part)


def _is_file(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "file" and isinstance(part.get("file"), dict)


def _document(part: Message) -> Message:
    file = part["file"]
    if "file_data" not in file:
        return {"type": "file", "file_id": file.get("file_id")}
    name = {"document_name": file["filename"]} if file.get("filename") else {}
    return {"type": "document_url", "document_url": file["file_data"], **name}


def _with_ids(message: Message, named: Callable[[Any], Any]) -> Message:
    if calls := message.get("tool_calls"):
        return {**message, "tool_calls": [{**call, "id": named(call.get("id"))} for call in calls]}
    if "tool_call_id" in message:
        return {**message, "tool_call_id": named(message["tool_call_id"])}
    return message


def _mistral_id(id: Any) -> str:
    return id if isinstance(id, str) and _MISTRAL_ID.fullmatch(id) else _hash(id)[:9]


def _short_id(id: Any) -> Any:
    return f"call_{_hash(id)[:32]}" if isinstance(id, str) and len(id) > _LONGEST_ID else id


def _hash(id: Any) -> str:
    return hashlib.sha256(str(id).encode()).hexdigest()


def _with_data_uri(part: Any) -> Any:
    audio = part.get("input_audio") if isinstance(part, dict) else None
    if not isinstance(audio, dict) or not isinstance(data := audio.get("data"), str):
        return part
    if data.startswith(("data:", "http://", "https://")):
        return part
    uri = {**audio, "data": f"data:audio/{audio.get('format') or 'wav'};base64,{data}"}
    return {**part, "input_audio": uri}
