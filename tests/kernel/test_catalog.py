"""Extras laid over the catalogue."""

from typing import Any

from llms.kernel.catalog import overlay, title


def test_an_extra_model_joins_the_known_ones_with_an_id_and_a_name() -> None:
    merged = overlay({"groq": {"models": {"a": {"id": "a", "name": "A"}}}}, {"groq": {"models": {"my-model": {}}}})
    assert list(merged["groq"]["models"]) == ["a", "my-model"]
    assert merged["groq"]["models"]["my-model"] == {"id": "my-model", "name": "My Model"}


def test_an_extra_changes_single_facts_of_a_known_model() -> None:
    known = {"groq": {"models": {"a": {"name": "A", "cost": {"input": 1}, "tool_call": True}}}}
    merged = overlay(known, {"groq": {"models": {"a": {"cost": {"input": 2}}}}})
    assert merged["groq"]["models"]["a"] == {"id": "a", "name": "A", "cost": {"input": 2}, "tool_call": True}


def test_an_extra_provider_is_kept() -> None:
    merged = overlay({}, {"my-box": {"api": "http://box/v1", "models": {"m": {}}}})
    assert merged["my-box"] == {
        "id": "my-box",
        "name": "My Box",
        "api": "http://box/v1",
        "models": {"m": {"id": "m", "name": "M"}},
    }


def test_what_it_is_given_stays_as_it_was() -> None:
    known: dict[str, Any] = {"groq": {"models": {"a": {}}}}
    extra: dict[str, Any] = {"groq": {"models": {"b": {}}}}
    overlay(known, extra)
    assert (known, extra) == ({"groq": {"models": {"a": {}}}}, {"groq": {"models": {"b": {}}}})


def test_a_title_leaves_the_makers_name_out() -> None:
    assert title("my-model") == "My Model"
    assert title("openai/gpt-oss-120b") == "Gpt Oss 120b"
