"""Filters: what the guide's samples change and see, on chats over HTTP."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from llms.testing import make_app

from .calling import calls
from .conftest import Write

Told = Callable[[], list[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """What the extension `myext` has logged so far, errors aside."""
    caplog.set_level(logging.INFO, logger="llms.ext.myext")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("llms.ext.myext", logging.INFO)
    ]


# -- the request -------------------------------------------------------------------------------------------------

REQUEST = """
    from typing import Dict

    seen = []

    def __install__(ctx):
        async def filter_request(chat: Dict, context: Dict):
            # Modify chat request before processing
            chat["metadata"] = {"source": "extension"}
            chat["temperature"] = 0.1
            chat["messages"].append({"role": "user", "content": "Be brief."})

        ctx.register_chat_request_filter(filter_request)
        ctx.register_chat_request_filter(lambda chat, context: seen.append(chat["metadata"]))
        ctx.add_get("seen", lambda request: seen)
"""


async def test_a_request_filter_changes_the_chat_before_it_is_processed(write: Write) -> None:
    async with make_app(write(REQUEST)) as server:
        await server.chat("Hi")
        chat: Any = server.provider.history[0]
        assert chat["messages"][-1] == {"role": "user", "content": "Be brief."}
        assert chat["temperature"] == 0.1


async def test_filters_see_each_others_changes_and_metadata_stays_here(write: Write) -> None:
    async with make_app(write(REQUEST)) as server:
        await server.chat("Hi")
        assert (await server.get("/ext/myext/seen")).body == [{"source": "extension"}]
        assert "metadata" not in server.provider.history[0]


async def test_a_request_filter_sees_the_tools_that_will_be_offered(write: Write) -> None:
    extension = write(
        """
        offered = []

        def look_up(word: str):
            return word

        def __install__(ctx):
            ctx.register_tool(look_up)
            ctx.register_chat_request_filter(lambda chat, context: offered.append(len(chat["tools"])))
            ctx.add_get("offered", lambda request: offered)
        """
    )
    async with make_app(extension) as server:
        await server.chat("Hi", metadata={"tools": "all"})
        assert (await server.get("/ext/myext/offered")).body == [1]


async def test_a_request_filter_that_raises_ends_the_chat_and_the_error_filters_hear_of_it(
    write: Write, told: Told
) -> None:
    extension = write(
        """
        def __install__(ctx):
            async def refuse(chat, context):
                raise ValueError("not today")

            ctx.register_chat_request_filter(refuse)
            ctx.register_chat_error_filter(lambda e, context: ctx.log(f"heard: {e}"))
        """
    )
    async with make_app(extension) as server:
        answer = await server.chat("Hi")
        assert (answer.status, server.provider.history) == (500, [])
        assert "not today" in answer.body["error"]["message"]
        assert told() == ["heard: not today"]


# -- tools -------------------------------------------------------------------------------------------------------

TOOL = """
    from typing import Dict

    def look_up(word: str) -> str:
        return f"{word}: found"

    def __install__(ctx):
        ctx.register_tool(look_up)

        async def on_tool_call(chat: Dict, context: Dict):
            ctx.log(f"Tool called in thread: {context.get('threadId')}")
            ctx.log(chat["messages"][-1]["role"])

        ctx.register_chat_tool_filter(on_tool_call)
"""


async def test_a_tool_filter_runs_when_tools_are_invoked_and_after_each_result(write: Write, told: Told) -> None:
    async with make_app(write(TOOL)) as server:
        server.provider.enqueue(calls(("look_up", {"word": "a"}), ("look_up", {"word": "b"})), "done")
        assert (await server.chat("Hi", metadata={"threadId": 7, "tools": "all"})).text == "done"
        in_thread = "Tool called in thread: 7"
        assert told() == [in_thread, "assistant", in_thread, "tool", in_thread, "tool"]


async def test_without_a_tool_call_it_does_not_run(write: Write, told: Told) -> None:
    async with make_app(write(TOOL)) as server:
        await server.chat("Hi", metadata={"tools": "all"})
        assert told() == []


# -- the response ------------------------------------------------------------------------------------------------

RESPONSE = """
    from typing import Dict

    def __install__(ctx):
        async def filter_response(response: Dict, context: Dict):
            # Modify or log response
            ctx.log(response["choices"][0]["message"]["content"])
            response["choices"][0]["message"]["content"] += "!"

        ctx.register_chat_response_filter(filter_response)
"""


async def test_a_response_filter_sees_and_changes_the_answer(write: Write, told: Told) -> None:
    async with make_app(write(RESPONSE)) as server:
        server.provider.enqueue("Hello")
        assert (await server.chat("Hi")).text == "Hello!"
        assert told() == ["Hello"]


async def test_it_sees_a_streamed_answer_whole(write: Write, told: Told) -> None:
    async with make_app(write(RESPONSE)) as server:
        server.provider.enqueue(["Hel", "lo"])
        assert (await server.chat("Hi", stream=True)).text == "Hello"
        assert told() == ["Hello"]


async def test_it_runs_once_for_an_answer_with_tool_calls(write: Write, told: Told) -> None:
    async with make_app(write(RESPONSE), write(TOOL, name="other")) as server:
        server.provider.enqueue(calls(("look_up", {"word": "a"})), "done")
        await server.chat("Hi", metadata={"tools": "all"})
        assert told() == ["done"]


async def test_a_response_filter_that_raises_is_skipped(write: Write) -> None:
    extension = write(
        """
        def __install__(ctx):
            def broken(response, context):
                raise ValueError("no luck")

            ctx.register_chat_response_filter(broken)
        """
    )
    async with make_app(extension) as server:
        assert (await server.chat("Hi")).text == "ok"
        assert len(server.provider.history) == 1


# -- errors ------------------------------------------------------------------------------------------------------

ERROR = """
    def __install__(ctx):
        async def on_error(e: Exception, context: dict):
            ctx.log(f"Error: {e}, Stack: {context.get('stackTrace')}")

        ctx.register_chat_error_filter(on_error)
"""


async def test_an_error_filter_sees_what_went_wrong_and_where(write: Write, told: Told) -> None:
    async with make_app(write(ERROR)) as server:
        answer = await server.chat("Hi", model="nobody-has-it")
        (line,) = told()
        assert answer.status == 404
        assert line.startswith("Error: Model 'nobody-has-it' not found")
        assert "Traceback (most recent call last)" in line.partition("Stack: ")[2]


async def test_a_chat_that_ends_well_is_no_business_of_it(write: Write, told: Told) -> None:
    async with make_app(write(ERROR)) as server:
        await server.chat("Hi")
        assert told() == []


# -- the cache ---------------------------------------------------------------------------------------------------

CACHE = """
    from typing import Dict

    seen = []

    def __install__(ctx):
        def on_cache_saved(context: Dict):
            ctx.log(f"Cached: {context['url']}")
            seen.append(context)

        ctx.register_cache_saved_filter(on_cache_saved)
        ctx.add_post("save", lambda request: [ctx.save_bytes_to_cache(b"hello", "a.txt", {"note": "n"})[0]])
        ctx.add_get("seen", lambda request: seen)
"""


async def test_a_cache_filter_sees_each_file_that_is_new_once(write: Write, told: Told) -> None:
    async with make_app(write(CACHE)) as server:
        (url,) = (await server.post("/ext/myext/save")).body
        await server.post("/ext/myext/save")
        (saved,) = (await server.get("/ext/myext/seen")).body
        assert told() == [f"Cached: {url}"]
        assert (saved["url"], saved["user"], saved["info"]["note"]) == (url, None, "n")


# -- the end -----------------------------------------------------------------------------------------------------


async def test_a_shutdown_handler_runs_when_the_server_shuts_down(write: Write, told: Told) -> None:
    extension = write(
        """
        def __install__(ctx):
            def cleanup():
                ctx.log("Extension shutting down...")

            ctx.register_shutdown_handler(cleanup)
        """
    )
    async with make_app(extension) as server:
        await server.chat("Hi")
        assert told() == []
    assert told() == ["Extension shutting down..."]


# -- all of them -------------------------------------------------------------------------------------------------

HANDLERS = {
    "register_chat_request_filter": "chat, context",
    "register_chat_tool_filter": "chat, context",
    "register_chat_response_filter": "response, context",
    "register_chat_error_filter": "e, context",
    "register_cache_saved_filter": "saved",
    "register_shutdown_handler": "",
}


@pytest.mark.parametrize("kind", ["async def", "def"])
@pytest.mark.parametrize("method", HANDLERS)
async def test_every_handler_may_be_sync_or_async_and_they_run_in_order(
    write: Write, told: Told, method: str, kind: str
) -> None:
    parameters = HANDLERS[method]
    extension = write(
        f"""
        def word() -> str:
            return "word"

        def __install__(ctx):
            ctx.register_tool(word)
            {kind} first({parameters}):
                ctx.log("first")
            {kind} second({parameters}):
                ctx.log("second")
            ctx.{method}(first)
            ctx.{method}(second)
            ctx.add_post("save", lambda request: [ctx.save_bytes_to_cache(b"hello", "a.txt")[0]])
        """
    )
    async with make_app(extension) as server:
        server.provider.enqueue(calls(("word", {})), ValueError("no luck") if "error" in method else "ok")
        await server.chat("Hi", metadata={"tools": "all"})
        await server.post("/ext/myext/save")
    assert told()[:2] == ["first", "second"]


async def test_the_context_tells_what_the_caller_said_and_what_happens(write: Write) -> None:
    seen: list[Any] = []

    def watcher(ctx: Any) -> None:
        ctx.register_chat_response_filter(lambda response, context: seen.append(context))

    async with make_app(watcher, write()) as server:
        metadata = {"threadId": 7, "tools": "none", "nohistory": True, "nostore": True, "source": "test"}
        await server.chat("Hi", metadata=metadata)
    (context,) = seen
    assert (context["threadId"], context["tools"], context["nohistory"], context["nostore"]) == (7, "none", True, True)
    assert context["metadata"]["source"] == "test"
    assert (context["provider"], context["modelInfo"]["id"], context["user"]) == ("fake", "fake-model", None)
    assert context["request"].path == "/v1/chat/completions"
    assert {"chat", "request_id", "startedAt", "duration", "modelCost", "providerResponse"} <= context.keys()
    assert json.dumps(context["providerResponse"])
