"""A method that is a setting too."""

from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar, cast

Method = TypeVar("Method", bound=Callable[..., Any])


def setting_too(method: Method) -> Method:
    """Lets the name of `method` also be what it was before it was a method: the setting kept in `streams`.

    `provider.stream(chat)` streams; `if provider.stream:` and `provider.stream = False` are about the setting.
    """
    return cast(Method, _MethodAndSetting(method))


class _MethodAndSetting:
    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __get__(self, provider: Any, owner: type | None = None) -> Any:
        return self._method if provider is None else _Streaming(provider, self._method)

    def __set__(self, provider: Any, value: Any) -> None:
        provider.streams = bool(value)


class _Streaming(int):
    """1 or 0, as the setting says, so that it can stand in a request; called, it streams."""

    _method: MethodType

    def __new__(cls, provider: Any, method: Callable[..., Any]) -> "_Streaming":
        streaming = super().__new__(cls, bool(provider.streams))
        streaming._method = MethodType(method, provider)
        return streaming

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._method(*args, **kwargs)

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """Kept somewhere, it is the setting alone."""
        return int, (int(self),)
