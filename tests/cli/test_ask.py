"""One chat from the shell: what is sent, what is printed, how it ends."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from PIL import Image

from llms.testing import FakeUpstream, Gate, Hang
from llms.testing.upstream import completion

from .program import DEADLINE, Program


def sent(upstream: FakeUpstream) -> Any:
    return upstream.requests[-1].body


def prompt(upstream: FakeUpstream) -> Any:
    """The text of the last message sent."""
    content = sent(upstream)["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


# -- what is printed -----------------------------------------------------------------------------------------------


async def test_words_are_a_prompt_and_the_answer_is_all_of_stdout(program: Program) -> None:
    program.upstream.enqueue_stream("Par", "is.")
    ran = await program("What is", "the capital", "of France?")
    assert (ran.code, ran.out) == (0, "Paris.\n")
    assert prompt(program.upstream) == "What is the capital of France?"


async def test_a_piped_answer_comes_chunk_by_chunk(program: Program) -> None:
    rest = Gate()
    program.upstream.enqueue_stream("first", rest, " second")
    async with program.started("hi") as process:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readexactly(5), DEADLINE) == b"first"
        rest.opened.set()
        assert await asyncio.wait_for(process.stdout.read(), DEADLINE) == b" second\n"


async def test_reasoning_is_not_part_of_a_piped_answer(program: Program) -> None:
    answer = completion("Four.")
    answer["choices"][0]["message"]["reasoning_content"] = "two and two"
    program.upstream.enqueue(json.dumps(answer).encode())
    assert (await program("2 + 2")).out == "Four.\n"


async def test_raw_prints_the_response_as_json_and_nothing_else(program: Program) -> None:
    program.upstream.enqueue_text("Olé", prompt_tokens=3, completion_tokens=1)
    ran = await program("hi", "--raw")
    answer = json.loads(ran.out)
    assert ran.code == 0
    assert answer["choices"][0]["message"]["content"] == "Olé"
    assert answer["usage"]["prompt_tokens"] == 3
    assert ran.out.startswith('{\n  "')


async def test_files_of_the_answer_are_listed_after_it(program: Program) -> None:
    output = {"modalities": {"input": ["text"], "output": ["text", "image"]}}
    program.configure(models={"fake-model": {"id": "fake-model", **output}})
    answer = completion("Here it is.")
    answer["choices"][0]["message"]["images"] = [
        {"type": "image_url", "image_url": {"url": "/~cache/2c/2cf24d.png"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    program.upstream.enqueue(json.dumps(answer).encode())
    ran = await program("--out", "image", "a cat")
    assert ran.out.splitlines() == [
        "Here it is.",
        "",
        "Saved files:",
        str(program.home / "cache/2c/2cf24d.png"),
        "http://localhost:8000/~cache/2c/2cf24d.png",
        "https://example.com/a.png",
    ]


async def test_what_a_terminal_cannot_encode_does_not_end_the_answer(program: Program) -> None:
    program.upstream.enqueue_stream("Grüße 🙂!")
    ran = await program("hi", PYTHONIOENCODING="ascii")
    assert (ran.code, ran.out) == (0, "Gr??e ?!\n")


# -- what is sent --------------------------------------------------------------------------------------------------


async def test_flags_overrule_the_template(program: Program) -> None:
    await program("hi", "-m", "Fake Model", "-s", "Be brief.", "--args", "temperature=0.5&stop=a,b", "--raw")
    body = sent(program.upstream)
    assert body["model"] == "fake-model"
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["stop"]) == (0.5, ["a", "b"])


async def test_words_after_a_double_dash_are_never_flags(program: Program) -> None:
    await program("--raw", "--", "--version", "?")
    assert prompt(program.upstream) == "--version ?"


async def test_a_prompt_may_begin_with_a_dash_a_number_or_a_commands_name(program: Program) -> None:
    for words in (["- one point"], ["-5", "degrees?"], ["local", "food", "near me"]):
        await program(*words, "--raw")
        assert prompt(program.upstream) == " ".join(words)


async def test_a_chat_file_is_sent_with_words_as_its_last_question(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    file.write_text('{"model": "fake-model", "seed": 7, "messages": [{"role": "user", "content": "old"}]}')
    await program("--chat", str(file), "new", "--raw")
    body = sent(program.upstream)
    assert body["seed"] == 7
    assert body["messages"] == [{"role": "user", "content": "new"}]


async def test_an_image_goes_into_the_first_user_message(program: Program, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.gif")
    await program("--image", str(tmp_path / "dot.gif"), "what is this?", "--raw")
    image, text = sent(program.upstream)["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/gif;base64,")
    assert text == {"type": "text", "text": "what is this?"}


# -- what is piped in ----------------------------------------------------------------------------------------------


async def test_piped_text_is_the_prompt(program: Program) -> None:
    await program("--raw", stdin="hi\n")
    assert prompt(program.upstream) == "hi"


async def test_piped_text_is_appended_to_the_words(program: Program) -> None:
    await program("Summarise", "--raw", stdin="# Title\n\nText.\n")
    assert prompt(program.upstream) == "Summarise\n\n# Title\n\nText."


async def test_a_file_as_stdin_is_read_like_a_pipe(program: Program, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("from a file")
    with (tmp_path / "notes").open() as notes:
        async with program.started("Summarise", "--raw", stdin=notes) as process:
            assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    assert prompt(program.upstream) == "Summarise\n\nfrom a file"


async def test_a_piped_chat_request_is_the_base(program: Program) -> None:
    await program("--raw", stdin='{"messages": [{"role": "user", "content": "from JSON"}], "seed": 3}')
    assert prompt(program.upstream) == "from JSON"
    assert sent(program.upstream)["seed"] == 3


async def test_other_json_beside_a_prompt_is_text(program: Program) -> None:
    await program("Explain", "--raw", stdin='{"name": "llms"}')
    assert prompt(program.upstream) == 'Explain\n\n{"name": "llms"}'


async def test_a_pipe_nobody_writes_to_does_not_hold_up_a_prompt(program: Program) -> None:
    program.upstream.enqueue_stream("Hello")
    async with program.started("hi", stdin=PIPE) as process:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.read(), DEADLINE) == b"Hello\n"
    assert prompt(program.upstream) == "hi"


async def test_a_dash_waits_for_a_slow_pipe(program: Program) -> None:
    async with program.started("Summarise", "-", "--raw", stdin=PIPE) as process:
        assert process.stdin is not None
        with_nothing_sent = asyncio.create_task(process.wait())
        await asyncio.wait([with_nothing_sent], timeout=1.5)
        assert not with_nothing_sent.done()
        process.stdin.write(b"late")
        process.stdin.close()
        assert await asyncio.wait_for(with_nothing_sent, DEADLINE) == 0
    assert prompt(program.upstream) == "Summarise\n\nlate"


async def test_a_chat_file_alone_leaves_stdin_unread(program: Program, tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('{"messages": [{"role": "user", "content": "from the file"}]}')
    await program("--chat", str(tmp_path / "chat.json"), "--raw", stdin="not for you")
    assert prompt(program.upstream) == "from the file"


# -- how it ends ---------------------------------------------------------------------------------------------------


async def test_an_answer_that_breaks_off_shows_what_came_and_fails(program: Program) -> None:
    rest = Gate()
    program.upstream.enqueue_stream("half an", rest, b'data: {"error": {"message": "overloaded"}}\n\n')
    async with program.started("hi") as process:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readexactly(7), DEADLINE) == b"half an"
        rest.opened.set()
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert (process.returncode, out) == (1, b"\n")
    assert err.startswith(b"Error: ")
    assert b"overloaded" in err


async def test_ctrl_c_shows_what_came_and_closes_the_request(program: Program) -> None:
    program.upstream.enqueue_stream("half an", Hang())
    async with program.started("hi") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert await asyncio.wait_for(process.stdout.readexactly(7), DEADLINE) == b"half an"
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 130
        assert await process.stdout.read() == b"\n"
        assert await process.stderr.read() == b""
    await asyncio.wait_for(program.upstream.gone.wait(), DEADLINE)


async def test_a_reader_that_leaves_ends_the_answer_without_a_word(program: Program) -> None:
    program.upstream.enqueue_stream("one\n", *["more\n"] * 50_000)
    reader, writer = os.pipe()
    async with program.started("hi", stdout=writer) as process:
        os.close(writer)
        assert await asyncio.to_thread(os.read, reader, 4) == b"one\n"
        os.close(reader)
        _, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert (process.returncode, err) == (141, b"")
