"""How the vendors that do not copy OpenAI are asked for embeddings. No I/O."""

from __future__ import annotations

from typing import Any, ClassVar

from llms.api import Embedded, EmbeddingDialect, OpenAiCompatible, embedding_tokens

Json = dict[str, Any]


def _passed(request: Json, *names: str) -> Json:
    return {name: request[name] for name in names if name in request}


def _renamed(request: Json, name: str, own: str) -> Json:
    return {own: request[name]} if name in request else {}


# -- Cohere, also on Bedrock (https://docs.cohere.com/reference/embed) -----------------------------------------------

_COHERES = ("input_type", "embedding_types", "truncate", "output_dimension")


def _ask_cohere(request: Json) -> Json:
    """Cohere wants to know what for: to be searched, unless the request's own `input_type` says otherwise."""
    return {
        **_renamed(request, "dimensions", "output_dimension"),
        "model": request["model"],
        "texts": request["input"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        **_passed(request, *_COHERES),
    }


def _read_cohere(answer: Json) -> Embedded:
    """Of several types of vectors those of floats, else the first."""
    told = answer["embeddings"]
    vectors = (told.get("float") or next(iter(told.values()))) if isinstance(told, dict) else told
    billed = (answer.get("meta") or {}).get("billed_units") or {}
    return Embedded(vectors, embedding_tokens(billed.get("input_tokens")))


COHERE = EmbeddingDialect(
    url="{api}/embed",
    body=_ask_cohere,
    read=_read_cohere,
    most=96,
    own=frozenset(_COHERES),
)


# -- Bedrock, where each maker has words of its own. Amazon's Titan embeds one text at a time:
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html

_TITANS = ("dimensions", "normalize", "embeddingTypes")
_INVOKED = "{api}/model/{model}/invoke"


def _ask_cohere_on_bedrock(request: Json) -> Json:
    unsaid = ("model",) if "embedding_types" in request else ("model", "embedding_types")
    return {name: value for name, value in _ask_cohere(request).items() if name not in unsaid}


def _ask_titan(request: Json) -> Json:
    return {"inputText": request["input"][0], **_passed(request, *_TITANS)}


def _read_titan(answer: Json) -> Embedded:
    return Embedded([answer["embedding"]], embedding_tokens(answer.get("inputTextTokenCount")))


TITAN = EmbeddingDialect(url=_INVOKED, body=_ask_titan, read=_read_titan, most=1, own=frozenset(_TITANS))
COHERE_ON_BEDROCK = EmbeddingDialect(
    url=_INVOKED,
    body=_ask_cohere_on_bedrock,
    read=_read_cohere,
    most=96,
    own=frozenset(_COHERES),
)


def on_bedrock(model: str) -> EmbeddingDialect:
    """How `model` is asked for embeddings."""
    return COHERE_ON_BEDROCK if "cohere." in model else TITAN


# -- Google (https://ai.google.dev/api/embeddings) -------------------------------------------------------------------

_GOOGLES = frozenset(("taskType", "title", "autoTruncate"))


def _content(text: str, request: Json) -> Json:
    dimensions = _renamed(request, "dimensions", "outputDimensionality")
    return {"content": {"parts": [{"text": text}]}, **dimensions, **_passed(request, *sorted(_GOOGLES))}


def _ask_google(request: Json) -> Json:
    model = f"models/{request['model']}"
    return {"requests": [{"model": model, **_content(text, request)} for text in request["input"]]}


def _ask_vertex(request: Json) -> Json:
    return _content(request["input"][0], request)


def _read_google(answer: Json) -> Embedded:
    told = answer["embeddings"] if "embeddings" in answer else [answer["embedding"]]
    count = (answer.get("usageMetadata") or {}).get("promptTokenCount")
    return Embedded([one["values"] for one in told], embedding_tokens(count))


GOOGLE = EmbeddingDialect(
    url="{api}/models/{model}:batchEmbedContents",
    body=_ask_google,
    read=_read_google,
    most=100,
    own=_GOOGLES,
)
VERTEX = EmbeddingDialect(
    url="{api}/publishers/google/models/{model}:embedContent",
    body=_ask_vertex,
    read=_read_google,
    most=1,
    own=_GOOGLES,
)


# -- Ollama (https://docs.ollama.com/api/embed) ----------------------------------------------------------------------

_OLLAMAS = ("dimensions", "truncate", "options", "keep_alive")


def _ask_ollama(request: Json) -> Json:
    return _passed(request, "model", "input", *_OLLAMAS)


def _read_ollama(answer: Json) -> Embedded:
    return Embedded(answer["embeddings"], embedding_tokens(answer.get("prompt_eval_count")), answer.get("model") or "")


OLLAMA = EmbeddingDialect(
    url="{api}/api/embed",
    body=_ask_ollama,
    read=_read_ollama,
    own=frozenset(_OLLAMAS),
)


# -- Voyage (https://docs.voyageai.com/reference/embeddings-api) -----------------------------------------------------

_VOYAGES = ("input_type", "truncation", "output_dimension", "output_dtype")


def _ask_voyage(request: Json) -> Json:
    """Voyage knows no other format than base64; numbers are what it gives anyway."""
    packed = {"encoding_format": "base64"} if request.get("encoding_format") == "base64" else {}
    dimensions = _renamed(request, "dimensions", "output_dimension")
    return {**dimensions, **packed, **_passed(request, "model", "input", *_VOYAGES)}


def _read_voyage(answer: Json) -> Embedded:
    data = sorted(answer["data"], key=lambda one: one["index"])
    usage = embedding_tokens((answer.get("usage") or {}).get("total_tokens"))
    return Embedded([one["embedding"] for one in data], usage, answer.get("model") or "")


VOYAGE = EmbeddingDialect(
    url="{api}/embeddings",
    body=_ask_voyage,
    read=_read_voyage,
    most=1000,
    own=frozenset(_VOYAGES),
)


class VoyageProvider(OpenAiCompatible):
    """Voyage AI, which has embeddings and no chats."""

    sdk: ClassVar[str] = "voyage"
    default_api = "https://api.voyageai.com/v1"

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return VOYAGE
