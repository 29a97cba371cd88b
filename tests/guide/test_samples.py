"""The guide's whole samples, as folders that are loaded like a user's, asked over HTTP."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config

from . import seed
from .calling import calls
from .conftest import Write
from .signing_in import ANN, SIGN_IN

SAMPLES = Path(__file__).parents[1] / "samples"

# -- they are the guide's, word for word -------------------------------------------------------------------------


def printed() -> dict[str, list[str]]:
    """The lines of each sample in the guide."""
    return {
        "xmas": [
            *seed.code("def install(ctx):", 'ctx.add_post("greet", greet) # POST /ext/xmas/greet'),
            *seed.code("async def story(request):", 'ctx.add_get("story", story) # GET /ext/xmas/story'),
            *seed.code("# register install extension handler", "__install__ = install"),
        ],
        "user_prompts": seed.code("def install(ctx):", 'ctx.add_get("prompts.json", get_prompts)', nth=1),
        "web_search": seed.code("from ddgs import DDGS", "__install__ = install"),
        "openrouter_image": seed.code("def install(ctx):", "__install__ = install", nth=3),
        "example": seed.code("import os", 'ctx.log("Example extension initialized!")'),
        "my_provider": seed.code("from llms.main import OpenAiCompatible", "ctx.add_provider(MyProvider)"),
    }


ADDED = {  # what the guide leaves out, since it prints parts of files
    "xmas": ["import json", "from pathlib import Path", "from aiohttp import web"],
    "user_prompts": [
        *("import json", "import os", "from pathlib import Path", "from aiohttp import web"),
        'default_prompts = [{"id": "default", "name": "Default", "value": "Be kind."}]',
        "__install__ = install",
    ],
    "openrouter_image": ["import json", "import time", "import aiohttp"],
    "my_provider": ["def init(ctx):"],
}


@seed.here
@pytest.mark.parametrize("name", [path.parent.name for path in sorted(SAMPLES.glob("*/__init__.py"))])
def test_a_sample_is_what_the_guide_prints_and_the_imports_it_leaves_out(name: str) -> None:
    source = (SAMPLES / name / "__init__.py").read_text("utf-8")
    ours = [line.strip() for line in source.splitlines() if line.strip()]
    theirs, added = printed()[name], ADDED.get(name, [])
    before = next(number for number, line in enumerate(ours) if line == theirs[0])
    assert ours[before : before + len(theirs)] == theirs
    assert ours[:before] + ours[before + len(theirs) :] == added


@seed.here
def test_the_samples_ui_is_what_the_guide_prints() -> None:
    ours = (SAMPLES / "xmas/ui/index.mjs").read_text("utf-8").splitlines()
    theirs = [*seed.code("// Vue 3 Component", "// ui/index.mjs"), *seed.code("export default {", "}")]
    assert [line.strip() for line in ours if line.strip()][:-1] == [*theirs[:-1], "}"]


# -- xmas --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def xmas() -> AsyncIterator[TestServer]:
    async with make_app(SAMPLES / "xmas") as server:
        yield server


async def test_xmas_greets_who_is_named_in_the_query(xmas: TestServer) -> None:
    answer = await xmas.get("/ext/xmas/greet?name=Ann")
    assert (answer.status, answer.body) == (200, {"result": "Hello Ann, Merry Christmas!"})


async def test_xmas_greets_everybody_else_as_a_stranger(xmas: TestServer) -> None:
    assert (await xmas.get("/ext/xmas/greet")).body == {"result": "Hello Stranger, Merry Christmas!"}


async def test_xmas_counts_and_uses_one_greeting_after_the_other(xmas: TestServer) -> None:
    greetings = [(await xmas.get("/ext/xmas/greet?name=A")).body["result"] for _ in range(3)]
    assert greetings == ["Hello A, Merry Christmas!", "Hello A, Happy Holidays!", "Hello A, Merry Christmas!"]


@pytest.mark.parametrize("form", [{"name": "Bob"}, aiohttp.FormData({"name": "Bob"}, default_to_multipart=True)])
async def test_xmas_greets_who_is_named_in_a_form(xmas: TestServer, form: Any) -> None:
    async with xmas.http.post(f"{xmas.url}/ext/xmas/greet", data=form) as answer:
        assert await answer.json() == {"result": "Hello Bob, Merry Christmas!"}


async def test_the_greetings_of_xmas_are_a_static_file(xmas: TestServer) -> None:
    answer = await xmas.get("/ext/xmas/greetings.json")
    assert answer.body == json.loads((SAMPLES / "xmas/ui/greetings.json").read_text())


async def test_without_its_greetings_xmas_has_one_of_its_own(tmp_path: Path) -> None:
    folder = shutil.copytree(SAMPLES / "xmas", tmp_path / "xmas")
    (folder / "ui/greetings.json").unlink()
    async with make_app(folder) as server:
        assert (await server.get("/ext/xmas/greet")).body == {"result": "Hello Stranger, Merry Christmas!"}


async def test_the_page_loads_the_component_of_xmas(xmas: TestServer) -> None:
    assert (await xmas.get("/ext")).body == [{"id": "xmas", "path": "/ext/xmas/index.mjs"}]
    assert "ctx.components({ MyComponent })" in (await xmas.get("/ext/xmas/index.mjs")).body


async def test_xmas_tells_a_story_by_the_model_that_is_asked_for(xmas: TestServer) -> None:
    xmas.provider.enqueue("Once upon a time")
    answer = await xmas.get("/ext/xmas/story?model=fake-model")
    assert answer.body["choices"][0]["message"]["content"] == "Once upon a time"
    (chat,) = xmas.provider.history
    assert chat["model"] == "fake-model"
    assert "Tell me a short Christmas tale" in json.dumps(chat["messages"])


async def test_xmas_tells_its_story_without_a_model_too(xmas: TestServer) -> None:
    assert (await xmas.get("/ext/xmas/story")).body["choices"][0]["message"]["content"] == "ok"


# -- user prompts ------------------------------------------------------------------------------------------------

MakePrompts = Callable[[str, str], None]
PROMPTS = "/ext/system_prompts/prompts.json"


@pytest.fixture
def prompts_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePrompts:
    """Writes the prompts of a user of this machine's person, whose home is empty until then."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def write(user: str, value: str) -> None:
        file = tmp_path / ".llms/user" / user / "system_prompts/prompts.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps([{"id": user, "value": value}]), "utf-8")

    return write


@pytest.fixture
async def prompts(tmp_path: Path, write: Write, prompts_of: MakePrompts) -> AsyncIterator[TestServer]:
    """The sample, called as its comment says, beside an extension that asks people to sign in."""
    folder = shutil.copytree(SAMPLES / "user_prompts", tmp_path / "extensions/system_prompts")
    async with make_app(write(SIGN_IN, name="sign_in"), folder) as server:
        yield server


async def test_who_is_signed_in_gets_their_own_prompts(prompts: TestServer, prompts_of: MakePrompts) -> None:
    prompts_of("ann", "Be Ann's.")
    prompts_of("default", "Be everybody's.")
    answer = await prompts.get(PROMPTS, headers=ANN)
    assert answer.body == [{"id": "ann", "value": "Be Ann's."}]


async def test_who_has_no_prompts_gets_those_of_all_users(prompts: TestServer, prompts_of: MakePrompts) -> None:
    prompts_of("default", "Be everybody's.")
    assert (await prompts.get(PROMPTS, headers=ANN)).body == [{"id": "default", "value": "Be everybody's."}]


async def test_where_nobody_has_prompts_the_extensions_are_used(prompts: TestServer) -> None:
    assert (await prompts.get(PROMPTS, headers=ANN)).body[0]["id"] == "bundled"


async def test_without_any_file_the_default_prompts_are_used(prompts: TestServer, tmp_path: Path) -> None:
    (tmp_path / "extensions/system_prompts/ui/prompts.json").unlink()
    assert (await prompts.get(PROMPTS, headers=ANN)).body[0]["id"] == "default"


async def test_where_nobody_signs_in_the_prompts_of_all_users_are_used(prompts_of: MakePrompts) -> None:
    prompts_of("default", "Be everybody's.")
    async with make_app(SAMPLES / "user_prompts") as server:
        answer = await server.get("/ext/user_prompts/prompts.json")
        assert answer.body == [{"id": "default", "value": "Be everybody's."}]


# -- web search --------------------------------------------------------------------------------------------------

DDGS = '''
class DDGS:
    """Stands in for the search engine."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def text(self, query, max_results):
        if query == "offline":
            raise ConnectionError("no network")
        return iter([{"title": query, "number": number} for number in range(max_results)])
'''


@pytest.fixture
def web_search(tmp_path: Path) -> Path:
    """The sample as it is after its requirements were installed."""
    folder = shutil.copytree(SAMPLES / "web_search", tmp_path / "web_search")
    package = folder / ".requirements/ddgs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(DDGS, "utf-8")
    return folder


async def test_a_model_searches_the_web(web_search: Path) -> None:
    async with make_app(web_search) as server:
        server.provider.enqueue(calls(("web_search", {"query": "tea", "max_results": 2})), "Tea is good.")
        answer = await server.chat("What is tea?", metadata={"tools": "all"})
        assert answer.text == "Tea is good."
        told: Any = server.provider.history[1]["messages"][-1]["content"]
        assert json.loads(told) == {
            "query": "tea",
            "results": [{"title": "tea", "number": 0}, {"title": "tea", "number": 1}],
        }


async def test_the_tool_is_told_with_the_types_of_its_parameters(web_search: Path) -> None:
    async with make_app(web_search) as server:
        server.provider.enqueue("ok")
        await server.chat("What is tea?", metadata={"tools": "all"})
        (tool,) = server.provider.history[0]["tools"]
        assert tool["function"]["description"] == "Perform a web search using DuckDuckGo."
        assert tool["function"]["parameters"] == {
            "type": "object",
            "properties": {
                "query": {"type": "string"},
                "max_results": {"type": "integer", "default": 10},
                "page": {"type": "integer", "default": 1},
            },
            "required": ["query"],
        }


async def test_a_search_that_fails_is_told_to_the_model(web_search: Path) -> None:
    async with make_app(web_search) as server:
        ctx: Any = server.host.context("web_search")
        text, resources = await ctx.exec_tool("web_search", {"query": "offline"})
        assert (json.loads(text), resources) == ({"query": "offline", "error": "no network"}, [])


async def test_without_its_requirements_it_says_what_is_missing_and_how_to_install_it() -> None:
    with pytest.raises(AssertionError) as failed:
        async with make_app(SAMPLES / "web_search"):
            pass
    told = str(failed.value)
    assert "'ddgs', which is not installed" in told
    assert f"pip install -r {SAMPLES / 'web_search/requirements.txt'}" in told


# -- openrouter images -------------------------------------------------------------------------------------------

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
IMAGE_CHAT: Any = {"modalities": ["image", "text"]}


def painted() -> bytes:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    message = {"role": "assistant", "content": "", "images": [image]}
    return json.dumps({"id": "g1", "choices": [{"index": 0, "message": message}]}).encode()


def openrouter(upstream: FakeUpstream) -> Any:
    """The guide's configuration, with the rest of a provider around it."""
    (entry,) = upstream_config(upstream)["providers"].values()
    modalities = {"image": {"name": "OpenRouter Image", "npm": "openrouter/image"}}
    return {"providers": {"openrouter": {**entry, "enabled": True, "id": "openrouter", "modalities": modalities}}}


async def test_the_generator_makes_the_images_of_the_provider_whose_modality_names_its_sdk(
    fake_upstream: FakeUpstream,
) -> None:
    fake_upstream.enqueue(painted())
    async with make_app(SAMPLES / "openrouter_image", config=openrouter(fake_upstream)) as server:
        answer = await server.chat("A cat", **IMAGE_CHAT)
        message = answer.body["choices"][0]["message"]
        url = message["images"][0]["image_url"]["url"]
        assert message["content"]
        assert url.startswith("/~cache/")
        async with server.http.get(f"{server.url}{url}") as image:
            assert (image.status, image.content_type) == (200, "image/png")
            assert (await image.read()).startswith(b"\x89PNG")
        info = (await server.get(f"{url}?info")).body
        assert (info["model"], info["prompt"]) == ("fake-model", "A cat")
        assert (info["name"], info["width"], info["height"]) == ("fake-model-0.png", 1, 1)


async def test_the_vendor_gets_the_chat_and_the_providers_key_but_no_metadata(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(painted())
    async with make_app(SAMPLES / "openrouter_image", config=openrouter(fake_upstream)) as server:
        await server.chat("A cat", metadata={"threadId": 7}, **IMAGE_CHAT)
    (request,) = fake_upstream.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer test-key-0123456789"
    assert request.body == {
        "model": "fake-model",
        "messages": [{"role": "user", "content": "A cat"}],
        "modalities": ["image", "text"],
    }


async def test_texts_of_that_provider_are_still_its_own(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Meow")
    async with make_app(SAMPLES / "openrouter_image", config=openrouter(fake_upstream)) as server:
        assert (await server.chat("Say meow")).text == "Meow"


async def test_with_mock_the_generator_answers_from_a_file(
    fake_upstream: FakeUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "openrouter-image.json").write_bytes(painted())
    environ = {"MOCK": "1", "MOCK_DIR": str(tmp_path)}
    config = openrouter(fake_upstream)
    async with make_app(SAMPLES / "openrouter_image", config=config, environ=environ) as server:
        answer = await server.chat("A cat", **IMAGE_CHAT)
        assert answer.body["choices"][0]["message"]["images"][0]["image_url"]["url"].startswith("/~cache/")
    assert fake_upstream.requests == []
    assert "Mocking OpenRouterGenerator" in capsys.readouterr().out


async def test_what_the_vendor_refuses_is_told_to_who_asked(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(402, "No credit left")
    async with make_app(SAMPLES / "openrouter_image", config=openrouter(fake_upstream)) as server:
        answer = await server.chat("A cat", **IMAGE_CHAT)
        assert answer.status == 402
        assert "No credit left" in answer.body["error"]["message"]


# -- the complete example ----------------------------------------------------------------------------------------


async def test_the_example_tells_its_status_where_nobody_signs_in() -> None:
    async with make_app(SAMPLES / "example") as server:
        answer = await server.get("/ext/example/status")
        assert answer.body == {"extension": "example", "authenticated": True, "user": None}


async def test_the_example_tells_who_is_signed_in(write: Write) -> None:
    async with make_app(write(SIGN_IN, name="sign_in"), SAMPLES / "example") as server:
        answer = await server.get("/ext/example/status", headers=ANN)
        assert answer.body == {"extension": "example", "authenticated": True, "user": "ann"}


async def test_the_example_makes_something_for_who_is_signed_in_alone(write: Write) -> None:
    async with make_app(write(SIGN_IN, name="sign_in"), SAMPLES / "example") as server:
        answer = await server.post("/ext/example/items", {"a": 1}, headers=ANN)
        assert answer.body == {"success": True, "id": "123"}
        refused = await server.post("/ext/example/items", {"a": 1})
        assert (refused.status, refused.body["responseStatus"]["errorCode"]) == (401, "Unauthorized")


async def test_the_example_answers_rubbish_with_an_error() -> None:
    async with make_app(SAMPLES / "example") as server:
        headers = {"Content-Type": "application/json"}
        async with server.http.post(f"{server.url}/ext/example/items", data=b"{", headers=headers) as answer:
            assert answer.status == 500
            assert (await answer.json())["responseStatus"]["errorCode"] == "Error"


async def test_a_model_uses_the_examples_tool() -> None:
    async with make_app(SAMPLES / "example") as server:
        assert server.app.tools.groups == {"social": ["greet_user"]}
        server.provider.enqueue(calls(("greet_user", {"name": "Ann", "formal": True})), "done")
        await server.chat("Greet Ann", metadata={"tools": "all"})
        asked, answered = server.provider.history
        parameters = asked["tools"][0]["function"]["parameters"]
        assert parameters["properties"]["name"] == {"type": "string", "description": "The user's name"}
        assert parameters["properties"]["formal"]["description"] == "Whether to use formal greeting"
        assert answered["messages"][-1]["content"] == "Good day, Ann. How may I assist you?"


async def test_the_example_logs_each_chat_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="llms.ext.example")
    async with make_app(SAMPLES / "example") as server:
        await server.chat("Hi", metadata={"threadId": 7})
    told = [record.getMessage() for record in caplog.records if record.name == "llms.ext.example"]
    assert told == [
        "Example extension initialized!",
        "Chat request for thread: 7",
        "Extension shutting down, cleaning up...",
    ]


# -- a provider class --------------------------------------------------------------------------------------------


async def test_a_provider_class_without_an_sdk_is_chosen_by_its_name(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello from mine")
    config = upstream_config(fake_upstream, npm="my-provider")
    async with make_app(SAMPLES / "my_provider", config=config) as server:
        assert type(server.app.registry.live["upstream"]).__name__ == "MyProvider"
        assert (await server.chat("Hi")).text == "Hello from mine"
