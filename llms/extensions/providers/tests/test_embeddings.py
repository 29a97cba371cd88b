"""Embeddings at vendors that do not copy OpenAI: what is sent, and what is read."""

from typing import Any

import pytest

from llms.api import EmbeddingDialect
from llms.extensions.providers.bedrock import BedrockProvider
from llms.extensions.providers.cohere import CohereProvider
from llms.extensions.providers.embeddings import COHERE, GOOGLE, OLLAMA, VERTEX, VOYAGE, VoyageProvider, on_bedrock
from llms.extensions.providers.ollama import OllamaNativeProvider

TITAN, ON_BEDROCK = on_bedrock("amazon.titan-embed-text-v2:0"), on_bedrock("us.cohere.embed-v4:0")
MODEL = "amazon.titan-embed-text-v2:0"
CONTENT = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 2, "taskType": "SEMANTIC_SIMILARITY"}


@pytest.mark.parametrize(
    ("dialect", "asked", "sent"),
    [
        (
            COHERE,
            {"model": "m", "dimensions": 2},
            {
                "model": "m",
                "texts": ["a"],
                "output_dimension": 2,
                "input_type": "search_document",
                "embedding_types": ["float"],
            },
        ),
        (
            COHERE,
            {"model": "m", "input_type": "search_query", "embedding_types": ["int8"], "truncate": "END"},
            {
                "model": "m",
                "texts": ["a"],
                "truncate": "END",
                "input_type": "search_query",
                "embedding_types": ["int8"],
            },
        ),
        (
            TITAN,
            {"model": "m", "dimensions": 2, "normalize": True},
            {"inputText": "a", "dimensions": 2, "normalize": True},
        ),
        (
            ON_BEDROCK,
            {"model": "m", "dimensions": 2},
            {"texts": ["a"], "input_type": "search_document", "output_dimension": 2},
        ),
        (
            ON_BEDROCK,
            {"model": "m", "embedding_types": ["int8"]},
            {"texts": ["a"], "input_type": "search_document", "embedding_types": ["int8"]},
        ),
        (
            GOOGLE,
            {"model": "m", "dimensions": 2, "taskType": "SEMANTIC_SIMILARITY"},
            {"requests": [{"model": "models/m", **CONTENT}]},
        ),
        (VERTEX, {"model": "m", "dimensions": 2, "taskType": "SEMANTIC_SIMILARITY"}, CONTENT),
        (
            OLLAMA,
            {"model": "m", "dimensions": 2, "keep_alive": 0},
            {"model": "m", "input": ["a"], "dimensions": 2, "keep_alive": 0},
        ),
        (
            VOYAGE,
            {"model": "m", "dimensions": 2, "encoding_format": "float"},
            {"model": "m", "input": ["a"], "output_dimension": 2},
        ),
        (
            VOYAGE,
            {"model": "m", "encoding_format": "base64"},
            {"model": "m", "input": ["a"], "encoding_format": "base64"},
        ),
    ],
)
def test_a_request_is_said_in_the_vendors_words(dialect: EmbeddingDialect, asked: Any, sent: Any) -> None:
    assert dialect.body({**asked, "input": ["a"]}) == sent


@pytest.mark.parametrize(
    ("dialect", "answer", "vectors", "tokens"),
    [
        (COHERE, {"embeddings": {"int8": [[1]]}, "meta": {"billed_units": {"input_tokens": 2}}}, [[1]], 2),
        (COHERE, {"embeddings": {"int8": [[1]], "float": [[0.5]]}}, [[0.5]], None),
        (TITAN, {"embedding": [0.5], "inputTextTokenCount": 3}, [[0.5]], 3),
        (ON_BEDROCK, {"embeddings": [[0.5], [1]]}, [[0.5], [1]], None),
        (
            GOOGLE,
            {"embeddings": [{"values": [1]}, {"values": [2]}], "usageMetadata": {"promptTokenCount": 4}},
            [[1], [2]],
            4,
        ),
        (VERTEX, {"embedding": {"values": [1]}}, [[1]], None),
        (OLLAMA, {"model": "m", "embeddings": [[1]], "prompt_eval_count": 5}, [[1]], 5),
        (VOYAGE, {"data": [{"index": 0, "embedding": "AAAA"}], "usage": {"total_tokens": 6}}, ["AAAA"], 6),
    ],
)
def test_an_answer_is_read(dialect: EmbeddingDialect, answer: Any, vectors: Any, tokens: int | None) -> None:
    embedded = dialect.read(answer)
    assert embedded.vectors == vectors
    assert embedded.usage == ({} if tokens is None else {"prompt_tokens": tokens, "total_tokens": tokens})


@pytest.mark.parametrize(
    ("dialect", "most"), [(TITAN, 1), (ON_BEDROCK, 96), (COHERE, 96), (GOOGLE, 100), (VERTEX, 1), (OLLAMA, None)]
)
def test_a_vendor_takes_only_so_many_texts_at_once(dialect: EmbeddingDialect, most: int | None) -> None:
    assert dialect.most == most


@pytest.mark.parametrize(
    ("dialect", "url"),
    [
        (GOOGLE, "http://x/models/m%2F1:batchEmbedContents"),
        (VERTEX, "http://x/publishers/google/models/m%2F1:embedContent"),
        (TITAN, "http://x/model/m%2F1/invoke"),
    ],
)
def test_the_model_stands_in_the_url_as_one_word(dialect: EmbeddingDialect, url: str) -> None:
    assert dialect.at("http://x", "m/1") == url


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        (CohereProvider(id="a"), "https://api.cohere.com/v2/embed"),
        (OllamaNativeProvider(id="a"), "http://localhost:11434/api/embed"),
        (VoyageProvider(id="a"), "https://api.voyageai.com/v1/embeddings"),
        (
            BedrockProvider(id="a", api_key="key-0123456789", region="us-east-1"),
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
        ),
    ],
)
async def test_a_vendor_is_asked_where_it_listens(provider: Any, url: str) -> None:
    where, _ = await provider.embedding_destination(MODEL, b"{}")
    assert str(where) == url


async def test_bedrock_wants_its_requests_signed() -> None:
    keys = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "x"}
    provider = BedrockProvider(id="a", region="us-east-1", **keys)
    _, headers = await provider.embedding_destination(MODEL, b"{}")
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
