"""Every vendor that speaks OpenAI's dialect and is in something unlike OpenAI. One row each: to add one, add a row."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from llms.api import Vendor, VendorProvider

from .generators import catalog
from .listing import listed
from .message_rules import (
    flat,
    system_for_developer,
    with_audio_as_data_uri,
    with_mistral_documents,
    with_mistral_ids,
    with_reasoning,
    with_short_ids,
    without_thinking,
)

_MAX_TOKENS = MappingProxyType({"max_completion_tokens": "max_tokens"})  # the older name is the one they know
_REASONING = frozenset(("reasoning_content",))
_REASONING_DETAILS = frozenset(("reasoning_details", "reasoning"))
_DETAIL_FORMATS = frozenset(  # https://openrouter.ai/docs/use-cases/reasoning-tokens
    (
        *("anthropic-claude-v1", "azure-openai-responses-v1", "google-gemini-v1", "openai-responses-v1", "unknown"),
        "xai-responses-v1",
    )
)


def _knows(*, of_answers: tuple[str, ...] = (), of_tools: tuple[str, ...] = ()) -> Mapping[str, frozenset[str]]:
    """The fields of a message by role, for a vendor that refuses any other."""
    said = ("role", "content")
    prompt, answer = frozenset(said), frozenset((*said, "tool_calls", *of_answers))
    tool = frozenset((*said, "tool_call_id", *of_tools))
    return MappingProxyType({"developer": prompt, "system": prompt, "user": prompt, "assistant": answer, "tool": tool})


_MISTRAL = Vendor(  # https://docs.mistral.ai/api/endpoint/chat; a field it does not know is answered with 422
    name="Mistral",
    sdks=("@ai-sdk/mistral",),
    hosts=("api.mistral.ai",),
    api="https://api.mistral.ai/v1",
    renames=MappingProxyType({"max_completion_tokens": "max_tokens", "seed": "random_seed"}),
    refuses=frozenset(
        ("logit_bias", "logprobs", "safety_identifier", "service_tier", "store", "top_logprobs", "user", "verbosity")
    ),
    values=MappingProxyType({"tool_choice": MappingProxyType({"required": "any"})}),
    messages=(system_for_developer, with_mistral_ids, with_mistral_documents),
    knows=_knows(of_answers=("prefix",), of_tools=("name",)),
    reads=("application/pdf", "application/vnd.openxmlformats-officedocument."),
    generators=catalog.MISTRAL,
)

XAI = Vendor(  # https://docs.x.ai/docs/api-reference#chat-completions
    name="xAI", hosts=("api.x.ai",), api="https://api.x.ai/v1", replays=_REASONING, generators=catalog.XAI
)

OPENAI = Vendor(  # `max_tokens` is refused by every model that reasons, `max_completion_tokens` by none
    name="OpenAI",
    hosts=("api.openai.com",),
    renames=MappingProxyType({"max_tokens": "max_completion_tokens"}),
    messages=(with_short_ids,),
    generators=catalog.OPENAI,
)

AZURE = replace(OPENAI, name="Azure", hosts=(), generators=MappingProxyType({}))
OLDER_AZURE = replace(AZURE, renames=_MAX_TOKENS)  # versions before 2024-09-01, whose models did not reason

VENDORS = (
    Vendor(
        name="Groq",  # https://console.groq.com/docs/openai: the fields below are answered with 400
        sdks=("@ai-sdk/groq",),
        hosts=("api.groq.com",),
        api="https://api.groq.com/openai/v1",
        refuses=frozenset(("logit_bias", "logprobs", "n", "top_logprobs")),
        knows=_knows(of_answers=("reasoning",)),
        generators=catalog.GROQ,
    ),
    _MISTRAL,
    replace(
        _MISTRAL,
        name="Codestral",
        sdks=("codestral",),
        hosts=("codestral.mistral.ai",),
        api="https://codestral.mistral.ai/v1",
    ),
    Vendor(
        name="DeepSeek",  # https://api-docs.deepseek.com/guides/thinking_mode: thoughts go back in a tool loop
        sdks=("@ai-sdk/deepseek",),
        hosts=("api.deepseek.com",),
        api="https://api.deepseek.com",
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
        replays=_REASONING,
    ),
    Vendor(
        name="OpenRouter",  # https://openrouter.ai/docs/use-cases/reasoning-tokens
        sdks=("@openrouter/ai-sdk-provider",),
        hosts=("openrouter.ai",),
        api="https://openrouter.ai/api/v1",
        messages=(without_thinking,),
        replays=_REASONING_DETAILS,
        formats=_DETAIL_FORMATS,
        caches=True,
        generators=catalog.OPENROUTER,
    ),
    Vendor(
        name="Vercel AI Gateway",
        sdks=("@ai-sdk/gateway",),
        hosts=("ai-gateway.vercel.sh",),
        api="https://ai-gateway.vercel.sh/v1",
        messages=(without_thinking,),
        replays=_REASONING_DETAILS,
        formats=_DETAIL_FORMATS,
        caches=True,
    ),
    Vendor(name="Vercel", sdks=("@ai-sdk/vercel",), hosts=("api.v0.dev",), api="https://api.v0.dev/v1"),
    Vendor(
        name="Together",
        sdks=("@ai-sdk/togetherai",),
        hosts=("api.together.xyz", "api.together.ai"),
        api="https://api.together.xyz/v1",
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
    ),
    Vendor(
        name="Fireworks",
        sdks=("@fireworks/ai-sdk-provider", "@ai-sdk/fireworks"),
        hosts=("api.fireworks.ai",),
        api="https://api.fireworks.ai/inference/v1",
        renames=_MAX_TOKENS,
        replays=_REASONING,
        generators=catalog.FIREWORKS,
    ),
    Vendor(
        name="Cerebras",  # https://inference-docs.cerebras.ai/resources/openai
        sdks=("@ai-sdk/cerebras",),
        hosts=("api.cerebras.ai",),
        api="https://api.cerebras.ai/v1",
        refuses=frozenset(("frequency_penalty", "logit_bias", "presence_penalty", "service_tier")),
        messages=(system_for_developer, flat, with_reasoning),
        replays=frozenset(("reasoning", "reasoning_content")),
    ),
    Vendor(
        name="Deep Infra",
        sdks=("@ai-sdk/deepinfra",),
        hosts=("api.deepinfra.com",),
        api="https://api.deepinfra.com/v1/openai",
        renames=_MAX_TOKENS,
    ),
    Vendor(
        name="Perplexity",  # https://docs.perplexity.ai/api-reference/chat-completions-post
        sdks=("@ai-sdk/perplexity",),
        hosts=("api.perplexity.ai",),
        api="https://api.perplexity.ai",
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
    ),
    Vendor(
        name="NVIDIA",
        hosts=("integrate.api.nvidia.com",),
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
        generators=catalog.NVIDIA,
    ),
    Vendor(
        name="Hugging Face",
        sdks=("@ai-sdk/huggingface",),
        hosts=("router.huggingface.co",),
        api="https://router.huggingface.co/v1",
        messages=(system_for_developer,),
    ),
    Vendor(
        name="Chutes",
        hosts=("llm.chutes.ai",),
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
        generators=catalog.CHUTES,
    ),
    Vendor(
        name="Z.ai",  # https://docs.z.ai/guides/capabilities/thinking-mode
        hosts=("api.z.ai", "open.bigmodel.cn"),
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
        replays=_REASONING,
        generators=catalog.ZAI,
    ),
    Vendor(
        name="Alibaba",
        sdks=("@ai-sdk/alibaba",),
        hosts=("aliyuncs.com",),
        api="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        renames=_MAX_TOKENS,
        messages=(system_for_developer, with_audio_as_data_uri),
        caches=True,
    ),
    Vendor(
        name="Moonshot",  # https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
        sdks=("@ai-sdk/moonshotai",),
        hosts=("api.moonshot.ai", "api.moonshot.cn"),
        api="https://api.moonshot.ai/v1",
        renames=_MAX_TOKENS,
        messages=(system_for_developer,),
        replays=_REASONING,
    ),
    Vendor(
        name="MiniMax",  # https://platform.minimax.io/docs/guides/text-m2-function-call
        hosts=("api.minimax.io", "api.minimaxi.com"),
        messages=(system_for_developer, without_thinking),
        replays=_REASONING | _REASONING_DETAILS,
        formats=frozenset(("MiniMax-response-v1",)),
    ),
    Vendor(
        name="GitHub Models",
        hosts=("models.github.ai", "models.inference.ai.azure.com"),
        messages=(with_short_ids,),
    ),
    Vendor(  # https://ai.google.dev/gemini-api/docs/openai, and the same on Vertex, which has hosts by region
        name="Google AI (OpenAI form)",
        hosts=("googleapis.com",),
        replays=frozenset(("extra_content",)),
    ),
    XAI,
    OPENAI,
)


class CompatibleProvider(VendorProvider):
    """Any URL that speaks OpenAI's dialect: what is known of the vendor at its host is heeded."""

    sdk = "@ai-sdk/openai-compatible"
    vendors = VENDORS

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.discovers = kwargs.get("discover") is True

    async def load(self) -> None:
        """With the entry's `discover: true`, asks which models there are where nothing else says so."""
        if self.discovers and not self.models:
            self.set_models(models=await listed(self))
