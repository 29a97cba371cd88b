"""xAI: Chat Completions, and the Responses API for the tools that xAI runs itself (https://docs.x.ai/docs/overview)."""

from typing import ClassVar

from llms.api import VendorProvider

from .openai import WithResponses
from .vendors import XAI


class XaiProvider(WithResponses, VendorProvider):
    """xAI. Its older live search is a tool of Chat Completions."""

    sdk: ClassVar[str] = "@ai-sdk/xai"
    default_api: ClassVar[str | None] = XAI.api
    vendor = XAI
    chat_tools: ClassVar[frozenset[str]] = frozenset(("function", "live_search"))
