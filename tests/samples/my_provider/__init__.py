def init(ctx):
    from llms.main import OpenAiCompatible

    class MyProvider(OpenAiCompatible):
        name = "my-provider"
        # ...

    ctx.add_provider(MyProvider)
