"""Whatever is called raises, some of it what `except Exception` does not catch."""

import sys


def error(*_):
    raise RuntimeError("no luck")


async def base(*_):
    raise BaseException("no luck at all")


def leave(*_):
    sys.exit(3)



async def route(request):
    raise {"error": RuntimeError, "base": BaseException, "exit": SystemExit}[request.query["kind"]]("no luck")


def tool() -> str:
    """Has no luck."""
    sys.exit(3)


def __install__(ctx):
    ctx.add_get("route", route)
    ctx.register_tool(tool, {"function": {"name": "unlucky", "description": "Has no luck.", "parameters": {}}})
    for register in (
        *(ctx.register_chat_status_filter, ctx.register_chat_delta_filter, ctx.register_chat_tool_filter),
        *(ctx.register_chat_response_filter, ctx.register_chat_error_filter, ctx.register_cache_saved_filter),
        *(ctx.register_setup_user_handler, ctx.register_startup_handler, ctx.register_cleanup_handler),
        ctx.register_shutdown_handler,
    ):
        for handler in (error, base, leave):
            register(handler)
