"""Brings a provider of which everything raises, once it is in."""


class Raising:
    is_calm = True

    def __getattribute__(self, name):
        if name == "is_calm" or object.__getattribute__(self, "is_calm"):
            return object.__getattribute__(self, name)
        raise RuntimeError(f"no luck with {name}")

    async def chat(self, chat, context=None):
        raise RuntimeError("no luck with an answer")


async def __load__(ctx):
    ctx.get_providers()["raising"] = provider = Raising()
    provider.is_calm = False
