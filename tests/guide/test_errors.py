"""Error handling: what an exception is told as."""

from typing import Any

import pytest

from llms.testing import make_app

from .conftest import Write

SAMPLES = """
    from aiohttp import web

    def risky_operation():
        raise ValueError("no luck")

    process = risky_operation

    def __install__(ctx):
        async def message(request):
            try:
                risky_operation()
            except Exception as e:
                msg = ctx.error_message(e)
                return web.json_response({"error": msg}, status=500)

        async def response(request):
            try:
                process()
            except Exception as e:
                return web.json_response(ctx.error_response(e, stacktrace=True), status=500)

        ctx.add_get("message", message)
        ctx.add_get("response", response)
"""


class Told(Exception):
    def __init__(self, **attributes: Any) -> None:
        super().__init__("its text")
        vars(self).update(attributes)


async def test_a_handler_tells_a_message(write: Write) -> None:
    async with make_app(write(SAMPLES)) as server:
        answer = await server.get("/ext/myext/message")
        assert (answer.status, answer.body) == (500, {"error": "no luck"})


async def test_a_handler_tells_an_error_with_its_stack(write: Write) -> None:
    async with make_app(write(SAMPLES)) as server:
        told = (await server.get("/ext/myext/response")).body["responseStatus"]
        assert (told["errorCode"], told["message"]) == ("Error", "no luck")
        assert told["stackTrace"].startswith("Traceback (most recent call last):")
        assert "risky_operation" in told["stackTrace"]


def test_without_being_asked_for_it_the_stack_is_left_out(ctx: Any) -> None:
    assert ctx.error_response(ValueError("no luck")) == {"responseStatus": {"errorCode": "Error", "message": "no luck"}}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("plain"), "plain"),
        (Told(message="its message"), "its message"),
        (Told(status=503), "503"),
        (ValueError('{"message": "inside", "code": 5}'), "inside"),
        (ValueError('{"error": "inside"}'), "inside"),
        (ValueError('{"error": {"message": "deep inside"}}'), "deep inside"),
        (ValueError("{no json"), "{no json"),
    ],
)
def test_error_message_is_what_an_exception_says_to_a_user(ctx: Any, error: Exception, message: str) -> None:
    assert ctx.error_message(error) == message


def test_err_does_without_an_exception(ctx: Any, caplog: pytest.LogCaptureFixture) -> None:
    ctx.err("It broke", None)
    assert caplog.messages == ["It broke"]
