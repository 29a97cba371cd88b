"""Tool calls and their results as every vendor wants them: each call answered once, right behind it."""

from typing import Any, cast

from llms.kernel.types import Json, Message

_UNANSWERED = "No result: the call was interrupted."


def complete_groups(messages: list[Message]) -> list[Message]:
    """`messages` with whole groups: an assistant's calls, then one result for each, in any order they were given.

    A result that stands elsewhere is moved to its call; a call without one gets a result that says so; a result that
    belongs to no call, or comes again, becomes a user's text. An id that some earlier call has gets a number, for most
    vendors take each only once. The list itself where all is well, as nearly always.
    """
    if _are_complete(messages):
        return messages
    results, used = _assigned(messages), set[str]()
    placed = {id(result) for group in results.values() for result in group if result is not None}
    whole: list[Message] = []
    for place, message in enumerate(messages):
        if message.get("role") != "tool":
            ids = [_unused(call, used) for call in _calls(message)]
            whole.append(_renamed(message, ids))
            whole += [_result(id, result) for id, result in zip(ids, results[place], strict=True)]
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
    used: set[str] = set()
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
            if len(waiting) < len(calls) or not used.isdisjoint(waiting):
                return False
            used |= waiting
    return not waiting


def _assigned(messages: list[Message]) -> dict[int, list[Message | None]]:
    """The result of each call, or None, by the place of the message that makes the calls and in their order.

    Some vendors give the same id in every turn: a result belongs to the latest such call that has none yet.
    """
    found: dict[int, list[Message | None]] = {}
    waiting: list[tuple[str, int, int]] = []  # id, place of the message, which of its calls
    for place, message in enumerate(messages):
        if message.get("role") != "tool":
            calls = _calls(message)
            found[place] = [None] * len(calls)
            waiting += reversed([(call, place, which) for which, call in enumerate(calls)])
            continue
        id = str(message.get("tool_call_id"))
        if (call := next((call for call in reversed(waiting) if call[0] == id), None)) is not None:
            waiting.remove(call)
            found[call[1]][call[2]] = message
    return found


def _calls(message: Message) -> list[str]:
    calls: Any = message.get("tool_calls")
    if message.get("role") != "assistant" or not isinstance(calls, list):
        return []
    return [str(call.get("id")) for call in calls if isinstance(call, dict)]


def _unused(call: str, used: set[str]) -> str:
    """`call`, or where that is used already, one like it; then it is used too."""
    id, number = call, 1
    while id in used:
        number += 1
        id = f"{call}_{number}"
    used.add(id)
    return id


def _renamed(message: Message, ids: list[str]) -> Message:
    """`message` with its calls under these ids."""
    if ids == _calls(message):
        return message
    changed, names = message.copy(), iter(ids)
    calls: list[Any] = list(message["tool_calls"])
    numbered: Any = [{**call, "id": next(names)} if isinstance(call, dict) else call for call in calls]
    changed["tool_calls"] = numbered
    return changed


def _result(call: str, result: Message | None) -> Message:
    if result is None:
        return {"role": "tool", "tool_call_id": call, "content": _UNANSWERED}
    return result if result.get("tool_call_id") == call else {**result, "tool_call_id": call}


def _as_text(result: Message) -> Message:
    """A result nobody asked for, as something the user says."""
    name = cast(Json, result).get("name")
    said: Json = {"type": "text", "text": f"[Result of the tool {name}]" if name else "[Result of a tool]"}
    return {"role": "user", "content": [said, *_parts(result.get("content"))]}


def _parts(content: Any) -> list[Json]:
    given = [content] if isinstance(content, str) else content or ()
    return [{"type": "text", "text": part} if isinstance(part, str) else part for part in given]
