"""My extension: says hello, rolls dice, and sets the tone of answers.

The server imports this file and registers what its decorators name: a route, a tool and a filter. When the extension is
disabled, or a file of it changes under `--dev`, the server takes all of that back by itself.
"""

from secrets import randbelow

from aiohttp import web

from llms.api import Chat, Context, ExtensionContext, ext


@ext.get("hello")
async def hello(request: web.Request, ctx: ExtensionContext) -> dict[str, str]:
    """Answers GET /ext/my-extension/hello?name=Ann. What it returns is sent as JSON."""
    name = request.query.get("name") or "world"
    return {"message": f"{ctx.settings['greeting']}, {name}!"}


@ext.tool(group="My extension")
def my_extension_roll(sides: int = 6) -> int:
    """Roll a die.

    Args:
        sides: How many sides it has.
    """
    return 1 + randbelow(max(1, sides))


@ext.filter("chat_request")
async def set_tone(chat: Chat, context: Context, ctx: ExtensionContext) -> None:
    """Runs before a chat goes to a model: asks for the tone that the settings name, if they name one."""
    if tone := ctx.settings["tone"]:
        chat["messages"].insert(0, {"role": "system", "content": f"Answer in a {tone} tone."})
