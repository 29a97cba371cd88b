"""Whose prompts the page is offered, over HTTP."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llms.testing import make_app

SYSTEM_PROMPTS = Path(__file__).parents[1]
URL = "/ext/system_prompts/prompts.json"
BUNDLED = json.loads((SYSTEM_PROMPTS / "ui/prompts.json").read_text("utf-8"))
OURS = [{"id": "ours", "name": "Ours", "value": "For everybody."}]
HERS = [{"id": "hers", "name": "Hers", "value": "Für Ada. ✓"}]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def write(home: Path, user: str, content: Any) -> None:
    file = home / "user" / user / "system_prompts/prompts.json"
    file.parent.mkdir(parents=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


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


async def asked(home: Path, *extensions: Any) -> Any:
    async with make_app(SYSTEM_PROMPTS, *extensions, home=home) as server:
        reply = await server.get(URL)
    assert reply.status == 200
    return reply.body


async def test_without_any_file_there_is_the_library_that_comes_with_llms(home: Path) -> None:
    assert await asked(home) == BUNDLED


async def test_a_file_for_everybody_replaces_the_library(home: Path) -> None:
    write(home, "default", OURS)
    assert await asked(home) == OURS
    assert await asked(home, signed_in_as("bob")) == OURS


async def test_who_signed_in_has_prompts_of_their_own(home: Path) -> None:
    write(home, "default", OURS)
    write(home, "ada", HERS)
    assert await asked(home, signed_in_as("ada")) == HERS
    assert await asked(home) == OURS


async def test_an_empty_library_is_one(home: Path) -> None:
    write(home, "default", [])
    assert await asked(home) == []


async def test_an_edit_is_there_at_once(home: Path) -> None:
    async with make_app(SYSTEM_PROMPTS, home=home) as server:
        await server.get(URL)
        write(home, "default", OURS)
        assert (await server.get(URL)).body == OURS


async def test_what_a_prompt_has_beside_is_passed_on_and_an_id_is_not_needed(home: Path) -> None:
    write(home, "default", [{"name": "Ours", "value": "x", "tags": ["a"]}])
    assert await asked(home) == [{"id": "Ours", "name": "Ours", "value": "x", "tags": ["a"]}]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[{", "is not valid JSON"),
        ("\ufeff" + "nonsense", "is not valid JSON"),
        ({"prompts": []}, "holds no list"),
        ([*OURS, "text"], "prompt 2 in"),
        ([{"id": "a", "name": "A"}], "prompt 1 in"),
        ([{"id": "a", "name": 1, "value": "x"}], "prompt 1 in"),
    ],
)
async def test_a_broken_file_is_reported_and_the_next_one_used(
    home: Path, content: Any, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(home, "default", OURS)
    write(home, "ada", content)
    assert await asked(home, signed_in_as("ada")) == OURS
    assert complaint in caplog.text
    assert str(home / "user/ada/system_prompts/prompts.json") in caplog.text


async def test_a_file_that_is_no_text_is_passed_over(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home, "default", "")
    (home / "user/default/system_prompts/prompts.json").write_bytes(b"\xff\xfe\x00")
    assert await asked(home) == BUNDLED
    assert "cannot be read" in caplog.text


async def test_a_user_name_leads_to_no_other_folder(home: Path) -> None:
    secret = home / "system_prompts"
    secret.mkdir(parents=True)
    (secret / "prompts.json").write_text(json.dumps(HERS))
    async with make_app(SYSTEM_PROMPTS, signed_in_as("../.."), home=home) as server:
        reply = await server.get(URL)
    assert reply.status == 401
    assert "Ada" not in json.dumps(reply.body)


def test_the_library_is_whole() -> None:
    assert len(BUNDLED) >= 20
    for field in ("id", "name", "value"):
        texts = [prompt[field] for prompt in BUNDLED]
        assert all(text and text == text.strip() for text in texts)
        assert len(set(texts)) == len(texts), f"two prompts have the same {field}"
