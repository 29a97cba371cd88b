"""Minds its own business: a route, a tool, a filter, a task, and a model that calls the tool."""

from aiohttp import web


def greet(name: str) -> str:
    """Greets somebody."""
    return f"Good day, {name}."


async def hello(request):
    return web.json_response({"said": greet(request.query.get("name", "you"))})


async def beat(request):
    return {"beats": BEATS}


def calling(ctx):
    async def call(request):
        said, _ = await ctx.exec_tool(request.query["tool"], {})
        return {"said": said}

    return call


BEATS = []


async def sign(response, context):
    response["signed"] = "good"


class Model:
    """Calls the tool `greet` if it is offered, and repeats what that says."""

    id, name = "good", "Good"
    models = {"good-model": {"id": "good-model", "name": "Good", "tool_call": True}}

    def provider_model(self, model):
        return model if model in self.models else None

    def model_info(self, model):
        return self.models.get(model)

    def model_cost(self, model):
        return None

    def validate(self, **_):
        return None

    def test(self, **_):
        return True

    async def load(self): ...

    async def chat(self, chat, context=None):
        offered = [tool["function"]["name"] for tool in chat.get("tools") or ()]
        last = chat["messages"][-1]
        if last["role"] == "tool" or "greet" not in offered:
            return completion({"role": "assistant", "content": str(last["content"])})
        function = {"name": "greet", "arguments": '{"name": "Ann"}'}
        calls = [{"id": "1", "type": "function", "function": function}]
        return completion({"role": "assistant", "content": None, "tool_calls": calls})


def completion(message):
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "good-model",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def __parser__(parser):
    parser.add_argument("--good", default="as ever")


def __install__(ctx):
    ctx.add_get("hello", hello)
    ctx.add_get("beats", beat)
    ctx.add_get("call", calling(ctx))
    ctx.add_get("/greeting", hello)
    ctx.register_tool(greet)
    ctx.register_chat_response_filter(sign)
    ctx.add_importmaps({"good": "/ext/good/index.mjs"})
    ctx.add_index_header("<meta name=good>")


async def __load__(ctx):
    ctx.get_providers()["good"] = Model()
    ctx.schedule(lambda: BEATS.append(1), every=0.05, at_once=True)
