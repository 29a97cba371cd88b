"""Server-Sent Events from bytes cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import ProviderError
from llms.providers import sse
from llms.providers.sse import SseDecoder

MARK = b"\xef\xbb\xbf"
STREAMS = {
    "usual": (b'data: {"a": 1}\n\ndata: [DONE]\n\n', [b'{"a": 1}', b"[DONE]"]),
    "no space after the colon": (b"data:1\n\ndata:2\n\n", [b"1", b"2"]),
    "only one space is taken off": (b"data:  1 \n\n", [b" 1 "]),
    "crlf": (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
    "cr": (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
    "line ends mixed": (b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\n", [b"1", b"2", b"3"]),
    "more than one blank line": (b"\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n", [b"1", b"2"]),
    "an event of several lines": (b"data: 1\ndata:2\ndata: \n\n", [b"1\n2\n"]),
    "an event of several lines, crlf": (b"data: 1\r\ndata: 2\r\n\r\n", [b"1\n2"]),
    "comments": (b": hello\n\ndata: 1\n: in between\ndata: 2\n\n:\n\n", [b"1\n2"]),
    "other fields": (b"event: x\nid: 1\nretry: 5\ndata: 1\n\nevent: y\n\ndatabase: z\n\n", [b"1"]),
    "no data at all": (b"data:\n\ndata: \n\n", [b"", b""]),
    "byte order mark": (MARK + b"data: 1\n\n", [b"1"]),
    "byte order mark inside": (b"data: " + MARK + b"1\n\n" + MARK + b"data: 2\n\n", [MARK + b"1"]),
    "no last blank line": (b"data: 1\n\ndata: 2\n", [b"1", b"2"]),
    "no last line end": (b"data: 1\n\ndata: 2", [b"1", b"2"]),
    "no last blank line, crlf": (b"data: 1\r\n\r\ndata: 2\r\n", [b"1", b"2"]),
    "characters of several bytes": ("data: ü€😀\n\n".encode(), ["ü€😀".encode()]),
    "nothing": (b"", []),
    "only a byte order mark": (MARK, []),
    "a beginning like a mark": (MARK[:2], []),
}


def _read(*pieces: bytes) -> list[bytes]:
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_in_one_piece_gives_its_events(name: str) -> None:
    stream, events = STREAMS[name]
    assert _read(stream) == events


@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_any_position_changes_nothing(name: str) -> None:
    stream, events = STREAMS[name]
    for i in range(len(stream) + 1):
        assert _read(stream[:i], stream[i:]) == events, f"cut at {i}"


@pytest.mark.parametrize("name", STREAMS)
def test_two_cuts_at_any_positions_change_nothing(name: str) -> None:
    stream, events = STREAMS[name]
    for i in range(len(stream) + 1):
        for j in range(i, len(stream) + 1):
            assert _read(stream[:i], stream[i:j], stream[j:]) == events, f"cut at {i} and {j}"


@pytest.mark.parametrize("name", STREAMS)
def test_single_bytes_with_empty_reads_between_them_change_nothing(name: str) -> None:
    stream, events = STREAMS[name]
    pieces = [piece for i in range(len(stream)) for piece in (stream[i : i + 1], b"")]
    assert _read(*pieces) == events


LINES = [b"data: 1", b"data:2", b"data", b": c", b"event: x", b"", b"", b"id", "data: ü😀".encode()]
ENDS = [b"\n", b"\r\n", b"\r"]


@given(st.data())
def test_any_stream_cut_anywhere_reads_as_in_one_piece(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=12))
    stream = data.draw(st.sampled_from([b"", MARK])) + b"".join(line + end for line, end in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _read(*pieces) == _read(stream)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")).map(str.encode), max_size=5))
def test_what_was_sent_comes_out(texts: list[bytes]) -> None:
    assert _read(b"".join(b"data: " + text + b"\n\n" for text in texts)) == texts


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    assert _read(*pieces) == _read(b"".join(pieces))


def test_an_event_comes_out_as_soon_as_its_blank_line_is_here() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\n") == []
    assert decoder.feed(b"\n") == [b"1"]


def test_an_event_ended_by_a_single_cr_is_not_held_back() -> None:
    assert SseDecoder().feed(b"data: 1\r\r") == [b"1"]


def test_finish_gives_the_last_event_only_once() -> None:
    decoder = SseDecoder()
    decoder.feed(b"data: 1")
    assert decoder.finish() == [b"1"]
    assert decoder.finish() == []


def test_a_large_event_is_copied_once_and_not_with_every_read() -> None:
    class Counting(bytes):
        """Bytes that are never added to others: what has come before is not copied again."""

        def __radd__(self, other: bytes) -> bytes:
            raise AssertionError("copied")

    decoder = SseDecoder()
    decoder.feed(b"data: ")
    for _ in range(100):
        assert decoder.feed(Counting(b"x" * 1000)) == []
    assert decoder.feed(b"\n\n") == [b"x" * 100_000]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_blank_line_is_found_wherever_a_long_event_is_cut(cut: int) -> None:
    whole = b"data: 1\n\ndata: 2\n\n"
    decoder = SseDecoder()
    pieces = [whole[i : i + cut] for i in range(0, len(whole), cut)]
    assert [event for piece in pieces for event in decoder.feed(piece)] == [b"1", b"2"]


def test_an_event_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 1000)
    decoder = SseDecoder()
    with pytest.raises(ProviderError, match="larger than 1000 bytes"):
        for _ in range(1000):
            decoder.feed(b"data: some text")
