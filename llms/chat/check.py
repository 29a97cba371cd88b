"""What is looked at before anybody is asked."""

from llms.chat.tool_choice import tools_of
from llms.kernel.errors import RequestError
from llms.kernel.types import Chat

LONGEST_NAME = 256  # characters of a model's name


def check(chat: Chat) -> None:
    """Raises RequestError where `chat` is nothing a provider could be asked."""
    model, messages = chat.get("model"), chat.get("messages")
    if not model:
        raise RequestError("Model not specified. Name one in `model`; `llms ls` shows them.", param="model")
    if not isinstance(model, str):
        raise RequestError("`model` must be a string.", param="model")
    if len(model) > LONGEST_NAME:
        raise RequestError(f"`model` is longer than {LONGEST_NAME} characters. Name a model.", param="model")
    if not isinstance(messages, list):
        raise RequestError("`messages` must be a list of messages.", param="messages")
    if not messages:
        raise RequestError("`messages` is empty. Send at least one message.", param="messages")
    for i, message in enumerate(messages):
        _check_message(message, f"messages[{i}]")
    tools_of(chat)


def _check_message(message: object, name: str) -> None:
    if not isinstance(message, dict):
        raise RequestError(f"`{name}` must be an object with `role` and `content`.", param="messages")
    if not isinstance(message.get("role"), str):
        raise RequestError(f"`{name}.role` must be a string such as 'user'.", param="messages")
    _check_calls(message.get("tool_calls"), name)
    content = message.get("content")
    if not isinstance(content, str | list | None):
        raise RequestError(f"`{name}.content` must be a string or a list of parts.", param="messages")
    if isinstance(content, list) and not all(isinstance(part, dict | str) for part in content):
        raise RequestError(f"`{name}.content` must hold objects, such as a part of type text.", param="messages")


def _check_calls(calls: object, name: str) -> None:
    if calls is None:
        return
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        why = f"`{name}.tool_calls` must be a list of calls, each with `id` and `function`."
        raise RequestError(why, param="messages")


def _is_call(call: object) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str | None):
        return False
    return any(isinstance(call.get(kind), dict) for kind in ("function", "custom"))
