"""Answers that are no text: which of them a chat asks for, and who makes them."""

from collections.abc import Mapping
from typing import Any

from llms.kernel.errors import RequestError
from llms.kernel.types import Chat, Completion, Context
from llms.providers.answers import whole_answer


def wanted(chat: Chat) -> str | None:
    """The first modality other than text that `chat` asks for, or None."""
    asked: Any = chat.get("modalities")
    if not isinstance(asked, list):
        return None
    return next((modality for modality in asked if isinstance(modality, str) and modality != "text"), None)


def generators(provider: Any) -> dict[str, Any]:
    """What makes the modalities of `provider`, by modality."""
    made = getattr(provider, "modalities", None)
    return {name: one for name, one in made.items() if hasattr(one, "chat")} if isinstance(made, Mapping) else {}


def generator_for(chat: Chat, provider: Any) -> Any | None:
    """The generator that has to answer `chat`, or None where the model itself does.

    Raises RequestError where neither can.
    """
    modality = wanted(chat)
    if modality is None:
        return None
    generator = generators(provider).get(modality)
    if generator is None and not _is_made_by_the_model(modality, chat, provider):
        raise RequestError(
            f"Provider '{provider.id}' makes no {modality[:40]}. "
            f"Add `modalities.{modality[:40]}` to its entry in llms.json, or ask another model.",
            param="modalities",
        )
    return generator


def _is_made_by_the_model(modality: str, chat: Chat, provider: Any) -> bool:
    """Whether the model is known to make it, or the caller asks in OpenAI's own way for audio, with its voice.

    https://platform.openai.com/docs/guides/audio
    """
    facts = provider.model_info(chat["model"]) or {}
    known = (facts.get("modalities") or {}).get("output") or ()
    return modality in known or (modality == "audio" and isinstance(chat.get("audio"), dict))


async def generated(generator: Any, provider: Any, chat: Chat, context: Context | None) -> Completion:
    """What `generator` makes for `chat` on behalf of `provider`."""
    return await whole_answer(generator.chat, chat, provider, context=context, provider=provider.id)
