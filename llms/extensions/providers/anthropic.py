"""Anthropic's Messages API, at Anthropic, at Google, and at everybody who copies it.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

from yarl import URL

from llms.api import Chat, Completion, DialectProvider, schema_of

from .anthropic_answer import AnthropicTranslator, completion_from
from .anthropic_models import Generation, generation_of, thinking_for
from .anthropic_turns import Turns, own_metadata
from .closed_schema import closed
from .google_auth import GoogleToken, host_of

Json = dict[str, Any]

_MAX_TOKENS = 4096  # where neither the chat nor the catalogue tells
_OWN = (  # Anthropic's own fields, which a caller may give as they are
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "speed",
    "thinking",
    "top_k",
)
_SAMPLING = ("temperature", "top_p", "top_k")
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop"),
        *("tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "enable_thinking"),
        *("temperature", "top_p", "service_tier", "user", "safety_identifier", "output_config", "betas", *_OWN),
        *("metadata", "provider"),  # ours
    )
)
_ASKS_NOTHING: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "n": (1,),
        "store": (False,),
        "logprobs": (False,),
        "logit_bias": ({},),
        "presence_penalty": (0,),
        "frequency_penalty": (0,),
        "modalities": (["text"], []),
        "verbosity": ("medium",),
    }
)
_ON_OFF: Mapping[Any, str] = MappingProxyType({True: "medium", False: "none"})
_CHOICES = MappingProxyType({"auto": "auto", "none": "none", "required": "any"})
_TIERS = MappingProxyType({"auto": "auto", "default": "standard_only", "standard_only": "standard_only"})
_BETAS_OF_TOOLS = (  # the beginning of a tool's type, and what has to be switched on for it
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
    ("code_execution_20250522", "code-execution-2025-05-22"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("memory_", "context-management-2025-06-27"),
    ("mcp_toolset", "mcp-client-2025-11-20"),
    ("advisor_", "advisor-tool-2026-03-01"),
)


class AnthropicProvider(DialectProvider):
    """Claude at Anthropic. With an `api` of its own, any vendor that speaks this dialect.

    A beta that a request needs is switched on for it; others by the entry's header `anthropic-beta`, or by the
    chat's own `betas`.
    """

    sdk: ClassVar[str] = "@ai-sdk/anthropic"
    default_api: ClassVar[str | None] = "https://api.anthropic.com/v1"
    reads = ("application/pdf", "text/", "image/png", "image/jpeg", "image/gif", "image/webp")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/messages"
        self._authorize(kwargs.get("headers") or {})

    def _authorize(self, given: Mapping[str, str]) -> None:
        names = {name.lower() for name in given}
        if self.api_key and "authorization" not in names:
            self.headers.pop("Authorization", None)
            if "x-api-key" not in names:
                self.headers["x-api-key"] = self.api_key
        if "anthropic-version" not in names:
            self.headers["anthropic-version"] = "2023-06-01"

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[str | URL, Mapping[str, str]]:
        return self._url, with_betas(self.headers, chat)

    # -- the request -------------------------------------------------------------------------------------------

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        facts = self.model_info(chat["model"])
        generation = generation_of(chat["model"], facts)
        turns = Turns(asked.get("messages") or (), self.leftovers)
        limit = asked.get("max_completion_tokens") or asked.get("max_tokens") or _limit(facts)
        body: Json = {"model": chat["model"], "max_tokens": limit, "messages": turns.all()}
        body |= {name: asked[name] for name in (*_OWN, "temperature", "top_p") if name in asked}
        if turns.system:
            body["system"] = turns.system
        if stream:
            body["stream"] = True
        body |= self._tools(asked, generation)
        body |= self._limits(asked)
        body |= _container(asked)
        self._think(asked, body, generation, turns)
        self._shape(asked, body, generation)
        self._sample(body, generation)
        self.leftovers.rest((name for name in asked if _asks(name, asked[name])), _SAID)
        return body

    def _tools(self, asked: Json, generation: Generation) -> Json:
        """The tools, and which of them may or must be called. Anthropic's own stay as they are."""
        tools = [said for tool in asked.get("tools") or () if (said := self._tool(tool, generation))]
        if not tools and not asked.get("mcp_servers"):
            return {}
        choice = self._choice(asked.get("tool_choice"), generation)
        if asked.get("parallel_tool_calls") is False and (choice or {}).get("type") != "none":
            choice = {"type": "auto", **(choice or {}), "disable_parallel_tool_use": True}
        return {**({"tools": tools} if tools else {}), **({"tool_choice": choice} if choice else {})}

    def _tool(self, tool: Json, generation: Generation) -> Json | None:
        function = tool.get("function")
        if not isinstance(function, dict):
            if "custom" not in tool:
                return tool
            self.leftovers.leave_out("tools of type custom")
            return None
        given = {**tool, **function}
        if given.get("strict") and not generation.structured:
            self.leftovers.leave_out("tools.strict")
            del given["strict"]
        unsaid = ("type", "function", "parameters")
        said = {name: value for name, value in given.items() if name not in unsaid and value is not None}
        schema = {"type": "object", **(function.get("parameters") or {})}
        if given.get("strict"):
            schema, moved = closed(schema)
            self.leftovers.leave_out(*(f"tools.parameters.{name}" for name in moved))
        return {**said, "input_schema": schema}

    def _choice(self, asked: Any, generation: Generation) -> Json | None:
        named = asked.get("function") if isinstance(asked, dict) else None
        if isinstance(asked, str) and asked in _CHOICES:
            choice: Json = {"type": _CHOICES[asked]}
        elif isinstance(named, dict) and named.get("name"):
            choice = {"type": "tool", "name": named["name"]}
        elif isinstance(asked, dict) and asked.get("type") in ("auto", "any", "tool", "none"):
            choice = asked
        else:
            self.leftovers.leave_out(*(["tool_choice"] if asked else []))
            return None
        if choice["type"] in ("any", "tool") and not generation.forced:
            self.leftovers.leave_out("tool_choice")
            return {"type": "auto"}
        return choice

    def _limits(self, asked: Json) -> Json:
        """Where it stops, on whose account, and how fast."""
        said: Json = {}
        stops = [asked["stop"]] if isinstance(asked.get("stop"), str) else asked.get("stop") or []
        if taken := [stop for stop in stops if stop.strip()]:
            said["stop_sequences"] = taken
        if len(taken) < len(stops):
            self.leftovers.leave_out("stop at blanks")
        if user := asked.get("user") or asked.get("safety_identifier"):
            said["metadata"] = {"user_id": user}
        if tier := _TIERS.get(asked.get("service_tier", "")):
            said["service_tier"] = tier
        elif asked.get("service_tier"):
            self.leftovers.leave_out("service_tier")
        return said

    def _think(self, asked: Json, body: Json, generation: Generation, turns: Turns) -> None:
        """Says how hard to think. Anthropic's own words for it come first.

        It cannot think where it is forced to call a tool, nor, with a budget, where it did not think before the call
        whose result it is given.
        """
        if output := asked.get("output_config"):
            body["output_config"] = output
        effort = asked.get("reasoning_effort") or _ON_OFF.get(asked.get("enable_thinking"))
        if not effort or "thinking" in asked or "effort" in (output or {}):
            return
        said = thinking_for(effort, generation, body["max_tokens"])
        kind = ((said or {}).get("thinking") or {}).get("type")
        if said and kind == "adaptive" and _is_forced(body):
            del said["thinking"]
        if said is None or (kind == "enabled" and (_is_forced(body) or not turns.thinks_before_tools())):
            self.leftovers.leave_out("reasoning_effort")
            return
        config = {**(output or {}), **said.pop("output_config", {})}
        body |= said | ({"output_config": config} if config else {})

    def _shape(self, asked: Json, body: Json, generation: Generation) -> None:
        """Says what JSON to answer with. Any JSON is not enough: Anthropic wants to know which."""
        schema = schema_of(asked.get("response_format"))
        if schema and generation.structured:
            schema, moved = closed(schema)
            self.leftovers.leave_out(*(f"response_format.{name}" for name in moved))
            shape = {"type": "json_schema", "schema": schema}
            body["output_config"] = {**body.get("output_config", {}), "format": shape}
        elif schema is not None:
            self.leftovers.leave_out("response_format")

    def _sample(self, body: Json, generation: Generation) -> None:
        """Takes back what cannot be said beside thinking, or to this model at all; 1 means nothing to any of them."""
        thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
        for name in _SAMPLING:
            if name in body and body[name] != 1 and (thinks or not generation.samples):
                self._take_back(name, body)
        if body.get("temperature", 0) > 1:
            self.leftovers.leave_out("temperature above 1")
            body["temperature"] = 1
        if generation.one_sampling and "temperature" in body and "top_p" in body:
            self._take_back("top_p" if body["top_p"] == 1 or body["temperature"] != 1 else "temperature", body)

    def _take_back(self, name: str, body: Json) -> None:
        if body.pop(name) != 1:
            self.leftovers.leave_out(name)

    # -- the answer --------------------------------------------------------------------------------------------

    def completion(self, answer: Json) -> Completion:
        return completion_from(answer)

    def translator(self) -> AnthropicTranslator:
        return AnthropicTranslator()


def with_betas(headers: Mapping[str, str], chat: Mapping[str, Any]) -> Mapping[str, str]:
    """`headers`, and in them every beta that `chat` asks for or cannot do without."""
    needed = dict.fromkeys((*(chat.get("betas") or ()), *_needed(chat)))
    name = next((name for name in headers if name.lower() == "anthropic-beta"), "anthropic-beta")
    told = [beta.strip() for beta in headers.get(name, "").split(",") if beta.strip()]
    if fresh := [beta for beta in needed if beta not in told]:
        return {**headers, name: ",".join((*told, *fresh))}
    return headers


def _needed(chat: Mapping[str, Any]) -> Iterator[str]:
    kinds = [str(tool.get("type")) for tool in chat.get("tools") or ()]
    for beginning, beta in _BETAS_OF_TOOLS:
        if any(kind.startswith(beginning) for kind in kinds):
            yield beta
    if chat.get("mcp_servers") and "mcp_toolset" not in kinds:
        yield "mcp-client-2025-04-04"
    if management := chat.get("context_management"):
        edits = [str(edit.get("type")) for edit in management.get("edits") or ()]
        yield from {
            "compact-2026-01-12" if e.startswith("compact_") else "context-management-2025-06-27" for e in edits
        }
    if isinstance(chat.get("container"), dict) and chat["container"].get("skills"):
        yield "skills-2025-10-02"
    if any(_is_stored(part) for part in _parts(chat.get("messages") or ())):
        yield "files-api-2025-04-14"


def _parts(messages: Iterable[Any]) -> Iterator[Json]:
    for message in messages:
        if isinstance(content := message.get("content"), list):
            yield from (part for part in content if isinstance(part, dict))


def _is_stored(part: Json) -> bool:
    """Whether a part names a file that was given to Anthropic before."""
    holders = (part, part.get("file"), part.get("source"))
    return any(isinstance(holder, dict) and holder.get("file_id") for holder in holders)


def _limit(facts: Mapping[str, Any] | None) -> int:
    return ((facts or {}).get("limit") or {}).get("output") or _MAX_TOKENS


def _asks(name: str, value: Any) -> bool:
    return value not in _ASKS_NOTHING.get(name, ())


def _is_forced(body: Json) -> bool:
    return (body.get("tool_choice") or {}).get("type") in ("any", "tool")


def _container(asked: Json) -> Json:
    """Where code ran that called a tool of ours: told by the answer whose calls are answered now, and wanted again."""
    answer: Json = next((message for message in reversed(asked["messages"]) if message.get("role") != "tool"), {})
    kept = own_metadata(answer).get("container")
    if "container" in asked or not answer.get("tool_calls") or not isinstance(kept, dict) or not kept.get("id"):
        return {}
    return {"container": kept["id"]}


class VertexAnthropicProvider(AnthropicProvider):
    """Claude at Google (https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai).

    Project, location and credentials are told by the entry or the environment: see `GoogleToken`. With an `api`, a URL
    up to the version or up to the location, that is asked instead of Google. An `api_key` that is no credentials of
    Google's is sent as it is.
    """

    sdk: ClassVar[str] = "@ai-sdk/google-vertex/anthropic"

    def __init__(self, **kwargs: Any) -> None:
        self.token = GoogleToken(kwargs)
        told, api = str(kwargs.get("api_key") or ""), (kwargs.get("api") or "").strip("/")
        self.is_placed = bool(self.token.project) or "/projects/" in api
        api = api or f"https://{host_of(self.token.location)}/v1"
        if "/projects/" not in api:
            api = f"{api}/projects/{self.token.project}/locations/{self.token.location}"
        # models.dev lists the variables of the project, the location and the credentials as keys
        no_keys = ("", self.token.project, self.token.location, os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"))
        is_key = told not in no_keys and not told.startswith("{")
        super().__init__(**{**kwargs, "api": api, "api_key": told if is_key else None})

    def _authorize(self, given: Mapping[str, str]) -> None:
        """The key goes as a bearer token, which it does already, and the version into the body."""

    def validate(self, **_: Any) -> str | None:
        if not self.is_placed:
            return f"Provider '{self.name}' requires a project. Set `project`, or GOOGLE_CLOUD_PROJECT."
        return None if self._is_authorized() else self.token.problem()

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        body = super().request_body(chat, stream=stream)
        del body["model"]
        return {"anthropic_version": "vertex-2023-10-16", **body}

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[str | URL, Mapping[str, str]]:
        verb = "streamRawPredict" if stream else "rawPredict"
        model = quote(chat["model"], safe="@")
        url = URL(f"{self.api}/publishers/anthropic/models/{model}:{verb}", encoded=True)
        headers = self.headers
        if not self._is_authorized():
            headers = {**headers, "Authorization": f"Bearer {await self.token.bearer()}"}
        return url, with_betas(headers, chat)

    def _is_authorized(self) -> bool:
        return any(name.lower() == "authorization" for name in self.headers)
