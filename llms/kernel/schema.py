"""What the JSON files may hold. Checked, then kept as plain dicts: keys nobody declared here survive."""

import difflib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from llms.kernel.limits import Limits, Seconds
from llms.kernel.types import Json

VERSION = 3
Number = int | float
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Price = NotNegative | None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of llms.json. A missing key is fine, and so is one that is not declared."""


class Chat(Section, frozen=True):
    """A template: a whole chat request. Fields a vendor adds are welcome."""

    model: str = ""  # absent: the first model of the first live provider, a demo model only if alone
    messages: list[Json] = []
    modalities: list[str] = []
    stream: bool = False


class Events(Section, frozen=True, rename="camel"):
    transport: str = "auto"
    long_poll_timeout_seconds: Number = 25
    sse_heartbeat_seconds: Number = 15
    sse_connect_timeout_seconds: Number = 5
    sse_failure_threshold: Number = 3
    sse_retry_delay_seconds: Number = 10


class Agent(Section, frozen=True, rename="camel"):
    max_concurrency: int = 2
    poll_seconds: Seconds = 1
    lease_seconds: Seconds = 300


class Defaults(Section, frozen=True):
    headers: dict[str, str] = {}
    events: Events = Events()
    text: Chat = Chat()
    image: Chat = Chat()
    audio: Chat = Chat()
    file: Chat = Chat()
    out_image: Chat = msgspec.field(name="out:image", default=Chat())
    out_audio: Chat = msgspec.field(name="out:audio", default=Chat())
    check: Chat = Chat()
    compact: Chat = Chat()
    commit: Chat = Chat()
    summarize: Chat | None = None
    voice: dict[str, str] = {}
    agent: Agent = Agent()


class ConvertImage(Section, frozen=True):
    max_size: Annotated[str, msgspec.Meta(pattern=r"^\d+x\d+$")] = "1536x1024"
    max_length: Annotated[int, msgspec.Meta(ge=1)] = 1_572_864


class Convert(Section, frozen=True):
    image: ConvertImage = ConvertImage()


class Catalog(Section, frozen=True):
    """How facts about models are kept up to date."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]")] = "https://models.dev/api.json"
    refresh_hours: NotNegative = 24  # how old a server lets them get; 0: for ever


class Routing(Section, frozen=True):
    """Whom a chat goes to where several can answer it, and when one is left in peace."""

    strategy: Literal["priority", "cheapest", "fastest", "round-robin"] = "priority"
    failures: Annotated[int, msgspec.Meta(ge=1)] = 3
    cooldown: NotNegative = 30
    longest_cooldown: NotNegative = 600
    key_cooldown: NotNegative = 600


class Pattern(str):
    """A regular expression that compiles."""


class Provider(Section, frozen=True):
    """One entry of `providers`. Other keys belong to the provider's class and are its own to check."""

    enabled: bool = True
    id: str = ""
    name: str = ""
    npm: str = ""
    api: str = ""
    api_key: str | list[str] | None = None
    api_keys: str | list[str] = []
    env: list[str] = []
    models: dict[str, Json] = {}
    map_models: dict[str, str] = {}
    override_models: dict[str, Json] = {}
    include_models: Pattern | None = None
    exclude_models: Pattern | None = None
    headers: dict[str, str] = {}
    check: Chat = Chat()
    modalities: dict[str, Json] = {}
    server_tools: list[str] = []
    unsupported: Literal["drop", "error"] = "drop"  # what becomes of fields that the vendor cannot be told
    stream: bool = True
    frequency_penalty: Number | None = None
    presence_penalty: Number | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    seed: int | None = None
    top_logprobs: int | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    enable_thinking: bool | None = None


class ConfigFile(Section, frozen=True):
    """llms.json."""

    version: int = VERSION
    disable_extensions: list[str] = []
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    convert: Convert = Convert()
    loading: list[str] = []
    catalog: Catalog = Catalog()
    routing: Routing = Routing()
    aliases: dict[str, Any] = {}  # a name for one model, or for several
    auth: Json = {}
    mcp_client: Json = {}
    git_clone_hosts: list[str] = []
    extension_settings: dict[str, Json] = {}  # by extension; checked against its own schema
    allowed_hosts: list[str] = []  # names besides our own address that requests may be addressed to
    providers: dict[str, Provider] = {}


class CatalogEntry(Section, frozen=True):
    """One provider of providers.json or providers-extra.json."""

    id: str = ""
    env: list[str] = []
    npm: str = ""
    api: str = ""
    name: str = ""
    doc: str = ""
    models: dict[str, Json] = {}


class Prices(Section, frozen=True):
    """Dollars per million tokens; with `type` "request", `output` is dollars per request. Null is as good as absent."""

    input: Price = None
    output: Price = None
    reasoning: Price = None
    cache_read: Price = None
    cache_write: Price = None
    input_audio: Price = None
    output_audio: Price = None
    tiers: list[Json] = []  # prices for long prompts: such an object each, and `tier` {type "context", size}
    context_over_200k: Json = {}  # the older form of one tier
    type: str = ""


class CatalogModel(Section, frozen=True):
    """What must be right in a model that comes from the network; of the user's own, anything is taken."""

    id: str
    name: str
    tool_call: bool = False
    modalities: dict[str, list[str]] = {}
    limit: dict[str, NotNegative] = {}
    cost: Prices | None = None


def problem(value: Any, kind: Any, path: str = "") -> str | None:
    """The first thing in `value` that is not as `kind` says, as `limits.retries: expected int, got str`."""
    try:
        msgspec.convert(value, kind, dec_hook=_compile)
    except msgspec.ValidationError as error:
        for key, inner, of in _parts(value, kind):
            if found := problem(inner, of, f"{path}.{key}" if path else key):
                return found
        expected, _, inside = str(error).partition(" - at `$")
        where = path + inside.removesuffix("`")
        return f"{where or 'the file'}: {expected[:1].lower()}{expected[1:]}".replace("`", "")
    return None


def unknown_keys(data: Json) -> list[str]:
    """A sentence for each key of llms.json (and of its `limits`) that we do not know."""
    found = [_unknown(key, ConfigFile, "") for key in data]
    limits = data.get("limits")
    if isinstance(limits, dict):
        found += [_unknown(key, Limits, "limits.") for key in limits]
    return [sentence for sentence in found if sentence]


def _parts(value: Any, kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """Key, value and type of what is in `value`: msgspec alone does not say which key of a dict is wrong."""
    if not isinstance(value, dict):
        return
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        yield from ((key, inner, fields[key]) for key, inner in value.items() if key in fields)
    elif get_origin(kind) is dict:
        yield from ((key, inner, get_args(kind)[1]) for key, inner in value.items())


def _compile(kind: type, value: object) -> Pattern:
    if kind is not Pattern or not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"Expected a regular expression, but {error}") from error
    return Pattern(value)


def _unknown(key: str, kind: type[msgspec.Struct], prefix: str) -> str | None:
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    if key in known:
        return None
    near = difflib.get_close_matches(key, known, n=1)
    hint = f" Did you mean {prefix}{near[0]}?" if near else " It is kept, and left to extensions."
    return f"llms.json: unknown key {prefix}{key}.{hint}"
