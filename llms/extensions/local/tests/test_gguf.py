"""What a model file says about itself, and rubbish that says nothing."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llms.extensions.local.gguf import MAGIC, GgufError, GgufHeader, parse_header, read_header
from llms.extensions.local.tests.ggufs import Pair, gguf, number, text, texts

LLAMA = text("general.architecture", "llama")


def parsed(*pairs: Pair) -> GgufHeader:
    return parse_header(gguf(*pairs))


def test_architecture_name_and_context_are_read() -> None:
    header = parsed(LLAMA, text("general.name", "Tiny"), number("llama.context_length", 4096))
    assert header == GgufHeader(architecture="llama", name="Tiny", context_length=4096)


def test_what_the_file_does_not_say_is_none() -> None:
    assert parsed(LLAMA) == GgufHeader(architecture="llama", name=None, context_length=None)


def test_the_context_of_another_architecture_does_not_count() -> None:
    assert parsed(LLAMA, number("clip.context_length", 77)).context_length is None


def test_arrays_are_passed_over() -> None:
    header = parsed(LLAMA, texts("general.tags", "a", "bc"), number("llama.context_length", 512))
    assert header.context_length == 512


def test_what_lies_behind_a_tokenizer_too_long_to_read_counts_as_absent() -> None:
    head = gguf(LLAMA, texts("tokenizer.ggml.tokens", "word"), number("llama.context_length", 512))
    assert parse_header(head[:-20]).context_length is None


@pytest.mark.parametrize("pair", [text("llama.context_length", "many"), number("llama.context_length", 0)])
def test_a_context_that_is_no_positive_number_is_none(pair: Pair) -> None:
    assert parsed(LLAMA, pair).context_length is None


def test_a_name_is_fit_to_be_printed() -> None:
    assert parsed(LLAMA, text("general.name", "\x1b[31mred\n\0")).name == "[31mred"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"PK\3\4" + bytes(100), "not a GGUF file"),
        (b"", "no architecture"),
        (MAGIC, "no architecture"),
        (MAGIC + struct.pack("<IQQ", 1, 0, 0), "version"),
        (MAGIC + struct.pack(">IQQ", 3, 0, 0), "version"),
        (gguf(), "no architecture"),
        (gguf(("general.architecture", 99, b"")), "damaged"),
        (gguf(("general.tags", 9, struct.pack("<IQ", 9, 1))), "damaged"),
        (gguf(("general.tags", 9, struct.pack("<IQ", 8, 2**63))), "no architecture"),
        (MAGIC + struct.pack("<IQQ", 3, 2**64 - 1, 2**64 - 1) + bytes(1000), "no architecture"),
    ],
)
def test_a_damaged_head_is_our_error(head: bytes, reason: str) -> None:
    with pytest.raises(GgufError, match=reason):
        parse_header(head)


def test_an_unreadable_file_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match=r"away\.gguf .*permissions"):
        read_header(tmp_path / "away.gguf")


@given(st.binary(max_size=400))
@example(bytes(64))
def test_rubbish_is_a_header_or_our_error_and_nothing_else(rubbish: bytes) -> None:
    for head in (rubbish, MAGIC + struct.pack("<IQQ", 3, 0, 2**40) + rubbish, gguf(LLAMA) + rubbish):
        with contextlib.suppress(GgufError):
            assert parse_header(head).architecture


@given(st.data())
def test_a_flipped_or_cut_head_is_a_header_or_our_error(data: st.DataObject) -> None:
    head = bytearray(gguf(LLAMA, texts("general.tags", "a"), number("llama.context_length", 512)))
    head[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(head)))
    with contextlib.suppress(GgufError):
        assert parse_header(bytes(head[:end])).architecture
