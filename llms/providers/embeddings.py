"""Texts turned into vectors, asked for and answered in OpenAI's words, whatever the vendor's are.

https://platform.openai.com/docs/api-reference/embeddings
"""

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from yarl import URL

from llms.kernel.errors import ProviderError, RequestError
from llms.kernel.types import Json
from llms.providers import bodies, replies
from llms.providers.http import HttpClient
from llms.providers.leftovers import Leftovers

_encode = msgspec.json.Encoder().encode
_FIELDS = frozenset(("model", "input", "dimensions", "encoding_format"))


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one answer holds: a vector for each text, as numbers or as base64, and what it cost in tokens."""

    vectors: list[Any]
    usage: Json = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingDialect:
    """How a vendor is asked for embeddings. No I/O.

    `url` is where, with `{api}` and `{model}` in it; `body` says a request in the vendor's words, its `input` being a
    list of `most` texts at most; `read` reads the answer. What a request has beside OpenAI's fields and `own` is left
    out; without `own`, everything is sent, tokens in place of texts too.
    """

    url: str
    body: Callable[[Json], Json]
    read: Callable[[Json], Embedded]
    most: int | None = None
    own: frozenset[str] | None = None

    def at(self, api: str, model: str) -> str:
        """The URL to ask `model` at."""
        return self.url.format(api=api, model=quote(model, safe=""))


class Embedder(Protocol):
    """What a provider has to have."""

    name: str
    http: HttpClient
    leftovers: Leftovers

    def embedding_dialect(self, model: str) -> EmbeddingDialect: ...
    def provider_model(self, model: str) -> str | None: ...
    def error_from(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError: ...
    async def embedding_destination(self, model: str, body: bytes) -> tuple[str | URL, Mapping[str, str]]: ...


async def embed(provider: Embedder, request: Json) -> Json:
    """The embeddings of the request's `input`, as OpenAI answers. Many texts are sent one batch after another.

    Raises RequestError for an `input` the vendor cannot be told, and whatever the exchange raises.
    """
    model = provider.provider_model(request["model"]) or request["model"]
    given: Json = {name: value for name, value in request.items() if value is not None}
    dialect = provider.embedding_dialect(model)
    if dialect.own is not None:
        provider.leftovers.rest(given, _FIELDS | dialect.own)
    batches = _batches({**given, "model": model}, dialect, provider.name)
    parts = [await _asked(provider, dialect, batch) for batch in batches]
    return _answer(parts, model)


async def _asked(provider: Embedder, dialect: EmbeddingDialect, request: Json) -> Embedded:
    body = _encode(dialect.body(request))
    url, headers = await provider.embedding_destination(request["model"], body)
    async with provider.http.post(url, headers=headers, body=body, provider=provider.name) as response:
        await bodies.raise_failure(response, provider.error_from)
        return _read(provider.name, dialect, await response.read(), request)


def _read(provider: str, dialect: EmbeddingDialect, body: bytes, request: Json) -> Embedded:
    answer, texts = replies.decode(body, provider=provider), request["input"]
    if error := replies.failure_inside(answer, provider=provider):
        raise error
    try:
        embedded = dialect.read(answer)
        if request.get("encoding_format") == "base64":
            embedded = replace(embedded, vectors=[_packed(vector) for vector in embedded.vectors])
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError, struct.error) as exc:
        raise ProviderError(
            f"{provider} answered without embeddings. Check its `api` URL and that the model makes them.",
            provider=provider,
        ) from exc
    if isinstance(texts, list) and texts and isinstance(texts[0], str) and len(embedded.vectors) != len(texts):
        raise ProviderError(
            f"{provider} answered with {len(embedded.vectors)} embeddings for {len(texts)} texts. Try again.",
            provider=provider,
        )
    return embedded


def _batches(request: Json, dialect: EmbeddingDialect, provider: str) -> Iterator[Json]:
    """`request` in pieces, each with as many texts as the vendor takes."""
    if dialect.own is None:
        yield request
        return
    given = request["input"]
    texts = [given] if isinstance(given, str) else given
    if not all(isinstance(text, str) for text in texts):
        raise RequestError(f"{provider} embeds texts, not tokens. Send `input` as text.", param="input")
    size = dialect.most or len(texts)
    for start in range(0, len(texts), size):
        yield {**request, "input": texts[start : start + size]}


def _answer(parts: list[Embedded], model: str) -> Json:
    vectors = [vector for part in parts for vector in part.vectors]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    usage = parts[0].usage if len(parts) == 1 else _sum(part.usage for part in parts)
    return {"object": "list", "data": data, "model": parts[0].model or model, "usage": usage}


def _packed(vector: Any) -> Any:
    """Numbers as OpenAI packs them: 32 bits each, the lowest byte first, in base64. What is a text already stays."""
    return vector if isinstance(vector, str) else base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _sum(usages: Iterator[Json]) -> Json:
    total: Json = {}
    for usage in usages:
        for name, count in usage.items():
            total[name] = total.get(name, 0) + count
    return total


def embedding_tokens(count: Any) -> Json:
    """Usage where all that is told is how many tokens were read; nothing where that is not."""
    return {"prompt_tokens": int(count), "total_tokens": int(count)} if isinstance(count, int | float) else {}


# -- OpenAI's own, which most vendors copy -------------------------------------------------------------------------


def _same(request: Json) -> Json:
    return request


def _read_openai(answer: Json) -> Embedded:
    data = sorted(answer["data"], key=lambda one: one.get("index") or 0)
    told = answer.get("usage") or {}
    usage = {
        **embedding_tokens(told.get("total_tokens")),
        **{name: value for name, value in told.items() if value is not None},
    }
    return Embedded([one["embedding"] for one in data], usage, answer.get("model") or "")


OPENAI_EMBEDDINGS = EmbeddingDialect(url="{api}/embeddings", body=_same, read=_read_openai)
