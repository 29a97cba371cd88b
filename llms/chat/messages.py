"""What can be read from a chat and its answer. Pure: nothing here changes what it is given."""

import json
import time
from collections.abc import Iterator
from typing import Any, cast

from llms.kernel.types import Chat, Json, Message


def chat_to_prompt(chat: Chat) -> str:
    """All that the user said, joined with line ends."""
    return "\n".join(text for message in _messages(chat, "user") for text in _texts(message))


def chat_to_system_prompt(chat: Chat) -> str | None:
    """The text of the first system message, or None."""
    first = next(_messages(chat, "system"), None)
    return None if first is None else "\n".join(_texts(first))


def last_user_prompt(chat: Chat) -> str:
    """What the user said last: the last text of the last user message, or an empty text."""
    said = list(_messages(chat, "user"))
    texts = list(_texts(said[-1])) if said else []
    return texts[-1] if texts else ""


def chat_to_aspect_ratio(chat: Chat) -> str | None:
    """The aspect ratio of the image that the chat asks for, such as "16:9"; None where it does not say."""
    ratio = _dict(cast(Json, chat).get("image_config")).get("aspect_ratio")
    return ratio if isinstance(ratio, str) else None


def chat_response_to_message(response: Any) -> Message:
    """The message of an answer, with a `timestamp` in milliseconds.

    A bare choice, a bare message, a list of either and a plain text will do as well.
    """
    return cast(Message, {"role": "assistant", **_message_in(response), "timestamp": int(time.time() * 1000)})


def to_file_info(chat: Chat, info: Json | None = None, response: Json | None = None) -> Json:
    """What is worth knowing of a file that an answer to `chat` holds: `info` and, where it does not tell them, model,
    prompt, image settings, who asked and what it cost."""
    asked, answer = cast(Json, chat), response or {}
    known = {
        "model": asked.get("model") or answer.get("model"),
        "prompt": last_user_prompt(chat) or None,
        **_dict(asked.get("image_config")),
        "user": _dict(asked.get("metadata")).get("user"),
        "cost": answer.get("cost"),
    }
    return {**{key: value for key, value in known.items() if value is not None}, **(info or {})}


def parse_json_response(text: str) -> Any:
    """The JSON in a model's answer: the whole of it, what its code fence holds, or the first object or array in it.

    Raises ValueError where there is none.
    """
    starts = (i for i, character in enumerate(text) if character in "{[")
    try:
        for candidate in (text, _without_fence(text)):
            if (found := _decoded(candidate)) is not None:
                return found[0]
        for start in starts:
            if (found := _decoded(text, start)) is not None:
                return found[0]
    except RecursionError as exc:
        raise ValueError("The answer's JSON is nested too deeply to be read.") from exc
    raise ValueError(f"The answer holds no JSON: {text[:100]}")


def _decoded(text: str, start: int | None = None) -> tuple[Any] | None:
    """What `text` says as JSON, or with `start` what begins there, in a tuple; None where that is no JSON."""
    try:
        return (json.loads(text),) if start is None else (json.JSONDecoder().raw_decode(text, start)[0],)
    except json.JSONDecodeError:
        return None


def _without_fence(text: str) -> str:
    """The inside of the first code fence, whatever language it names; `text` where there is none."""
    _, fence, rest = text.partition("```")
    inside, closed, _ = rest.partition("```")
    if not fence or not closed:
        return text
    language, line_end, code = inside.partition("\n")
    return code if line_end and language.strip().isalnum() else inside


def _messages(chat: Chat, role: str) -> Iterator[Json]:
    messages = cast(Json, chat).get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") == role:
            yield message


def _texts(message: Json) -> Iterator[str]:
    """Every text in a message's content that is not empty."""
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part
        if isinstance(text, str) and text:
            yield text


def _message_in(response: Any) -> Json:
    if isinstance(response, str):
        return {"content": response}
    if isinstance(response, list):
        return _message_in(response[0]) if response else {"content": ""}
    given = _dict(response)
    for inner in ("choices", "message"):
        if inner in given:
            return _message_in(given[inner])
    return {"content": "", **given}


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
