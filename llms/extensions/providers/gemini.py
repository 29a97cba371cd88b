"""Gemini in Google's own dialect, at Google AI and on Vertex AI.

https://ai.google.dev/api/generate-content
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, ClassVar, cast
from urllib.parse import quote

import aiohttp
from yarl import URL

from llms.api import (
    Chat,
    Completion,
    Context,
    Decoder,
    DialectProvider,
    EmbeddingDialect,
    Model,
    ProviderError,
    StreamAssembler,
    StreamCut,
    StreamEvent,
    schema_of,
)

from . import embeddings
from .gemini_answer import GeminiTranslator, NothingSaid
from .gemini_models import Generation, generation_of
from .gemini_stream import EventsOrArray
from .gemini_tools import camel, known, tools_of
from .gemini_turns import Turns
from .generators.catalog import GOOGLE
from .google_auth import GoogleToken, host_of, is_access_token

Json = dict[str, Any]

logger = logging.getLogger("llms.providers")

_TRIES = 3
_RETRY_DELAY = re.compile(rb'"retryDelay"\s*:\s*"([0-9.]+)s"')  # https://google.aip.dev/193#error_model
_INPUTS = ("text", "image", "audio", "video", "pdf")
_CONFIG = MappingProxyType(  # OpenAI's words for what stands in `generationConfig`
    {
        "temperature": "temperature",
        "top_p": "topP",
        "top_k": "topK",
        "max_tokens": "maxOutputTokens",
        "max_completion_tokens": "maxOutputTokens",
        "seed": "seed",
        "n": "candidateCount",
        "presence_penalty": "presencePenalty",
        "frequency_penalty": "frequencyPenalty",
        "top_logprobs": "logprobs",
        "media_resolution": "mediaResolution",
        "audio_timestamp": "audioTimestamp",
    }
)
_OWN = frozenset(("safetySettings", "cachedContent", "labels", "modelArmorConfig"))  # as they are
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "metadata", "provider", *_CONFIG, "logprobs", "stop"),
        *("tools", "tool_choice", "web_search_options", "response_format", "modalities", "audio", "service_tier"),
        *("reasoning_effort", "enable_thinking", "thinking_config", "speech_config", "image_config"),
        *("generation_config", "tool_config", "google", "extra_body"),
    )
)
_ASKS_NOTHING: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {"parallel_tool_calls": (True,), "store": (False,), "logit_bias": ({},), "verbosity": ("medium",)}
)
_TIERS = MappingProxyType({"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"})


class GeminiProvider(DialectProvider):
    """What is the same wherever Gemini is asked.

    The entry may say `safety_settings`, `thinking_config` and `speech_config` in Google's own words; each is a default
    for chats, which may say the same, and whatever else stands in a `generationConfig` or beside it.
    """

    reads = ("application/pdf", "text/", "image/", "audio/", "video/")
    combines_tools: ClassVar[bool] = False  # must be told that its own tools are used beside functions

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.safety_settings: Any = kwargs.get("safety_settings")
        self.thinking_config: Json = kwargs.get("thinking_config") or {}
        self.speech_config: Json | None = kwargs.get("speech_config")

    # -- the request -------------------------------------------------------------------------------------------

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        given = cast(Json, chat)
        extra = given.get("extra_body") or {}
        google = {**(extra.get("google") or {}), **(given.get("google") or {})}
        asked = {name: value for name, value in {**google, **given}.items() if value is not None}
        asked = {_snake(name): value for name, value in asked.items()}
        generation = generation_of(given["model"], self.model_info(given["model"]))
        turns = Turns(asked["messages"], generation=generation, files=self.api, leftovers=self.leftovers)
        body: Json = {"contents": turns.contents}
        if turns.system:
            body["systemInstruction"] = {"parts": turns.system}
        body |= tools_of(asked, generation, self.leftovers, combines=self.combines_tools)
        if config := self._config(asked, generation):
            body["generationConfig"] = config
        if safety := _safety(asked.pop("safety_settings", None) or self.safety_settings):
            body["safetySettings"] = safety
        body |= {camel(name): value for name, value in asked.items() if camel(name) in _OWN}
        body |= self._tier(asked.get("service_tier"))
        unsaid = (name for name, value in asked.items() if value not in _ASKS_NOTHING.get(name, ()))
        self.leftovers.rest((name for name in unsaid if camel(name) not in _OWN), _SAID)
        return body

    def _tier(self, tier: Any) -> Json:
        """How fast and how dear it shall be; `auto` leaves that to Google."""
        if tier in (None, "auto"):
            return {}
        if tier not in [*_TIERS]:
            self.leftovers.leave_out("service_tier")
            return {}
        return {"serviceTier": _TIERS[tier]}

    def _config(self, asked: Json, generation: Generation) -> Json:
        """How the answer shall be. What is said in Google's own `generationConfig` comes before all else."""
        config = {other: asked[name] for name, other in _CONFIG.items() if name in asked}
        if asked.get("logprobs"):
            config["responseLogprobs"] = True
        if stop := asked.get("stop"):
            config["stopSequences"] = [stop] if isinstance(stop, str) else stop
        schema = schema_of(asked.get("response_format"))
        if schema is not None:
            config["responseMimeType"] = "application/json"
        if schema:
            config["responseJsonSchema"] = known(schema)
        config |= self._media(asked)
        if thinking := self._thinking(asked, generation):
            config["thinkingConfig"] = thinking
        return config | {camel(name): value for name, value in (asked.get("generation_config") or {}).items()}

    def _media(self, asked: Json) -> Json:
        """In which ways it answers, and how that looks and sounds."""
        makes = ((self.model_info(asked["model"]) or {}).get("modalities") or {}).get("output") or ["text"]
        wanted = asked.get("modalities") or (makes if "text" not in makes else [])
        said: Json = {"responseModalities": [kind.upper() for kind in wanted]} if wanted else {}
        if image := asked.get("image_config"):
            said["imageConfig"] = {camel(name): value for name, value in image.items()}
        audio = asked.get("audio") or {}
        if audio.get("format") not in (None, "wav"):
            self.leftovers.leave_out("audio.format")
        speech = asked.get("speech_config") or self.speech_config
        if voice := audio.get("voice"):
            said["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
        elif speech and ("speech_config" in asked or "audio" in wanted):
            said["speechConfig"] = speech
        return said

    def _thinking(self, asked: Json, generation: Generation) -> Json:
        """How hard it shall think: the chat's own `thinking_config`, then its effort, then the entry's config."""
        told = {camel(name): value for name, value in (asked.get("thinking_config") or {}).items()}
        if "thinking_config" in asked and not told:
            return {}
        said = {camel(name): value for name, value in self.thinking_config.items()}
        effort = asked.get("reasoning_effort") or ("none" if asked.get("enable_thinking") is False else None)
        if effort:
            meant, is_exact = generation.thinking(effort)
            if not is_exact:
                self.leftovers.leave_out(f"reasoning_effort {effort}")
            said = _laid(said, meant)
        elif asked.get("enable_thinking"):
            said["includeThoughts"] = True
        return _laid(said, told)

    # -- the answer --------------------------------------------------------------------------------------------

    def completion(self, answer: Json) -> Completion:
        assembler = StreamAssembler()
        for chunk in self.translator().feed(answer):
            assembler.feed(chunk)
        completion = assembler.so_far()
        if not completion["choices"]:
            raise NothingSaid(f"{self.name} answered without any candidates. Try again.", provider=self.name)
        return completion

    def translator(self) -> GeminiTranslator:
        return GeminiTranslator(self.name)

    def decoder(self) -> Decoder:
        return EventsOrArray()

    def is_stream(self, response: aiohttp.ClientResponse) -> bool:
        """Google streams JSON too: one array, which grows."""
        return response.status < 300 and response.content_type != "text/html"

    def error_from(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """As everywhere, but Google tells in the body how long to wait."""
        error = super().error_from(status, headers, body)
        if error.retry_after is None and (found := _RETRY_DELAY.search(body)):
            error.retry_after = float(found[1])
        return error

    # -- asking again ------------------------------------------------------------------------------------------

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer. Asked for again, at most three times, where there was nothing in it."""
        tries = 0
        while True:
            tries += 1
            try:
                return await super().chat(chat, context)
            except ProviderError as error:
                chat = self._again(chat, error, tries)

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        """The answer as it comes. Asked for again, at most three times, where it ends before anything was said."""
        tries, has_begun = 0, False
        while True:
            tries += 1
            try:
                async with aclosing(super().stream(chat, context)) as answer:
                    async for events in answer:
                        has_begun = True
                        yield events
            except ProviderError as error:
                if has_begun:
                    raise
                chat = self._again(chat, error, tries)
            else:
                return

    def _again(self, chat: Chat, error: ProviderError, tries: int) -> Chat:
        """What to ask after `error`: the same, or without thinking where that was refused. Raises it otherwise."""
        if isinstance(error, NothingSaid | StreamCut) and tries < _TRIES:
            return chat
        is_refused = error.upstream_status == 400 and "thinking" in str(error).lower()
        if is_refused and self._thinks(chat):
            unthinking: Json = {"reasoning_effort": None, "enable_thinking": None, "thinking_config": {}}
            return cast(Chat, {**chat, **unthinking})
        raise error

    def _thinks(self, chat: Chat) -> bool:
        body = self.request_body(self.addressed(chat), stream=False)
        return "thinkingConfig" in body.get("generationConfig", {})


class GoogleProvider(GeminiProvider):
    """Gemini at Google AI. Takes every model named `gemini-…`, also one that it does not list. Imagen it asks too."""

    sdk: ClassVar[str] = "@ai-sdk/google"
    default_api: ClassVar[str | None] = "https://generativelanguage.googleapis.com/v1beta"
    combines_tools = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = {name.lower() for name in kwargs.get("headers") or ()}
        if self.api_key and not is_access_token(self.api_key):
            if "authorization" not in given:
                self.headers.pop("Authorization", None)
            if "x-goog-api-key" not in given:
                self.headers["x-goog-api-key"] = self.api_key
        for name, generator in GOOGLE.items():
            self.modalities.setdefault(name, generator(**kwargs))

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return embeddings.GOOGLE

    def provider_model(self, model: str) -> str | None:
        return super().provider_model(model) or self._stranger(model)

    def _stranger(self, model: str) -> str | None:
        """The id of a Gemini model that is not listed, unless the entry chooses which models there are."""
        id = model.rpartition("/")[2]
        is_unwanted = self.exclude_models and re.search(self.exclude_models, id)
        is_chosen = not self.map_models and (not self.include_models or re.search(self.include_models, id))
        return id if id.lower().startswith("gemini-") and is_chosen and not is_unwanted else None

    def model_info(self, model: str) -> Model | None:
        """What is known of `model`; of one that is not listed, what its name tells."""
        known = super().model_info(model)
        if known is None and (id := self._stranger(model)):
            known = _guessed(id)
        return known

    async def load(self) -> None:
        """With no models configured, Google tells which there are. Where it does not, there are none listed."""
        if self.models or not self.api_key:
            return
        try:
            url = f"{self.api}/models?pageSize=1000"
            async with self.http.get(url, headers=self.headers, provider=self.name) as response:
                found = (await self.response_json(response)).get("models") or ()
        except ProviderError as error:
            logger.info("%s lists no models: %s", self.id, error)
            return
        told = [
            _listed(model) for model in found if "generateContent" in (model.get("supportedGenerationMethods") or ())
        ]
        self.set_models(models={model["id"]: model for model in told})

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[str | URL, Mapping[str, str]]:
        return URL(f"{self.api}/{_path(chat['model'])}:{_verb(stream)}", encoded=True), self.headers


class VertexProvider(GeminiProvider):
    """Gemini on Vertex AI, in a project of Google Cloud, or in express mode with nothing but an API key.

    Who is asked for is told by the entry's `project` and `location`, or the environment: see `GoogleToken`. With an
    `api`, a URL up to the version or up to the location, that is asked instead of Google.
    """

    sdk: ClassVar[str] = "@ai-sdk/google-vertex"

    def __init__(self, **kwargs: Any) -> None:
        self.token = GoogleToken(kwargs)
        api = (kwargs.get("api") or f"https://{host_of(self.token.location)}/v1beta1").strip("/")
        super().__init__(**{**kwargs, "api": api})
        given = {name.lower() for name in kwargs.get("headers") or ()}
        if "authorization" not in given:
            self.headers.pop("Authorization", None)
        self.is_express = self._has_plain_key() and not self.token.is_told
        if self.is_express and self.api_key:
            self.headers.setdefault("x-goog-api-key", self.api_key)
        elif "/projects/" not in self.api and self.token.project:
            self.api = f"{self.api}/projects/{self.token.project}/locations/{self.token.location}"

    def set_models(self, **kwargs: Any) -> None:
        """Takes over those that speak this dialect: the catalogue has every model that is on Vertex."""
        models = {id: model for id, model in (kwargs.get("models") or {}).items() if _is_gemini(id, model)}
        super().set_models(**{**kwargs, "models": models})

    def validate(self, **_: Any) -> str | None:
        if self.is_express:
            return None
        if "/projects/" not in self.api:
            return f"Provider '{self.name}' requires `project` in its entry, or GOOGLE_VERTEX_PROJECT"
        return self.token.problem()

    async def destination(self, chat: Chat, body: bytes, *, stream: bool) -> tuple[str | URL, Mapping[str, str]]:
        url = f"{self.api}/publishers/google/{_path(chat['model'])}:{_verb(stream)}"
        return URL(url, encoded=True), await self._signed()

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return embeddings.VERTEX

    async def embedding_destination(self, model: str, body: bytes) -> tuple[str | URL, Mapping[str, str]]:
        url, _ = await super().embedding_destination(model, body)
        return url, await self._signed()

    async def _signed(self) -> Mapping[str, str]:
        if self.is_express or any(name.lower() == "authorization" for name in self.headers):
            return self.headers
        return {**self.headers, "Authorization": f"Bearer {await self.token.bearer()}"}

    def _has_plain_key(self) -> bool:
        """Whether the key is one that Google gives out for its APIs, and no other credential."""
        key = self.api_key or ""
        others = ("", self.token.project, self.token.location)  # may be found in the variables of its `env`
        return key not in others and not key.endswith(".json") and not key.startswith("{") and not is_access_token(key)

    def _tier(self, tier: Any) -> Json:
        if tier not in (None, "auto", "default", "standard"):
            self.leftovers.leave_out("service_tier")
        return {}


# -- names -----------------------------------------------------------------------------------------------------


def _guessed(id: str) -> Model:
    """What the name of a model tells of it."""
    made = ["audio"] if "-tts" in id else ["text", "image"] if "-image" in id else ["text"]
    return {"id": id, "name": id, "modalities": {"input": [*_INPUTS], "output": made}}


def _listed(told: Json) -> Model:
    """A model as Google lists it (https://ai.google.dev/api/models#Model)."""
    limit = {"context": told.get("inputTokenLimit") or 0, "output": told.get("outputTokenLimit") or 0}
    facts = _guessed(told["name"].removeprefix("models/"))
    more = {"name": told.get("displayName") or facts["id"], "reasoning": bool(told.get("thinking")), "limit": limit}
    return cast(Model, {**facts, **more, "tool_call": facts["modalities"]["output"] == ["text"]})


def _verb(stream: bool) -> str:
    return "streamGenerateContent?alt=sse" if stream else "generateContent"


def _path(model: str) -> str:
    """Where a model is: `models/<id>`, unless its id says that it is elsewhere."""
    kind, slash, id = model.partition("/")
    if slash and kind in ("models", "tunedModels", "endpoints"):
        return f"{kind}/{quote(id, safe='')}"
    return f"models/{quote(model, safe='')}"


def _is_gemini(id: str, model: Model) -> bool:
    own = model.get("id") or id
    is_googles = "/" not in own or own.startswith(("models/", "endpoints/"))
    return is_googles and not own.startswith("claude")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", name)


# -- what a request says ---------------------------------------------------------------------------------------


def _safety(told: Any) -> Any:
    """Google's list of settings; an object with the thresholds by category says the same."""
    if isinstance(told, dict):
        return [{"category": category, "threshold": threshold} for category, threshold in told.items()]
    return told


def _laid(config: Json, over: Json) -> Json:
    """`config` with `over` laid over it. A level and a budget exclude each other."""
    if {"thinkingLevel", "thinkingBudget"} & over.keys():
        config = {name: value for name, value in config.items() if name not in ("thinkingLevel", "thinkingBudget")}
    return {**config, **over}
