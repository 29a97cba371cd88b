"""Chat utilities: making chats, asking them, and reading what was said."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.testing import TestServer, make_app

from .calling import calls
from .conftest import Write

CHATS = """
    def search_web(query: str) -> str:
        return f"web: {query}"

    def fetch_page(url: str) -> str:
        return f"page: {url}"

    def unused() -> str:
        return ""

    def __install__(ctx):
        for tool in (search_web, fetch_page, unused):
            ctx.register_tool(tool)

        async def summarize(request):
            chat = ctx.chat_request(
                text="Summarize this document",
                model="gpt-4o",
                system_prompt="You are a helpful assistant"
            )
            return chat

        async def hello(request):
            chat = ctx.chat_request(text="Hello, world!")
            response = await ctx.chat_completion(chat)
            return response

        async def news(request):
            chat = ctx.chat_request(text="Search for recent news")
            chat_with_tools = ctx.create_chat_with_tools(chat, use_tools="search_web,fetch_page")
            return {"before": chat, "after": chat_with_tools}

        ctx.add_get("summarize", summarize)
        ctx.add_get("hello", hello)
        ctx.add_get("news", news)
"""
SAID: Any = {
    "model": "m",
    "image_config": {"aspect_ratio": "16:9"},
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "See"}, {"type": "image_url"}, {"type": "text", "text": "Three"}],
        },
    ],
}


@pytest.fixture
async def chats(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(CHATS)) as server:
        yield server


# -- making ------------------------------------------------------------------------------------------------------


async def test_chat_request_puts_text_model_and_system_prompt_in_their_places(chats: TestServer) -> None:
    chat = (await chats.get("/ext/myext/summarize")).body
    assert chat["model"] == "gpt-4o"
    system, user = chat["messages"]
    assert system == {"role": "system", "content": "You are a helpful assistant"}
    assert user == {"role": "user", "content": [{"type": "text", "text": "Summarize this document"}]}


@pytest.mark.parametrize("template", ["chat", "image", "audio", "file", "out:image", "out:audio"])
def test_the_templates_that_the_guide_lists_are_there(ctx: Any, template: str) -> None:
    chat = ctx.chat_request(template=template, text="Words")
    assert chat["messages"][-1]["role"] == "user"
    assert ctx.last_user_prompt(chat) == "Words"


@pytest.mark.parametrize(("template", "kind"), [("image", "image_url"), ("audio", "input_audio"), ("file", "file")])
def test_a_template_for_input_has_a_part_for_it(ctx: Any, template: str, kind: str) -> None:
    content = ctx.chat_request(template=template)["messages"][-1]["content"]
    assert [part["type"] for part in content] == [kind, "text"]


@pytest.mark.parametrize(("template", "modality"), [("out:image", "image"), ("out:audio", "audio")])
def test_a_template_for_generation_names_what_is_to_be_made(ctx: Any, template: str, modality: str) -> None:
    assert modality in ctx.chat_request(template=template)["modalities"]


def test_chat_is_the_template_used_without_a_name(ctx: Any) -> None:
    assert ctx.chat_request() == ctx.chat_request("chat") == ctx.chat_request(template="text")


def test_templates_are_those_of_the_configuration(ctx: Any) -> None:
    ctx.get_config()["defaults"]["mine"] = {"model": "m", "messages": []}
    assert ctx.chat_request("mine", text="Hi") == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert ctx.get_config()["defaults"]["mine"]["messages"] == []


def test_an_unknown_template_is_an_error(ctx: Any) -> None:
    with pytest.raises(Exception, match="Chat template 'nothing' not found"):
        ctx.chat_request(template="nothing")


# -- asking ------------------------------------------------------------------------------------------------------


async def test_chat_completion_asks_a_model(chats: TestServer) -> None:
    chats.provider.enqueue("Hello, you!")
    answer = (await chats.get("/ext/myext/hello")).body
    assert answer["choices"][0]["message"]["content"] == "Hello, you!"
    assert answer["usage"]["total_tokens"] == 2


async def test_chat_completion_offers_all_tools_and_runs_what_is_called(chats: TestServer) -> None:
    chats.provider.enqueue(calls(("search_web", {"query": "tea"})), "Tea.")
    answer = (await chats.get("/ext/myext/hello")).body
    assert answer["choices"][0]["message"]["content"] == "Tea."
    assert [message["role"] for message in answer["tool_history"]] == ["assistant", "tool"]
    assert len(chats.provider.history[0]["tools"]) == 3


async def test_chat_completion_takes_a_context(chats: TestServer) -> None:
    ctx: Any = chats.host.context("myext")
    context = {"tools": "none", "threadId": 7}
    await ctx.chat_completion(ctx.chat_request(text="Hi"), context=context)
    assert "tools" not in chats.provider.history[0]
    assert (context["threadId"], context["provider"]) == (7, "fake")


async def test_chat_completion_raises_what_went_wrong(chats: TestServer) -> None:
    ctx: Any = chats.host.context("myext")
    with pytest.raises(Exception, match="Model 'nobody' not found"):
        await ctx.chat_completion(ctx.chat_request(text="Hi", model="nobody"))


async def test_create_chat_with_tools_adds_those_that_are_named(chats: TestServer) -> None:
    made = (await chats.get("/ext/myext/news")).body
    assert [tool["function"]["name"] for tool in made["after"]["tools"]] == ["search_web", "fetch_page"]
    assert "tools" not in made["before"]
    assert made["after"]["messages"] == made["before"]["messages"]


async def test_create_chat_with_tools_adds_all_unless_told_otherwise(chats: TestServer) -> None:
    ctx: Any = chats.host.context("myext")
    chat = {"tools": [{"type": "vendor:search"}, {"type": "function", "function": {"name": "unused"}}]}
    more = ctx.create_chat_with_tools(chat)
    assert more["messages"] == []
    assert more["tools"][:2] == chat["tools"]
    assert [tool["function"]["name"] for tool in more["tools"][2:]] == ["search_web", "fetch_page"]
    assert ctx.create_chat_with_tools({}, use_tools="none")["tools"] == []
    assert ctx.create_chat_with_tools({"response_format": {"type": "json_object"}})["tools"] == []


# -- reading -----------------------------------------------------------------------------------------------------


def test_chat_to_prompt_is_all_that_the_user_said(ctx: Any) -> None:
    assert ctx.chat_to_prompt(SAID) == "One\nSee\nThree"


def test_chat_to_system_prompt_is_the_system_message(ctx: Any) -> None:
    assert ctx.chat_to_system_prompt(SAID) == "Be kind."
    assert ctx.chat_to_system_prompt({"messages": []}) is None


def test_last_user_prompt_is_what_the_user_said_last(ctx: Any) -> None:
    assert ctx.last_user_prompt(SAID) == "Three"
    assert ctx.last_user_prompt({"messages": []}) == ""


def test_chat_to_aspect_ratio_is_what_the_image_shall_have(ctx: Any) -> None:
    assert ctx.chat_to_aspect_ratio(SAID) == "16:9"
    assert ctx.chat_to_aspect_ratio({"messages": []}) is None


def test_chat_response_to_message_is_the_answers_message_with_its_time(ctx: Any) -> None:
    before = int(time.time() * 1000)
    response = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
    message = ctx.chat_response_to_message(response)
    assert before <= message.pop("timestamp") <= time.time() * 1000
    assert message == {"role": "assistant", "content": "Hi"}


def test_to_file_info_tells_what_a_file_was_made_of(ctx: Any) -> None:
    chat = {**SAID, "metadata": {"user": "ann"}}
    info = {"model": "m", "prompt": "Three", "aspect_ratio": "16:9", "user": "ann"}
    assert ctx.to_file_info(chat) == info
    assert ctx.to_file_info(chat, info={"prompt": "Mine", "seed": 1}, response={}) == {
        **info,
        "prompt": "Mine",
        "seed": 1,
    }


@pytest.mark.parametrize(("context", "cancelled"), [({}, False), ({"cancelled": True}, True), ({"completed": 1}, True)])
def test_should_cancel_thread_says_whether_to_go_on(ctx: Any, context: Any, cancelled: bool) -> None:
    assert ctx.should_cancel_thread(context) is cancelled


async def test_a_cancelled_chat_asks_nobody(chats: TestServer) -> None:
    ctx: Any = chats.host.context("myext")
    assert await ctx.chat_completion(ctx.chat_request(text="Hi"), {"cancelled": True}) is None
    assert chats.provider.history == []
