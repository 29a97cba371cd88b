"""Gives back nothing that makes sense, wherever it is asked."""

from aiohttp import web

SENT = web.json_response({"once": True})


class Rubbish:
    def __str__(self):
        raise RuntimeError("not even a text")

    __repr__ = __str__


def circle():
    found = {}
    found["again"] = found
    return found


ANSWERS = {
    "nothing": lambda: None,
    "object": Rubbish,
    "bytes": lambda: b"bytes",
    "tuple": lambda: ({}, 200),
    "class": lambda: web.Response,
    "unserializable": lambda: {"rubbish": object()},
    "circle": circle,
    "surrogate": lambda: {"text": "\ud800"},
    "coroutine": lambda: (lambda: None),
    "twice": lambda: SENT,
}


def tool() -> str:
    """Gives rubbish."""
    return Rubbish()


async def rubbish(*_):
    return Rubbish()


async def number(*_):
    return 7


def answering(make):
    async def answer(request):
        return make()

    return answer


def __install__(ctx):
    for name, make in ANSWERS.items():
        ctx.add_get(name, answering(make))
    ctx.register_tool(tool, {"function": {"name": "rubbish", "description": "Rubbish.", "parameters": {}}})
    for register in (
        *(ctx.register_chat_request_filter, ctx.register_chat_status_filter, ctx.register_chat_delta_filter),
        *(ctx.register_chat_tool_filter, ctx.register_chat_response_filter, ctx.register_chat_error_filter),
        *(ctx.register_setup_user_handler, ctx.register_startup_handler),
    ):
        register(rubbish)
        register(number)
