"""Request settings that a provider's entry in llms.json may hold."""

from collections.abc import Mapping
from typing import Any


class _Setting:
    """One request setting as an attribute; None where it is not set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, provider: Any, owner: type | None = None) -> Any:
        return self if provider is None else provider.settings.get(self._name)

    def __set__(self, provider: Any, value: Any) -> None:
        if value is None:
            provider.settings.pop(self._name, None)
        else:
            provider.settings[self._name] = value


def _setting() -> Any:
    return _Setting()


class RequestSettings:
    """Defaults for the requests of one provider. `settings` has those that are set; each is an attribute too."""

    frequency_penalty: float | None = _setting()
    presence_penalty: float | None = _setting()
    temperature: float | None = _setting()
    top_p: float | None = _setting()
    max_completion_tokens: int | None = _setting()
    n: int | None = _setting()
    seed: int | None = _setting()
    top_logprobs: int | None = _setting()
    parallel_tool_calls: bool | None = _setting()
    store: bool | None = _setting()
    enable_thinking: bool | None = _setting()
    prompt_cache_key: Any = _setting()
    reasoning_effort: Any = _setting()
    safety_identifier: Any = _setting()
    service_tier: Any = _setting()
    stop: Any = _setting()
    verbosity: Any = _setting()

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.settings = {name: entry[name] for name in REQUEST_SETTINGS if entry.get(name) is not None}


REQUEST_SETTINGS = (*RequestSettings.__annotations__,)
