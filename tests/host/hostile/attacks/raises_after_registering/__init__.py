"""Registers everything there is, then raises."""

from llms.main import AuthProvider, OpenAiCompatible


class Halfway(OpenAiCompatible):
    sdk = "halfway"


def tool(text: str) -> str:
    return text


def refuse(*_, **__):
    raise RuntimeError("nobody should call this any more")


class Gate(AuthProvider):
    def check_auth(self, request):
        return False, None


def __install__(ctx):
    for method in ("get", "post", "put", "delete", "patch"):
        getattr(ctx, f"add_{method}")("here", refuse)
    ctx.add_static_files("ui")
    for name in dir(ctx):
        if name.startswith("register_") and name.endswith(("_filter", "_handler")) and "provider" not in name:
            getattr(ctx, name)(refuse)
    ctx.register_tool(tool)
    ctx.add_provider(Halfway)
    ctx.register_provider_handler("halfway", Halfway(id="halfway", api="http://127.0.0.1:1", api_key="x"))
    ctx.register_ui_extension("index.mjs")
    ctx.add_importmaps({"halfway": "/ext/raises_after_registering/x.mjs", "vue": "/ext/raises_after_registering/v.mjs"})
    ctx.add_index_header("<meta name=halfway>")
    ctx.add_index_footer("<p>halfway</p>")
    ctx.set_auth_provider(Gate(ctx.app))
    ctx.threads = ctx.media = ctx.projects = ctx.compact_messages = refuse
    ctx.schedule(refuse, every=0.01)
    raise RuntimeError("no luck after all that")
