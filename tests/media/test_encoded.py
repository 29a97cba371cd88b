"""Content that comes as bytes, base64 or a data URI."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import RequestError
from llms.media.encoded import to_bytes


@pytest.mark.parametrize("content", [b"hello", bytearray(b"hello"), memoryview(b"hello")])
def test_bytes_are_what_they_are(content: Any) -> None:
    assert to_bytes(content) == b"hello"


@pytest.mark.parametrize(
    "text",
    [
        "aGVsbG8=",
        "aGVsbG8",
        "aGVs\r\nbG8=\n",
        "data:text/plain;base64,aGVsbG8=",
        "DATA:;BASE64,aGVs bG8",
        "data:text/plain;charset=utf-8;base64,aGVsbG8=",
        "data:,hello",
        "data:text/plain,%68ello",
    ],
)
def test_text_is_decoded_also_where_it_is_untidy(text: str) -> None:
    assert to_bytes(text) == b"hello"


def test_a_drawing_in_a_data_uri_keeps_its_spaces() -> None:
    assert to_bytes('data:image/svg+xml,<svg width="5" />') == b'<svg width="5" />'


@given(st.binary(min_size=1))
def test_what_was_encoded_comes_back(data: bytes) -> None:
    assert to_bytes(b64encode(data).decode()) == data


@pytest.mark.parametrize(
    "content",
    ["", " ", "a", "not base64!", "ü", "data:", "data:image/png;base64", "data:;base64,@@", "/~cache/ab/c.png"],
)
def test_other_text_is_refused(content: str) -> None:
    with pytest.raises(RequestError, match=r"(base64|comma)\b.*\.$"):
        to_bytes(content)


@pytest.mark.parametrize("content", [None, 5, ["a"], {"data": "aGVsbG8="}])
def test_what_is_no_content_is_refused(content: Any) -> None:
    with pytest.raises(RequestError, match=r"is of type \w+\. Give bytes, base64 or a data URI\."):
        to_bytes(content)
