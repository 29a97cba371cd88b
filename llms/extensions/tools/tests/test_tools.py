"""The tools there are and what they say, over HTTP."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llms.testing import make_app

TOOLS = Path(__file__).parents[1]
BUNDLED = json.loads((TOOLS / "server-tools.json").read_text("utf-8"))
ACME = [{"$id": "tool://acme/search", "title": "Search", "properties": {"type": {"const": "search"}}}]


def sum_of(numbers: list[int], unit: str = "") -> str:
    """Adds numbers."""
    return f"{sum(numbers)}{unit}"


def whoami(user: str | None = None) -> str:
    """Tells who is signed in."""
    return f"user: {user}"


def received(**args: Any) -> str:
    """Tells what it was given."""
    return json.dumps(args)


def fails() -> str:
    """Fails."""
    raise ValueError("no such luck")


def draws(prompt: str) -> dict[str, Any]:
    """Draws."""
    return {"type": "file", "data": "aGk=", "filename": f"{prompt}.txt"}


def offers(ctx: Any) -> None:
    """An extension with some tools."""
    ctx.register_tool(sum_of, group="maths")
    for tool in (whoami, fails, draws):
        ctx.register_tool(tool)
    anything = {"type": "object", "properties": {}, "additionalProperties": True}
    function = {"name": "received", "description": "Tells what it was given.", "parameters": anything}
    ctx.register_tool(received, {"type": "function", "function": function})


def signed_in_as(user: str) -> Any:
    """An extension for which everybody is `user`."""

    def install(ctx: Any) -> None:
        session = {"userName": user}
        provider = SimpleNamespace(
            get_session_token=lambda request: "token",
            get_session=lambda request: session,
            get_username=lambda request: user,
            check_auth=lambda request: (True, session),
        )
        ctx.set_auth_provider(provider)

    return install


async def ran(name: str, args: Any, *extensions: Any) -> Any:
    async with make_app(TOOLS, offers, *extensions) as server:
        reply = await server.post(f"/ext/tools/exec/{name}", args)
    assert reply.status == 200, reply.body
    return reply.body


async def test_all_tools_are_listed_with_their_groups() -> None:
    async with make_app(TOOLS, offers) as server:
        reply = await server.get("/ext/tools")
    assert reply.body["groups"] == {"maths": ["sum_of"], "custom": ["whoami", "fails", "draws", "received"]}
    first = reply.body["definitions"][0]["function"]
    assert first["name"] == "sum_of"
    assert first["parameters"]["required"] == ["numbers"]


async def test_without_tools_the_list_is_empty() -> None:
    async with make_app(TOOLS) as server:
        assert (await server.get("/ext/tools")).body == {"groups": {}, "definitions": []}


async def test_a_tool_runs_with_the_arguments_of_the_body() -> None:
    assert await ran("sum_of", {"numbers": [1, "2"], "unit": " cm"}) == [{"type": "text", "text": "3 cm"}]


async def test_what_a_tool_makes_follows_its_text() -> None:
    text, resource = await ran("draws", {"prompt": "cat"})
    assert text["type"] == "text"
    assert resource["type"] == "file"
    assert resource["file"]["filename"] == "cat.txt"
    assert resource["file"]["file_data"] in text["text"]


async def test_arguments_that_the_schema_does_not_have_are_dropped() -> None:
    assert await ran("sum_of", {"numbers": [1], "shell": "rm", "__class__": "x"}) == [{"type": "text", "text": "1"}]


async def test_a_schema_that_takes_anything_is_given_everything_but_a_user() -> None:
    (told,) = await ran("received", {"a": 1, "user": "root"})
    assert json.loads(told["text"]) == {"a": 1}


async def test_a_tool_is_told_who_is_signed_in_whatever_the_caller_says() -> None:
    assert await ran("whoami", {"user": "root"}, signed_in_as("ada")) == [{"type": "text", "text": "user: ada"}]
    assert await ran("whoami", {"user": "root"}) == [{"type": "text", "text": "user: None"}]


async def test_a_failure_is_a_text() -> None:
    (told,) = await ran("fails", {})
    assert told == {"type": "text", "text": "Error executing tool 'fails':\nno such luck"}


async def test_a_missing_argument_is_told_as_a_text() -> None:
    (told,) = await ran("sum_of", {})
    assert "Missing required arguments: numbers" in told["text"]


@pytest.mark.parametrize("name", ["nothing", "a%2Fb", "sum_of%00", "__init__"])
async def test_an_unknown_tool_is_not_found(name: str) -> None:
    async with make_app(TOOLS, offers) as server:
        reply = await server.post(f"/ext/tools/exec/{name}", {})
    assert reply.status == 404
    assert reply.body["responseStatus"]["errorCode"] == "NotFound"
    assert "GET /ext/tools lists" in reply.body["responseStatus"]["message"]


async def test_no_body_is_no_arguments() -> None:
    async with make_app(TOOLS, offers) as server:
        reply = await server.post("/ext/tools/exec/whoami", headers={"Content-Length": "0"})
    assert reply.body == [{"type": "text", "text": "user: None"}]


@pytest.mark.parametrize("body", ["[1]", "null", '"x"', "{", "\x00", "[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(body: str) -> None:
    async with make_app(TOOLS, offers) as server:
        url = f"{server.url}/ext/tools/exec/whoami"
        async with server.http.post(url, data=body, headers={"Content-Type": "application/json"}) as reply:
            assert reply.status == 400
            assert "arguments" in (await reply.json())["responseStatus"]["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_cannot_run_a_tool(content_type: str) -> None:
    async with make_app(TOOLS, offers) as server:
        url = f"{server.url}/ext/tools/exec/whoami"
        async with server.http.post(url, data="{}", headers={"Content-Type": content_type}) as reply:
            assert reply.status == 415


# -- vendors' tools ------------------------------------------------------------------------------------------------


def write(home: Path, user: str, content: Any) -> None:
    file = home / "user" / user / "server-tools.json"
    file.parent.mkdir(parents=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


async def server_tools(home: Path, *extensions: Any) -> Any:
    async with make_app(TOOLS, *extensions, home=home) as server:
        reply = await server.get("/ext/tools/server")
    assert reply.status == 200
    return reply.body


async def test_vendors_tools_come_with_llms_unless_somebody_wrote_others(tmp_path: Path) -> None:
    assert await server_tools(tmp_path) == BUNDLED
    write(tmp_path, "ada", ACME)
    assert await server_tools(tmp_path, signed_in_as("bob")) == BUNDLED
    assert await server_tools(tmp_path, signed_in_as("ada")) == ACME
    write(tmp_path, "default", [])
    assert await server_tools(tmp_path, signed_in_as("bob")) == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[{", "is not valid JSON"),
        ({}, "holds no list"),
        ([*ACME, 1], "schema 2 in"),
        ([{"$id": "https://acme/search", "properties": {}}], "schema 1 in"),
        ([{"$id": "tool://acme/search"}], "tool://acme/search in"),
    ],
)
async def test_a_broken_file_is_reported_and_the_next_one_used(
    tmp_path: Path, content: Any, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "default", content)
    assert await server_tools(tmp_path) == BUNDLED
    assert complaint in caplog.text
    assert str(tmp_path / "user/default/server-tools.json") in caplog.text


def schema_id(schema: dict[str, Any]) -> str:
    return str(schema["$id"])


def test_each_of_vendors_tools_has_its_own_address() -> None:
    assert len({schema["$id"] for schema in BUNDLED}) == len(BUNDLED) >= 13


@pytest.mark.parametrize("schema", BUNDLED, ids=schema_id)
def test_a_vendors_tool_is_a_json_schema_with_what_the_page_shows(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert schema["ui"]["docs"].startswith("https://")
    assert "const" in schema["properties"]["type"]


def test_the_simplest_choice_is_what_vendors_ask_for() -> None:
    schemas = {schema["$id"]: Draft202012Validator(schema) for schema in BUNDLED}
    choices = {
        "tool://openrouter/web_search": {"type": "openrouter:web_search", "parameters": {}},
        "tool://openai/web_search": {"type": "web_search"},
        "tool://openai/code_interpreter": {"type": "code_interpreter", "container": {"type": "auto"}},
        "tool://openai/file_search": {"type": "file_search", "vector_store_ids": ["vs_1"]},
        "tool://anthropic/web_search": {"type": "web_search_20250305", "name": "web_search"},
        "tool://anthropic/code_execution": {"type": "code_execution_20250825", "name": "code_execution"},
        "tool://google/google_search": {"type": "google_search"},
        "tool://xai/x_search": {"type": "x_search"},
        "tool://groq/browser_search": {"type": "browser_search"},
    }
    for address, choice in choices.items():
        assert list(schemas[address].iter_errors(choice)) == [], address


async def test_a_chosen_tool_of_a_vendor_reaches_the_provider_unchanged() -> None:
    choice = {"type": "openrouter:web_search", "parameters": {"max_results": 3}}
    async with make_app(TOOLS, offers) as server:
        server.provider.enqueue("found")
        reply = await server.chat("Search!", tools=[choice], metadata={"tools": "none"})
    assert reply.status == 200
    assert server.provider.history[-1]["tools"] == [choice]
