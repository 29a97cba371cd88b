"""The public dicts. On the wire they are plain JSON, so they are typed, not classes.

`Chat` is an OpenAI chat completion request, `Completion` its answer, `Chunk` one event of a streamed
answer; fields a vendor adds travel along untouched. `Context` travels with one chat through every hook.
"""

from typing import Any, Literal, TypedDict

Json = dict[str, Any]


class FunctionCall(TypedDict, total=False):
    name: str
    arguments: str  # JSON text, as the model wrote it


class ToolCall(TypedDict, total=False):
    index: int  # in deltas only
    id: str
    type: str
    function: FunctionCall


class Message(TypedDict, total=False):
    role: str
    content: str | list[Json] | None
    name: str
    tool_calls: list[ToolCall]
    tool_call_id: str
    reasoning_content: str
    refusal: str


class Usage(TypedDict, total=False):
    """Token counts. `prompt_tokens` holds cached ones, `completion_tokens` holds reasoning, as OpenAI counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: Json
    completion_tokens_details: Json
    duration: float  # seconds
    cost: float  # dollars, where the provider says so


class Chat(TypedDict, total=False):
    model: str
    messages: list[Message]
    stream: bool
    stream_options: Json
    tools: list[Json]
    modalities: list[str]
    metadata: Json  # ours: never sent upstream
    provider: str
    max_completion_tokens: int


class Choice(TypedDict, total=False):
    index: int
    message: Message
    finish_reason: str | None
    logprobs: Json | None


class Completion(TypedDict, total=False):
    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    metadata: Json  # duration in ms, pricing "input/output"
    cost: float  # dollars
    tool_history: list[Message]  # tool calls and their results, where tools ran


class ChunkChoice(TypedDict, total=False):
    index: int
    delta: Message
    finish_reason: str | None
    logprobs: Json | None


class Chunk(TypedDict, total=False):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None
    error: Json


class Model(TypedDict, total=False):
    """A model as models.dev tells it. Prices are dollars per million tokens."""

    id: str
    name: str
    provider: str
    modalities: dict[Literal["input", "output"], list[str]]
    limit: dict[str, int]
    cost: Json
    tool_call: bool
    reasoning: bool
    interleaved: Json | bool
    demo: bool  # a toy: chosen only when nothing else can answer


class Context(TypedDict, total=False):
    chat: Chat
    request: Any  # the aiohttp request, where there is one
    request_id: str
    user: str | None
    threadId: str
    tools: str
    max_iterations: int  # provider calls in one tool loop
    nohistory: bool
    nostore: bool
    metadata: Json
    title: str
    local_files: bool  # the caller is at this machine: paths in attachments may be read
    provider: str
    modelInfo: Model | None
    modelCost: Json | None
    startedAt: float
    duration: float  # seconds
    cost: int  # micro-dollars
    priced_at: str  # date of the catalogue whose prices were used
    attempts: int  # how many times a provider was asked
    providerResponse: Json
    stackTrace: str
    cancelled: bool
    completed: bool
