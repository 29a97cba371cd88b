"""Provider access: the live providers, and classes for new ones."""

import logging
from typing import Any

import pytest

from llms.testing import FakeProvider, FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config

from .conftest import Write


async def test_get_providers_gives_all_registered_providers_by_name(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    extension = write(
        """
        async def __load__(ctx):
            providers = ctx.get_providers()
            for name, provider in providers.items():
                ctx.log(f"Provider: {name}")
                assert provider.id == name
        """
    )
    caplog.set_level(logging.INFO, logger="llms.ext.myext")
    async with make_app(extension):
        assert "Provider: fake" in caplog.messages


async def test_it_is_live_what_is_put_into_it_answers(write: Write) -> None:
    extension = write(
        """
        from llms.testing import FakeProvider

        async def __load__(ctx):
            ctx.get_providers()["mine"] = FakeProvider("mine", models=("my-model",))
        """
    )
    async with make_app(extension) as server:
        assert (await server.chat("Hi", model="my-model")).text == "ok"


async def test_get_provider_gives_the_one_with_that_name_or_none(write: Write) -> None:
    extension = write(
        """
        def __install__(ctx):
            async def find(request):
                openai = ctx.get_provider("openai")
                return {"found": openai and openai.id}

            ctx.add_get("find", find)
        """
    )
    async with make_app(extension) as server:
        assert (await server.get("/ext/myext/find")).body == {"found": None}
        server.app.registry.live["openai"] = FakeProvider("openai")
        assert (await server.get("/ext/myext/find")).body == {"found": "openai"}


# -- new classes -------------------------------------------------------------------------------------------------

MINE = """
    from llms.main import OpenAiCompatible

    class MyProvider(OpenAiCompatible):
        sdk = "my-sdk"

        async def process_chat(self, chat, provider_id=None):
            chat = await super().process_chat(chat, provider_id)
            chat["user"] = "mine"
            return chat

    def __install__(ctx):
        ctx.add_provider(MyProvider)
"""


async def test_a_registered_class_is_used_where_npm_is_its_sdk(write: Write, fake_upstream: FakeUpstream) -> None:
    async with make_app(write(MINE), config=upstream_config(fake_upstream, npm="my-sdk")) as server:
        assert (await server.chat("Hi")).text == "ok"
        assert fake_upstream.requests[0].body["user"] == "mine"
        assert [cls.__name__ for cls in server.app.registry.classes][-1] == "MyProvider"


async def test_the_last_class_registered_for_an_sdk_wins(write: Write, fake_upstream: FakeUpstream) -> None:
    replacing = write(MINE.replace("my-sdk", "@ai-sdk/openai-compatible"))
    async with make_app(replacing, config=upstream_config(fake_upstream)) as server:
        await server.chat("Hi")
        assert fake_upstream.requests[0].body["user"] == "mine"


async def test_a_provider_whose_npm_nobody_knows_is_left_out(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=upstream_config(fake_upstream, npm="nobodys")) as server:
        assert "upstream" not in server.app.registry.live


async def test_a_class_may_answer_whole_chats_by_itself(write: Write, fake_upstream: FakeUpstream) -> None:
    extension = write(
        """
        from llms.main import OpenAiCompatible

        class Parrot(OpenAiCompatible):
            sdk = "parrot"

            async def chat(self, chat, context=None):
                said = chat["messages"][-1]["content"]
                return {"choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]}

        def __install__(ctx):
            ctx.add_provider(Parrot)
        """
    )
    async with make_app(extension, config=upstream_config(fake_upstream, npm="parrot")) as server:
        assert (await server.chat("Say this")).text == "Say this"
        assert (await server.chat("Say this", stream=True)).text == "Say this"
    assert fake_upstream.requests == []


# -- generators --------------------------------------------------------------------------------------------------

GENERATOR = """
    from llms.main import GeneratorBase

    class Painter(GeneratorBase):
        sdk = "my/image"

        def __init__(self, **kwargs):
            super().__init__(**kwargs)

        async def chat(self, chat, provider=None{context}):
            image = {{"type": "image_url", "image_url": {{"url": "/~cache/aa/painted.png"}}}}
            message = {{"role": "assistant", "content": self.default_content, "images": [image]}}
            return {{"choices": [{{"index": 0, "message": message}}], "provider": provider.id{told}}}

    def __install__(ctx):
        ctx.add_provider(Painter)
"""
IMAGE: Any = {"modalities": {"image": {"name": "My Image", "npm": "my/image"}}}


@pytest.mark.parametrize("takes_context", [False, True])
async def test_a_generator_is_asked_by_the_provider_whose_modality_names_it(
    write: Write, fake_upstream: FakeUpstream, takes_context: bool
) -> None:
    context, told = (", context=None", ', "asked": context["threadId"]') if takes_context else ("", "")
    extension = write(GENERATOR.format(context=context, told=told))
    async with make_app(extension, config=upstream_config(fake_upstream, **IMAGE)) as server:
        answer = await server.chat("A cat", modalities=["image", "text"], metadata={"threadId": 7})
        assert answer.body["choices"][0]["message"]["images"][0]["image_url"]["url"] == "/~cache/aa/painted.png"
        assert answer.body.get("asked") == (7 if takes_context else None)


async def test_a_modality_whose_npm_nobody_knows_costs_only_itself(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=upstream_config(fake_upstream, **IMAGE)) as server:
        assert (await server.chat("Hi")).text == "ok"
        assert (await server.chat("A cat", modalities=["image", "text"])).status == 400


async def test_a_generators_own_helpers_are_those_of_the_guides_sample(server: TestServer) -> None:
    from llms.main import GeneratorBase

    class Generator(GeneratorBase):
        sdk = "my/image"

    generator = Generator(id="image", api="https://example.org/v1/", api_key="own")
    provider: Any = type("Provider", (), {"api_key": "theirs"})()
    chat: Any = {"model": "m", "messages": [{"role": "user", "content": "A cat"}], "tools": [{}]}
    assert generator.id == "image"
    assert generator.default_content
    assert generator.get_headers(provider, chat)["Authorization"] == "Bearer theirs"
    assert generator.get_headers(None, chat)["Authorization"] == "Bearer own"
    processed = await generator.process_chat(chat, provider_id="image")
    assert "tools" not in processed
    assert chat["tools"] == [{}]
    assert "A cat" in generator.chat_summary(chat)
