"""Asks those who offer a model for embeddings, as a chat is asked: one after another, until one answers."""

import os
from typing import Any, cast

from llms.chat.candidate import Candidate
from llms.chat.failover import first_answer
from llms.chat.routing import Routing
from llms.chat.strategies import strategy_in
from llms.kernel import foreign
from llms.kernel.errors import ProviderError, RequestError
from llms.kernel.types import Json


async def embedded(
    request: Json, routing: Routing, *, rounds: int, request_id: str = ""
) -> tuple[Json, Candidate, int]:
    """The answer to `request`, who gave it, and how many attempts that took. Raises LlmsError.

    As of a chat, its `metadata.strategy` and a `provider` that is a text say whom to ask first; they stay here.
    """
    check(request)
    asked = {name: value for name, value in request.items() if name != "metadata"}
    prefer = asked.pop("provider") if isinstance(asked.get("provider"), str) else None
    strategy = strategy_in(request.get("metadata"))
    candidates = await routing.candidates(request["model"], prefer=prefer, strategy=strategy)
    path = routing.path(request_id or os.urandom(16).hex(), streamed=False)

    async def attempt(candidate: Candidate) -> Json:
        path.calls()
        return cast(
            Json,
            await foreign.call_here(_ask, candidate, {**asked, "model": candidate.model}, extension=candidate.id),
        )

    answer = await first_answer(candidates, attempt, path=path, rounds=rounds, on_retry=_nobody)
    assert path.answering is not None
    return answer, path.answering, path.failures + 1


def check(request: Json) -> None:
    """Raises RequestError where `request` is not what OpenAI describes."""
    if not isinstance(request.get("model"), str) or not request["model"]:
        raise RequestError("`model` is missing. Name one that makes embeddings.", param="model")
    if not _is_input(request.get("input")):
        raise RequestError("`input` must be a text, a list of texts, or tokens, and not be empty.", param="input")
    if request.get("encoding_format") not in (None, "float", "base64"):
        raise RequestError("`encoding_format` must be 'float' or 'base64'.", param="encoding_format")
    dimensions = request.get("dimensions")
    if dimensions is not None and (isinstance(dimensions, bool) or not isinstance(dimensions, int) or dimensions < 1):
        raise RequestError("`dimensions` must be a whole number from 1.", param="dimensions")


def _is_input(given: Any) -> bool:
    if isinstance(given, str):
        return bool(given)
    if not isinstance(given, list) or not given:
        return False
    kinds = {type(one) for one in given}
    return kinds in ({str}, {int}) or (kinds == {list} and all(given))


async def _ask(candidate: Candidate, request: Json) -> Json:
    provider: Any = candidate.provider
    ask = getattr(provider, "embed", None)
    if ask is None:
        raise RequestError(
            f"Provider '{candidate.id}' makes no embeddings. Name a model of another one.", param="model"
        )
    answer = await ask(request)
    if not isinstance(answer, dict):
        raise ProviderError(f"Provider '{candidate.id}' answered with no embeddings. Try again.", provider=candidate.id)
    return answer


async def _nobody(_: str) -> None:
    """There is nobody to tell that another attempt follows."""
