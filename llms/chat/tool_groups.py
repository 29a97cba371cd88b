"""Tool calls and their results as every vendor wants them: each call answered once, right behind it."""

from typing import Any, cast

from llms.kernel.types import Json, Message

_UNANSWERED = "No result: the call was interrupted."


def complete_groups(messages: list[Message]) -> list[Message]:
    """`messages` with whole groups: an assistant's calls, then one result for each, in any order they were given.

    A result that stands elsewhere is moved to its call; a call without one gets a result that says so; a result that
    belongs to no call, or comes again, becomes a user's text. The list itself where all is well, as nearly always.
    """
    if _are_complete(messages):
        return messages
    results = _by_call(messages)
    placed = {id(result) for result in results.values()}
    whole: list[Message] = []
    for message in messages:
        if message.get("role") != "tool":
            whole.append(message)
            whole += [results.pop(call) if call in results else _unanswered(call) for call in _calls(message)]
        elif id(message) not in placed:
            whole.append(_as_text(message))
    return whole


def for_glm(messages: list[Message]) -> list[Message]:
    """`messages` as GLM models take them: one system message, in front, and a user who speaks first."""
    system = [message for message in messages if message.get("role") in ("system", "developer")]
    rest = [message for message in messages if message.get("role") not in ("system", "developer")]
    if rest and rest[0].get("role") == "assistant":
        rest = [{"role": "user", "content": "Hello."}, *rest]
    if not system:
        return rest
    parts = [part for message in system for part in _parts(message.get("content"))]
    texts = [str(part.get("text") or "") for part in parts]
    return [{"role": "system", "content": "\n\n".join(filter(None, texts))}, *rest]


def _are_complete(messages: list[Message]) -> bool:
    waiting: set[str] = set()
    for message in messages:
        if message.get("role") == "tool":
            call = str(message.get("tool_call_id"))
            if call not in waiting:
                return False
            waiting.remove(call)
        elif waiting:
            return False
        elif message.get("tool_calls"):
            calls = _calls(message)
            waiting = set(calls)
            if len(waiting) < len(calls):
                return False
    return not waiting


def _by_call(messages: list[Message]) -> dict[str, Message]:
    """The first result of each call that some message before it makes."""
    made: set[str] = set()
    found: dict[str, Message] = {}
    for message in messages:
        made.update(_calls(message))
        call = str(message.get("tool_call_id"))
        if message.get("role") == "tool" and call in made:
            found.setdefault(call, message)
    return found


def _calls(message: Message) -> list[str]:
    calls: Any = message.get("tool_calls")
    if message.get("role") != "assistant" or not isinstance(calls, list):
        return []
    return [str(call.get("id")) for call in calls if isinstance(call, dict)]


def _unanswered(call: str) -> Message:
    return {"role": "tool", "tool_call_id": call, "content": _UNANSWERED}


def _as_text(result: Message) -> Message:
    """A result nobody asked for, as something the user says."""
    name = cast(Json, result).get("name")
    said: Json = {"type": "text", "text": f"[Result of the tool {name}]" if name else "[Result of a tool]"}
    return {"role": "user", "content": [said, *_parts(result.get("content"))]}


def _parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or ())
