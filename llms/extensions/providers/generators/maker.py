"""The base of all generators here: from a chat to one or several requests, and from the answers to a completion."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import aiohttp
import msgspec

from llms.api import (
    Chat,
    Completion,
    Context,
    GeneratorBase,
    ProviderError,
    RequestError,
    completion_of,
)

from .made import Made, encoded, image, together
from .order import Order


class Maker(GeneratorBase):
    """A class says where its vendor is asked (`path`), what for (`ask`), and how its answers are read (`read`)."""

    path: ClassVar[str] = ""  # below `api`, or a whole URL where the vendor has another host for it
    default_api: ClassVar[str] = ""
    makes_several: ClassVar[bool] = True  # whether one request can ask for `n`; else there are `n` requests
    may_be_empty: ClassVar[bool] = False  # whether nothing at all is an answer too

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry: Mapping[str, Any] = kwargs
        self.api = self.api or self.default_api
        self.url: str = kwargs.get("chat_url") or (self.path if "://" in self.path else self.api + self.path)

    async def ask(self, order: Order, headers: dict[str, str]) -> Any:
        """The vendor's answer to `order`, as JSON. Raises ProviderError."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to ask. Give it an `ask`.")

    def read(self, answer: Any, order: Order) -> Made:
        """What `answer` holds. Raises ProviderError for a refusal; KeyError and the like for what cannot be read."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read. Give it a `read`.")

    # -- from chat to completion -------------------------------------------------------------------------------

    async def chat(self, chat: Chat, provider: Any = None, context: Context | None = None) -> Completion:
        own = await self.process_chat(chat, provider_id=self.id)
        order = self._order(own, provider)
        mocked = await self.mocked()
        answers = await self._answers(order, provider) if mocked is None else [(order, mocked)]
        made = together([self._read(answer, asked) for asked, answer in answers])
        if kind := await asyncio.to_thread(made.unreadable):  # megabytes of base64
            raise self.failed(f"the {kind} it sent is not valid base64. Try again.")
        if made.cost is None:
            made.cost = _price_of_request(provider, chat.get("model") or "")
        return self._completion(made, order)

    def to_response(self, response: Any, chat: Chat, started_at: float, context: Context | None = None) -> Completion:
        """The completion in one answer of the vendor."""
        order = Order(chat, self.entry)
        return self._completion(self._read(response, order), order)

    def _order(self, chat: Chat, provider: Any) -> Order:
        model, facts = chat.get("model") or "", None
        if provider is not None:
            facts = provider.model_info(model)
            chat["model"] = provider.provider_model(model) or model
        return Order(chat, self.entry, facts)

    async def _answers(self, order: Order, provider: Any) -> list[tuple[Order, Any]]:
        """As many answers as it takes, asked for beside each other. The first error ends the others."""
        headers = self.get_headers(provider)
        if self.makes_several or order.count == 1:
            return [(order, await self.ask(order, headers))]
        orders = [order.variant(number) for number in range(order.count)]
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self.ask(one, headers)) for one in orders]
        except ExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__
        return [(one, task.result()) for one, task in zip(orders, asked, strict=True)]

    def _read(self, answer: Any, order: Order) -> Made:
        try:
            made = self.read(answer, order)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as exc:
            raise self.failed(f"its answer cannot be read ({type(exc).__name__}: {exc}). Check its `api` URL.") from exc
        if not (made or self.may_be_empty):
            raise self.failed("it answered, but made nothing. Say it in other words, or ask another model.")
        return made

    def _completion(self, made: Made, order: Order) -> Completion:
        media = made.images or made.audios
        message = {
            "content": made.text or (self.default_content if media else ""),
            "images": [{**part, "index": i} for i, part in enumerate(made.images)],
            "audios": made.audios,
        }
        told: dict[str, Any] = {} if made.cost is None else {"cost": made.cost}
        return completion_of(message, model=order.model, usage=made.usage, **told)

    # -- the wire ----------------------------------------------------------------------------------------------

    async def post_json(self, url: str, body: Any, headers: Mapping[str, str]) -> Any:
        """The JSON that `url` answers to `body`; an image or sound of its own stands in `data`, as OpenAI has it."""
        async with self.post(url, msgspec.json.encode(body), headers=headers) as response:
            return await self.answer(response)

    async def answer(self, response: aiohttp.ClientResponse) -> Any:
        """What the vendor says in `response`. Raises ProviderError where it failed, or answers by a web page."""
        kind = response.content_type
        if response.status >= 300 or not kind.startswith(("image/", "audio/", "application/octet-stream")):
            return await self.response_json(response)
        data = await response.read()
        mime = response.headers.get("Content-Type", kind)
        return {"data": [{"b64_json": await asyncio.to_thread(encoded, data), "media_type": mime}]} if data else {}

    # -- what can be wrong -------------------------------------------------------------------------------------

    def failed(self, why: str) -> ProviderError:
        return ProviderError(f"{self.name}: {why}", provider=self.name)

    def refused(self, why: str) -> ProviderError:
        """The error of a vendor that does not want to make what was asked for."""
        return ProviderError(
            f"{self.name} refused: {why}. Say it in other words.",
            provider=self.name,
            status=400,
            code="content_policy_violation",
        )


class ImageMaker(Maker):
    """One whose vendor answers as OpenAI does: `data`, a list of `b64_json` or `url`."""

    def read(self, answer: Any, order: Order) -> Made:
        mime = f"image/{answer.get('output_format') or order.get('output_format', default='png')}"
        images = [
            image(
                one.get("b64_json") or one.get("url"),
                one.get("media_type") or one.get("mime_type") or mime,
                seed=order.get("seed"),
                revised_prompt=one.get("revised_prompt") or None,
            )
            for one in answer.get("data") or ()
        ]
        return Made(images=images)


def named(model: str) -> str:
    """`model` as a part of a URL. Raises RequestError for one that would lead elsewhere."""
    if not model.replace("/", "").replace("-", "").replace("_", "").replace(".", "").replace(":", "").isalnum() or (
        ".." in model or model.startswith("/")
    ):
        raise RequestError(f"Model {model[:60]!r} has a name that no URL can hold. Correct it.", param="model")
    return model


def _price_of_request(provider: Any, model: str) -> float | None:
    """Dollars, where the model is paid by the request."""
    prices = provider.model_cost(model) if provider is not None else None
    if not prices or prices.get("type") != "request":
        return None
    return cast("float | None", prices.get("output"))
