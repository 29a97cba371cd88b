"""Chats, answers and streams of Gemini, and who is asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from llms.api import StreamAssembler
from llms.extensions.providers.gemini import GoogleProvider
from llms.extensions.providers.gemini_answer import GeminiTranslator
from llms.kernel.limits import Limits
from llms.providers.http import HttpClient

OLD = "gemini-2.5-flash"
NEW = "gemini-3.5-flash"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
LOOK_SAID = {"name": "look", "description": "Looks.", "parametersJsonSchema": {"type": "object"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
CALL_PART = {"functionCall": {"name": "look", "args": {"at": "sky"}, "id": "c1"}}
HI: Any = [{"role": "user", "content": "Hi"}]
USAGE = {
    "promptTokenCount": 10,
    "toolUsePromptTokenCount": 5,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 7,
    "totalTokenCount": 42,
}


def made(**entry: Any) -> GoogleProvider:
    return GoogleProvider(**{"id": "acme", "api_key": "key-0123456789", **entry})


@asynccontextmanager
async def connected(provider: GoogleProvider) -> AsyncIterator[GoogleProvider]:
    """`provider` with an HTTP client."""
    provider.http = HttpClient(Limits(client_timeout=10))
    try:
        yield provider
    finally:
        await provider.http.close()


def sent(*messages: Any, provider: Any = None, model: str = OLD, **chat: Any) -> Any:
    """The request body for a chat of these messages."""
    asked: Any = {"model": model, "messages": list(messages) or HI, **chat}
    return (provider or made()).request_body(asked, stream=False)


def parts(*messages: Any, model: str = OLD) -> Any:
    """What each turn holds, after `Hi`."""
    return [content["parts"] for content in sent(*HI, *messages, model=model)["contents"]][1:]


def answer(*parts: Any, reason: str | None = "STOP", **candidate: Any) -> Any:
    """One event, or a whole answer."""
    told = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **candidate}
    if reason:
        told["finishReason"] = reason
    return {"candidates": [told], "modelVersion": OLD, "responseId": "r1", "usageMetadata": USAGE}


def read(*events: Any) -> Any:
    """The completion that a stream of these events says."""
    translator, assembler = GeminiTranslator("Acme"), StreamAssembler()
    for event in events:
        for chunk in translator.feed(event):
            assembler.feed(chunk)
    return assembler.so_far()


def message(*parts: Any, **candidate: Any) -> Any:
    return read(answer(*parts, **candidate))["choices"][0]["message"]


def encoded(*events: Any) -> bytes:
    """Server-Sent Events as Google sends them."""
    return b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
