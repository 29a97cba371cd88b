"""Lines of JSON, cut anywhere."""

import pytest

from llms.api import ProviderError
from llms.extensions.providers.json_lines import JsonLines


def test_lines_end_with_and_without_a_carriage_return() -> None:
    cutter = JsonLines()
    assert cutter.feed(b'{"a":1}\r\n\n{"b"') == [b'{"a":1}\r', b""]
    assert cutter.feed(b":2}") == []
    assert cutter.finish() == [b'{"b":2}']


def test_a_line_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llms.extensions.providers.json_lines._LONGEST_LINE", 9)
    cutter = JsonLines()
    cutter.feed(b"12345\n12345")
    with pytest.raises(ProviderError, match="longer than 9 bytes"):
        cutter.feed(b"67890")
