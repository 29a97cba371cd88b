"""OpenAI: Chat Completions, and the Responses API for what only that can do.

https://platform.openai.com/docs/guides/migrate-to-responses
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any, ClassVar, cast

from llms.api import Chat, Completion, ConfigError, Context, OpenAiCompatible, StreamEvent, VendorProvider

from .responses import ResponsesProvider
from .responses_items import is_from
from .vendors import VENDORS

Json = dict[str, Any]
_RESPONSES_FIELDS = frozenset(  # whoever says one of these means that API
    (
        *("background", "context_management", "conversation", "include", "instructions", "max_output_tokens"),
        *("max_tool_calls", "previous_response_id", "prompt", "reasoning", "text", "truncation"),
    )
)
_ONLY_IN_RESPONSES = re.compile(  # models that Chat Completions answers with 404
    r"""-pro(?:-\d|$)    # o1-pro, o3-pro, gpt-5-pro: think in several turns for one answer
      | codex            # made for agents: gpt-5-codex, codex-mini-latest
      | -deep-research   # do nothing without a tool that the vendor runs
      | computer-use     # has a tool of its own that Chat Completions does not know
    """,
    re.VERBOSE,
)
# What Chat Completions answers with 400: "Function tools with reasoning_effort are not supported … use /v1/responses".
_THINKS_OR_CALLS = re.compile(r"(?:^|/)gpt-(?:5\.[2-9]|[6-9])")
_SHARED = ("api", "api_key", "headers", "http", "leftovers", "modalities", "name", "resolve", "settings", "table")


class WithResponses(OpenAiCompatible):
    """A provider that has the Responses API beside Chat Completions. A chat that needs it goes there.

    The entry's `responses` says when: `true` (always), `false` (never) or `"auto"`, the default: where the chat has a
    tool, a field or earlier reasoning that only this API knows, or its model is served nowhere else. `chat_tools` are
    the types of tools that Chat Completions knows.
    """

    chat_tools: ClassVar[frozenset[str]] = frozenset(("function", "custom"))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.responses: Any = kwargs.get("responses", "auto")
        if self.responses not in (True, False, "auto"):
            raise ConfigError(f'{self.name} has an unknown `responses`. Set it to true, false or "auto".')
        self._forgotten = ResponsesProvider.replays - self.replays  # what Chat Completions must not be shown
        self.replays = self.replays | ResponsesProvider.replays
        self._beside = ResponsesProvider(**{**kwargs, "api": self.api, "modalities": None})

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        if self.needs_responses(chat):
            return await self.beside().chat(chat, context)
        return await super().chat(chat, context)

    def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        if self.needs_responses(chat):
            return self.beside().stream(chat, context)
        return super().stream(chat, context)

    def beside(self) -> ResponsesProvider:
        """This provider as it is asked through the Responses API."""
        own = vars(self)
        vars(self._beside).update({name: own[name] for name in _SHARED if name in own}, chat_url=self.responses_url())
        return self._beside

    def responses_url(self) -> str:
        return f"{self.api}/responses"

    def needs_responses(self, chat: Chat) -> bool:
        """Whether `chat` goes to the Responses API, whose answers have no sound."""
        if self.responses is False or isinstance(chat.get("audio"), dict):
            return False
        if self.responses is True:
            return True
        tools, issuer = chat.get("tools") or (), self.beside().issuer
        return (
            not _RESPONSES_FIELDS.isdisjoint(chat)
            or not all(map(self._is_chat_tool, tools))
            or self._is_served_there(chat, with_tools=bool(tools))
            or any(is_from(issuer, cast(Json, message)) for message in chat["messages"])
        )

    def _is_chat_tool(self, tool: Json) -> bool:
        kind = tool.get("type")
        return kind in self.chat_tools and (kind not in ("function", "custom") or kind in tool)

    def _is_served_there(self, chat: Chat, *, with_tools: bool) -> bool:
        model = (self.provider_model(chat["model"]) or chat["model"]).lower()
        if _ONLY_IN_RESPONSES.search(model):
            return True
        if not with_tools or _THINKS_OR_CALLS.search(model) is None:
            return False
        return {**self.settings, **chat}.get("reasoning_effort") != "none"

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        body = super().request_body(chat, stream=stream)
        if any(not self._forgotten.isdisjoint(message) for message in body["messages"]):
            body["messages"] = [
                {name: value for name, value in message.items() if name not in self._forgotten}
                for message in body["messages"]
            ]
        return body


class OpenAiProvider(WithResponses, VendorProvider):
    """OpenAI, or whoever its entry's `api` belongs to. A chat's `modalities` are for its own audio alone."""

    sdk: ClassVar[str] = "@ai-sdk/openai"
    default_api: ClassVar[str | None] = "https://api.openai.com/v1"
    vendors = VENDORS

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        body = super().request_body(chat, stream=stream)
        if not isinstance(body.get("audio"), dict):
            body.pop("modalities", None)
        return body
