"""A vendor that speaks OpenAI's dialect: a row that tells what is particular about it, and the class that heeds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from llms.kernel.types import Chat, Json
from llms.providers.message_fields import known, uncached, unsigned, with_details_of
from llms.providers.openai_compatible import OpenAiCompatible

MessageRule = Callable[[Json], Json]  # gives a message as the vendor wants it; copies what it changes
NOTHING: Mapping[str, Any] = MappingProxyType({})
_SAYS_NOTHING: Mapping[str, Any] = MappingProxyType(  # values that ask for what happens anyway
    {"n": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": False, "store": False, "logit_bias": {}}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One row. Whatever it does not say is as at OpenAI.

    `sdks` are the `npm` strings that choose it, `api` is where it is asked then; where a provider's `api` is at one of
    its `hosts`, the row counts without. Fields in `renames` go under another name, those in `refuses` would be answered
    with an error, so they are left out and that is told. `values` are words it has for what a field may say.
    `messages` are applied to each message in turn; one that takes no field it does not know tells in `knows` which it
    does, by role. `replays` names fields of earlier answers it wants to see again, `formats` which of the
    `reasoning_details` among them it can read: all, where none is named. `caches` says that it heeds `cache_control`.
    `reads` are the media types it takes as files. `generators` make what its chat models do not, by modality.
    """

    name: str
    sdks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    api: str | None = None
    renames: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    refuses: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[Any, Any]] = field(default_factory=lambda: NOTHING)
    messages: tuple[MessageRule, ...] = ()
    knows: Mapping[str, frozenset[str]] = field(default_factory=lambda: NOTHING)
    replays: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    caches: bool = False
    reads: tuple[str, ...] = OpenAiCompatible.reads
    generators: Mapping[str, Callable[..., Any]] = field(default_factory=lambda: NOTHING)


class VendorProvider(OpenAiCompatible):
    """A provider that speaks OpenAI's dialect in the way of its `vendor`.

    One that names none is of the first of `vendors` at whose place its `api` is, or as at OpenAI.
    """

    sdk: ClassVar[str] = OpenAiCompatible.sdk
    vendor: Vendor | None = None
    vendors: ClassVar[tuple[Vendor, ...]] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.row = self.vendor or _at(self.api, self.vendors)
        self.replays, self.reads = self.row.replays, self.row.reads
        for name, generator in self.row.generators.items():
            self.modalities.setdefault(name, generator(**kwargs))

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        body = super().request_body(chat, stream=stream)
        row = self.row
        self._leave_out(row, body)
        for name, other in row.renames.items():
            if name in body:
                body.setdefault(other, body.pop(name))
        for name, words in row.values.items():
            if isinstance(body.get(name), str):
                body[name] = words.get(body[name], body[name])
        if not row.caches and (bare := uncached(body)) is not body:
            body = bare
            self.leftovers.leave_out("cache_control")
        body["messages"] = [self._message(message) for message in body["messages"]]
        return body

    def _message(self, message: Json) -> Json:
        """`message` as this vendor takes it."""
        row = self.row
        for rule in row.messages:
            message = rule(message)
        if "extra_content" not in row.replays:
            message = unsigned(message)
        if row.formats:
            message = with_details_of(message, row.formats)
        if fields := row.knows.get(message.get("role") or ""):
            message, missed = known(message, fields)
            self.leftovers.leave_out(*missed)
        return message

    def _leave_out(self, row: Vendor, body: Json) -> None:
        for name in row.refuses & body.keys():
            value = body.pop(name)
            if value is not None and value != _SAYS_NOTHING.get(name):
                self.leftovers.leave_out(name)


def vendor_classes(*vendors: Vendor) -> tuple[type[VendorProvider], ...]:
    """A provider class for every one of the `sdks` of these vendors."""
    return tuple(_class(vendor, sdk) for vendor in vendors for sdk in vendor.sdks)


def _class(vendor: Vendor, sdk: str) -> type[VendorProvider]:
    own = {"vendor": vendor, "sdk": sdk, "default_api": vendor.api, "__module__": __name__, "__doc__": vendor.name}
    return type(f"{vendor.name.replace(' ', '').replace('.', '')}Provider", (VendorProvider,), own)


def _at(api: str, vendors: tuple[Vendor, ...]) -> Vendor:
    """The vendor that has its API at the host of `api`, or below whose host it is."""
    host = urlsplit(api).hostname or ""
    there = (row for row in vendors if any(host == known or host.endswith(f".{known}") for known in row.hosts))
    return next(there, ANYBODY)


ANYBODY = Vendor(name="any compatible URL", caches=True, replays=frozenset(("extra_content",)))  # it may be a gateway
