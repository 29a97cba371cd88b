"""Answers that are no text, and text from what is none: which of them a chat asks for, and who makes them."""

import re
from collections.abc import Mapping
from typing import Any, cast

from llms.kernel import foreign
from llms.kernel.errors import RequestError
from llms.kernel.types import Chat, Completion, Context, Model
from llms.providers.answers import whole_answer

TRANSCRIPTION = "transcription"  # the modality whose generator writes down what is said
_TRANSCRIBERS = re.compile(r"whisper|transcri")


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

    Where the chat does not say what it wants, its model does: one that writes no text, or only hears. Raises
    RequestError where neither the model nor a generator can.
    """
    asked, known = wanted(chat), generators(provider)
    if asked is None and not known:
        return None
    facts = provider.model_info(chat["model"])
    modality = asked or _implied(chat, facts, known)
    if modality is None:
        return None
    if (generator := known.get(modality)) is not None:
        return generator if _serves(generator, chat, provider, facts) else None
    if not _is_made_by_the_model(modality, chat, facts):
        raise RequestError(
            f"Provider '{provider.id}' makes no {modality[:40]}. "
            f"Add `modalities.{modality[:40]}` to its entry in llms.json, or ask another model.",
            param="modalities",
        )
    return None


def _implied(chat: Chat, facts: Model | None, known: Mapping[str, Any]) -> str | None:
    """The modality that a model stands for which can do nothing else, where there is a generator for it."""
    modalities = cast(Mapping[str, Any], (facts or {}).get("modalities") or {})
    if TRANSCRIPTION in known and _only_hears(chat["model"], modalities) and _is_spoken(chat):
        return TRANSCRIPTION
    made = modalities.get("output") or ["text"]
    return None if "text" in made else next((modality for modality in made if modality in known), None)


def _only_hears(model: str, modalities: Mapping[str, Any]) -> bool:
    """Whether the model takes audio alone. Catalogues do not always know, but such models are named for it."""
    return modalities.get("input") == ["audio"] or _TRANSCRIBERS.search(model.lower()) is not None


def _is_spoken(chat: Chat) -> bool:
    """Whether there is audio in `chat`."""
    contents = [message.get("content") for message in chat.get("messages") or ()]
    parts: list[Any] = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "input_audio" for part in parts)


def _serves(generator: Any, chat: Chat, provider: Any, facts: Model | None) -> bool:
    """Whether `generator` takes the model on. One that cannot tell takes all."""
    model = provider.provider_model(chat["model"]) or chat["model"]
    serves = getattr(generator, "serves", None)
    return serves is None or bool(foreign.call_now(serves, model, facts, extension=provider.id))


def _is_made_by_the_model(modality: str, chat: Chat, facts: Model | None) -> bool:
    """Whether the model is known to make it, or the caller asks in OpenAI's own way for audio, with its voice.

    https://platform.openai.com/docs/guides/audio
    """
    known = ((facts or {}).get("modalities") or {}).get("output") or ()
    return modality in known or (modality == "audio" and isinstance(chat.get("audio"), dict))


async def generated(generator: Any, provider: Any, chat: Chat, context: Context | None) -> Completion:
    """What `generator` makes for `chat` on behalf of `provider`."""
    return await whole_answer(generator.chat, chat, provider, context=context, provider=provider.id)
