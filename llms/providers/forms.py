"""Borders at which what is formed otherwise than expected becomes an error that says so."""

from typing import Any

from llms.kernel.errors import LlmsError, ProviderError, RequestError

_ODD = (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError)


class _Border:
    """`with` this: an error that only data of another form can cause becomes one of ours."""

    __slots__ = ("_provider",)

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, exc: BaseException | None, _: Any) -> None:
        if isinstance(exc, _ODD) and not isinstance(exc, LlmsError):  # some of ours are ValueErrors too
            raise self._ours(exc) from exc

    def _ours(self, exc: BaseException) -> LlmsError:
        raise NotImplementedError


class Reading(_Border):
    """A vendor's answer is read inside: what is odd about it is the provider's fault."""

    __slots__ = ()

    def _ours(self, exc: BaseException) -> LlmsError:
        return ProviderError(
            f"{self._provider} answered in a form that cannot be read ({type(exc).__name__}: {exc}). "
            "Check its `api` URL and `npm`.",
            provider=self._provider,
        )


class Asking(_Border):
    """A chat is put in a vendor's words inside: what is odd about it is the caller's fault."""

    __slots__ = ()

    def _ours(self, exc: BaseException) -> LlmsError:
        return RequestError(
            f"{self._provider} cannot be told the chat as it is ({type(exc).__name__}: {exc}). "
            "Send it as OpenAI describes chats."
        )
