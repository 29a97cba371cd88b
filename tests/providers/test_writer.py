"""An answer told while it grows."""

from typing import Any

from llms.providers.writer import StreamWriter


def writing(interval: float) -> tuple[StreamWriter, list[Any]]:
    told: list[Any] = []

    async def tell(message: Any) -> None:
        told.append(message)

    return StreamWriter(tell, interval=interval), told


def said(content: Any) -> Any:
    return {"role": "assistant", "content": content}


async def test_the_first_words_are_told_at_once_and_more_only_after_a_while() -> None:
    writer, told = writing(3600)
    await writer(said("a"))
    await writer(said("ab"))
    await writer.write(said("abc"))
    assert told == [said("a")]
    await writer.flush()
    assert told == [said("a"), said("abc")]


async def test_each_word_is_told_where_there_is_time() -> None:
    writer, told = writing(0)
    await writer(said("a"))
    await writer(said("ab"))
    assert told == [said("a"), said("ab")]


async def test_nothing_is_told_twice() -> None:
    writer, told = writing(0)
    await writer(said("a"))
    await writer.flush()
    await writer.flush()
    assert told == [said("a")]


async def test_a_message_that_says_nothing_is_never_told() -> None:
    writer, told = writing(0)
    await writer(said(None))
    await writer(said(""))
    await writer({})
    await writer.flush()
    assert told == []


async def test_tool_calls_say_something() -> None:
    writer, told = writing(0)
    await writer({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]})
    assert len(told) == 1


async def test_with_nobody_to_tell_nothing_happens() -> None:
    writer = StreamWriter(None, interval=0)
    assert not writer.is_due
    await writer(said("a"))
    await writer.flush()
