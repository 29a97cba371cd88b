"""Tools: registering them, and running them."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.testing import TestServer, make_app

from .calling import calls
from .conftest import Write

DATABASE = '''
    from typing import Any, Dict

    def do_search(query, limit):
        return [f"{query} {number}" for number in range(limit)]

    def __install__(ctx):
        def search_database(query: str, limit: int = 10) -> Dict[str, Any]:
            """Search the database for matching records.

            Args:
                query: Search query string
                limit: Maximum number of results to return

            Returns:
                Dictionary containing search results
            """
            results = do_search(query, limit)
            return {"results": results}

        ctx.register_tool(search_database, group="database")

        async def definition(request):
            tool_def = ctx.get_tool_definition("search_database")
            return tool_def

        async def run(request):
            text, resources = await ctx.exec_tool("search_database", {"query": "test"})
            return {"text": text, "resources": resources}

        ctx.add_get("definition", definition)
        ctx.add_get("run", run)
'''


@pytest.fixture
async def database(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(DATABASE)) as server:
        yield server


# -- registration ------------------------------------------------------------------------------------------------


async def test_a_model_can_invoke_a_registered_tool(database: TestServer) -> None:
    database.provider.enqueue(calls(("search_database", {"query": "x", "limit": 2})), "Two.")
    answer = await database.chat("Search", metadata={"tools": "all"})
    assert answer.text == "Two."
    told: Any = database.provider.history[1]["messages"][-1]
    assert (told["role"], json.loads(told["content"])) == ("tool", {"results": ["x 0", "x 1"]})


async def test_a_definition_is_made_from_signature_and_docstring(database: TestServer) -> None:
    definition = (await database.get("/ext/myext/definition")).body
    assert definition["type"] == "function"
    function = definition["function"]
    assert function["name"] == "search_database"
    assert function["description"].startswith("Search the database for matching records.")
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "Search query string"},
            "limit": {"type": "integer", "description": "Maximum number of results to return", "default": 10},
        },
        "required": ["query"],
    }


def test_a_group_categorizes_tools_and_is_custom_by_default(ctx: Any) -> None:
    ctx.register_tool(lambda: None, {"type": "function", "function": {"name": "one", "parameters": {}}})
    ctx.register_tool(lambda: None, {"type": "function", "function": {"name": "two", "parameters": {}}}, group="g")
    assert ctx.app.tool_groups == {"custom": ["one"], "g": ["two"]}


def test_a_definition_that_is_given_is_used_with_its_name(ctx: Any) -> None:
    parameters = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    given = {"type": "function", "function": {"name": "said", "description": "Says.", "parameters": parameters}}

    def function(word: str) -> str:
        """Not this text."""
        return word

    ctx.register_tool(func=function, tool_def=given)
    assert ctx.get_tool_definition("said")["function"] == given["function"]
    assert ctx.get_tool_definition("function") is None


def test_a_tool_that_nobody_registered_has_no_definition(ctx: Any) -> None:
    assert ctx.get_tool_definition("nothing") is None


def test_a_tool_registered_again_is_replaced_and_moves_to_the_new_group(ctx: Any) -> None:
    def tool() -> str:
        """One."""
        return ""

    ctx.register_tool(tool, group="a")
    tool.__doc__ = "Two."
    ctx.register_tool(tool, group="b")
    assert ctx.get_tool_definition("tool")["function"]["description"] == "Two."
    assert ctx.app.tool_groups == {"b": ["tool"]}


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("", {"type": "string"}),
        (": str", {"type": "string"}),
        (": Any", {"type": "string"}),
        (": int", {"type": "integer"}),
        (": float", {"type": "number"}),
        (": bool", {"type": "boolean"}),
        (": List[int]", {"type": "array", "items": {"type": "integer"}}),
        (": list[str]", {"type": "array", "items": {"type": "string"}}),
        (": Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        (": Colour", {"type": "string", "enum": ["red", "blue"]}),
        (": Optional[int]", {"type": "integer"}),
        (": int | None", {"type": "integer"}),
        (": Annotated[str, 'A word']", {"type": "string", "description": "A word"}),
    ],
)
async def test_a_parameters_annotation_is_told_as_json_schema(write: Write, annotation: str, schema: Any) -> None:
    extension = write(
        f"""
        from enum import Enum
        from typing import Annotated, Any, List, Literal, Optional

        class Colour(Enum):
            RED = "red"
            BLUE = "blue"

        def tool(value{annotation}):
            pass

        def __install__(ctx):
            ctx.register_tool(tool)
        """
    )
    async with make_app(extension) as server:
        ctx: Any = server.host.context("myext")
        parameters = ctx.get_tool_definition("tool")["function"]["parameters"]
        assert parameters == {"type": "object", "properties": {"value": schema}, "required": ["value"]}


def test_references_into_the_definitions_are_inlined(ctx: Any) -> None:
    point = {"type": "object", "properties": {"x": {"type": "integer"}}}
    properties = {"at": {"$ref": "#/$defs/Point", "description": "Where"}}
    parameters = {"type": "object", "properties": properties, "$defs": {"Point": point}}
    tool_def = {"type": "function", "function": {"name": "draw", "parameters": parameters}}
    assert ctx.sanitize_tool_def(tool_def) is tool_def
    assert tool_def["function"] == {
        "name": "draw",
        "parameters": {"type": "object", "properties": {"at": {**point, "description": "Where"}}},
    }


# -- execution ---------------------------------------------------------------------------------------------------


async def test_exec_tool_gives_text_and_resources(database: TestServer) -> None:
    ran = (await database.get("/ext/myext/run")).body
    assert json.loads(ran["text"]) == {"results": [f"test {number}" for number in range(10)]}
    assert ran["resources"] == []


async def test_a_tool_may_be_async(ctx: Any) -> None:
    async def wait(word: str) -> str:
        return f"waited for {word}"

    ctx.register_tool(wait)
    assert await ctx.exec_tool("wait", {"word": "you"}) == ("waited for you", [])


async def test_an_unknown_tool_is_told_as_a_text(ctx: Any) -> None:
    assert await ctx.exec_tool("nothing", {}) == ("Error: Tool 'nothing' not found", [])


async def test_what_a_tool_raises_is_told_as_a_text(ctx: Any) -> None:
    def broken() -> None:
        raise ValueError("no luck")

    ctx.register_tool(broken)
    assert await ctx.exec_tool("broken", {}) == ("Error executing tool 'broken':\nno luck", [])


@pytest.mark.parametrize(
    ("annotation", "given", "got"),
    [
        ("int", "3", 3),
        ("float", "1.5", 1.5),
        ("bool", "yes", True),
        ("bool", "0", False),
        ("dict", '{"a": 1}', {"a": 1}),
        ("list", '["a"]', ["a"]),
        ("list[int]", "1,2", [1, 2]),
        ("int", "three", "three"),
    ],
)
async def test_texts_are_converted_to_what_the_schema_says(write: Write, annotation: str, given: str, got: Any) -> None:
    source = f"""
        def tool(value: {annotation}):
            return {{"got": value}}

        def __install__(ctx):
            ctx.register_tool(tool)
    """
    async with make_app(write(source)) as server:
        ctx: Any = server.host.context("myext")
        text, _ = await ctx.exec_tool("tool", {"value": given})
        assert json.loads(text) == {"got": got}


# -- results -----------------------------------------------------------------------------------------------------

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


async def test_a_tools_image_is_an_artifact_in_the_structure_of_openais_content(database: TestServer) -> None:
    ctx: Any = database.host.context("myext")

    def draw(prompt: str) -> Any:
        return [{"type": "text", "text": "Here:"}, {"type": "image", "data": PNG, "format": "png"}]

    ctx.register_tool(draw)
    text, (image,) = await ctx.exec_tool("draw", {"prompt": "a dot"})
    url = image["image_url"]["url"]
    assert image == {"type": "image_url", "image_url": {"url": url}}
    assert text == f"Here:\n![a dot]({url})\n"
    async with database.http.get(f"{database.url}{url}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")


@pytest.mark.parametrize(
    ("result", "text"),
    [("plain", "plain"), (5, "5"), (None, "None"), ([1, 2], "[1, 2]"), ({"a": 1}, '{"a": 1}'), ([], "[]")],
)
def test_a_result_without_files_is_a_text(ctx: Any, result: Any, text: str) -> None:
    assert ctx.tool_result(result) == (text, [])


def test_a_list_of_parts_is_joined_with_line_ends(ctx: Any) -> None:
    parts = [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}, {"x": 1}]
    assert ctx.tool_result(parts, function_name="tool", function_args={}) == ('A\nB\n{"x": 1}', [])


def test_a_text_part_is_its_text(ctx: Any) -> None:
    assert ctx.tool_result_part({"type": "text", "text": "A"}) == ("A", None)


def test_an_image_part_is_kept_with_what_its_tool_was_asked(ctx: Any) -> None:
    args = {"prompt": "a dot", "model": "m", "aspect_ratio": "1:1"}
    text, resource = ctx.tool_result_part({"type": "image", "data": PNG, "filename": "dot.png"}, "draw", args)
    url = resource["image_url"]["url"]
    assert (text, resource["type"]) == (f"![a dot]({url})\n", "image_url")
    _, info = ctx.read_binary_file(url)
    assert {key: info[key] for key in args} == args
    assert (info["name"], info["type"]) == ("dot.png", "image/png")


def test_an_audio_part_is_kept(ctx: Any) -> None:
    data = b64encode(b"ID3 sound").decode()
    text, resource = ctx.tool_result_part({"type": "audio", "data": data, "format": "mp3"}, "speak")
    url = resource["audio_url"]["url"]
    assert resource == {"type": "audio_url", "audio_url": {"url": url}}
    assert text.startswith("[speak-")
    assert text.endswith(f".mp3]({url})\n")


def test_a_file_part_is_kept(ctx: Any) -> None:
    data = b64encode(b"a,b\n").decode()
    text, resource = ctx.tool_result_part({"type": "file", "data": data, "name": "t.csv"}, "export")
    url = resource["file"]["file_data"]
    assert resource == {"type": "file", "file": {"file_data": url, "filename": "t.csv"}}
    assert text == f"[t.csv]({url})\n"
    assert ctx.read_binary_file(url)[0] == b"a,b\n"


@pytest.mark.parametrize("kind", ["image", "audio", "file"])
def test_a_part_without_data_is_nothing(ctx: Any, kind: str) -> None:
    assert ctx.tool_result_part({"type": kind, "filename": "absent"}) == (None, None)


@pytest.mark.parametrize(
    ("result", "text"),
    [("s", "s"), (1, "1"), (1.5, "1.5"), (True, "True"), ([1], "[1]"), ((1, 2), "[1, 2]"), ({"a": 1}, '{"a": 1}')],
)
def test_to_content_makes_a_text_of_anything(ctx: Any, result: Any, text: str) -> None:
    assert ctx.to_content(result) == text


def test_group_resources_sorts_by_kind(ctx: Any) -> None:
    image = {"type": "image_url", "image_url": {"url": "i"}}
    audio = {"type": "audio_url", "audio_url": {"url": "a"}}
    file, other = {"type": "file", "file": {"file_data": "f"}}, {"type": "video"}
    text = {"type": "text", "text": "t"}
    assert ctx.group_resources([image, audio, file, text, other, {"none": 1}]) == {
        "images": [image],
        "audios": [audio],
        "files": [file],
        "texts": [text],
        "others": [other],
    }
