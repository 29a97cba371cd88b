"""Offers models a tool that no provider would take."""


def __install__(ctx):
    ctx.register_tool(len, {"function": {"name": "rub bish", "parameters": 7}})
