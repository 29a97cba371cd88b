"""What a person at a terminal sees."""

import asyncio

import pytest

from llms.testing import Gate, Hang
from llms.testing.upstream import chunk, sse

from .program import DEADLINE, Program

ANSWER = """# Rivers

The **Seine** and the *Rhine*.

- one
- two

```python
x = 1

y = 2
```

Done.
"""


async def test_markdown_is_drawn_while_it_is_being_written(program: Program) -> None:
    rest = Gate()
    program.upstream.enqueue_stream("The **Seine", rest, "** flows.\n\n- one\n")
    async with program.on_terminal("rivers?") as terminal:
        await terminal.sees(r"The \*\*Seine")
        rest.opened.set()
        assert await terminal.ends() == 0
    assert "The Seine flows." in terminal.text
    assert " • one" in terminal.text
    assert "**" not in terminal.text


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_however_it_is_cut_every_block_is_there_once(program: Program, size: int) -> None:
    program.upstream.enqueue_stream(*(ANSWER[i : i + size] for i in range(0, len(ANSWER), size)))
    async with program.on_terminal("rivers?") as terminal:
        assert await terminal.ends() == 0
    lines = [line.strip() for line in terminal.text.splitlines() if line.strip()]
    assert "Rivers" in lines[0] or "Rivers" in lines[1]
    assert lines[-6:] == ["The Seine and the Rhine.", "• one", "• two", "x = 1", "y = 2", "Done."]


async def test_a_block_taller_than_the_terminal_is_whole_in_the_end(program: Program) -> None:
    items = [f"- item {i}\n" for i in range(60)]
    program.upstream.enqueue_stream(*items)
    async with program.on_terminal("list", height=10) as terminal:
        assert await terminal.ends() == 0
    assert [line.strip() for line in terminal.text.splitlines() if line] == [f"• item {i}" for i in range(60)]


async def test_a_narrow_terminal_loses_no_word(program: Program) -> None:
    words = [f"word{i}" for i in range(40)]
    program.upstream.enqueue_stream(" ".join(words))
    async with program.on_terminal("words", width=12) as terminal:
        assert await terminal.ends() == 0
    assert terminal.text.split() == words


async def test_reasoning_is_shown_dim_before_the_answer(program: Program) -> None:
    program.upstream.enqueue_stream(sse(chunk({"reasoning_content": "two and two"})), "Four.")
    async with program.on_terminal("2 + 2") as terminal:
        assert await terminal.ends() == 0
    assert terminal.text.split("\n") == ["two and two", "", "Four.", ""]
    assert "\x1b[2mtwo and two" in terminal.raw


async def test_ctrl_c_keeps_what_came_and_leaves_the_terminal_in_order(program: Program) -> None:
    program.upstream.enqueue_stream("half an", Hang())
    async with program.on_terminal("hi") as terminal:
        await terminal.sees("half an")
        terminal.types("\x03")
        assert await terminal.ends() == 130
    assert terminal.text.rstrip() == "half an", repr(terminal.raw)
    assert "Traceback" not in terminal.raw
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h")  # the cursor is visible again
    await asyncio.wait_for(program.upstream.gone.wait(), DEADLINE)


@pytest.mark.parametrize("kind", ["xterm-256color", "dumb"])
async def test_escape_sequences_of_a_model_do_not_reach_the_terminal(program: Program, kind: str) -> None:
    program.upstream.enqueue_stream("a\x1b]0;owned\x07b \x1b[2J\x9b2J")
    async with program.on_terminal("hi", TERM=kind) as terminal:
        assert await terminal.ends() == 0
    assert "\x1b]0;owned" not in terminal.raw
    assert "\x1b[2J" not in terminal.raw
    assert "\x9b" not in terminal.raw


async def test_a_dumb_terminal_gets_plain_text(program: Program) -> None:
    program.upstream.enqueue_stream("**bold**")
    async with program.on_terminal("hi", TERM="dumb") as terminal:
        assert await terminal.ends() == 0
    assert terminal.raw == "**bold**\r\n"


async def test_no_color_means_no_colour(program: Program) -> None:
    program.upstream.enqueue_stream("```python\nx = 1\n```\n")
    async with program.on_terminal("hi", NO_COLOR="1") as terminal:
        assert await terminal.ends() == 0
    assert "x = 1" in terminal.text
    assert "\x1b[3" not in terminal.raw


async def test_the_demo_model_is_named_as_what_it_is_once(program: Program) -> None:
    program.configure(models={"fake-model": {"id": "fake-model", "name": "Tiny", "demo": True}})
    program.upstream.enqueue_stream("Paris", ".")
    async with program.on_terminal("hi") as terminal:
        assert await terminal.ends() == 0
    assert terminal.text.count("Answered by Tiny, which makes things up.") == 1
    assert terminal.text.rstrip().endswith("Paris.")


async def test_without_a_provider_the_demo_model_is_offered_and_may_be_declined(program: Program) -> None:
    program.configure({"providers": {}})
    async with program.on_terminal("hi", width=200) as terminal:
        await terminal.sees(r"Fetch the small embedded demo model now \(about 121 MB\)\? \[Y/n\]")
        terminal.types("n\n")
        assert await terminal.ends() == 1
    assert "llms local install" in terminal.text


async def test_ctrl_c_leaves_the_offer(program: Program) -> None:
    program.configure({"providers": {}})
    async with program.on_terminal("hi") as terminal:
        await terminal.sees(r"\[Y/n\]")
        terminal.types("\x03")
        assert await terminal.ends() == 130
    assert "Traceback" not in terminal.raw
