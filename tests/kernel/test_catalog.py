"""Extras laid over the catalogue."""

import json
from typing import Any

import pytest

from llms.kernel.catalog import Origin, configured, in_order, overlay, split, title, to_bytes


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


# -- files ---------------------------------------------------------------------------------------------------------

PROVIDERS: dict[str, Any] = {
    "acme": {
        "id": "acme",
        "npm": "x",
        "models": {"m": {"id": "m", "name": 'Q"\n'}, "n": {"id": "n", "name": "Ü\ud800"}},
    },
    "bare": {"id": "bare", "models": {}},
}


def test_a_catalogue_file_is_models_devs_with_a_mark_and_a_line_for_each_model() -> None:
    data = to_bytes(PROVIDERS, Origin("2026-09-28", "https://models.dev/api.json"))
    mark = {"date": "2026-09-28", "source": "https://models.dev/api.json"}
    assert json.loads(data) == {"$catalog": mark, **PROVIDERS}
    assert sum(b'"id":"m"' in line or b'"id":"n"' in line for line in data.splitlines()) == 2


@pytest.mark.parametrize("origin", [Origin(), Origin("2026-09-28", "a place")])
def test_what_was_written_can_be_split_again(origin: Origin) -> None:
    assert split(json.loads(to_bytes(PROVIDERS, origin))) == (PROVIDERS, origin)


@pytest.mark.parametrize("mark", [None, 1, "2026", [], {}, {"date": 1, "source": []}])
def test_a_file_without_a_mark_that_makes_sense_has_no_date(mark: Any) -> None:
    assert split({"$catalog": mark, "a": {}}) == ({"a": {}}, Origin())
    assert split({"a": {}}) == ({"a": {}}, Origin())


# -- prices and their date -----------------------------------------------------------------------------------------


def test_a_model_tells_since_when_its_prices_hold_unless_they_are_the_users() -> None:
    known = {"a": {"models": {"priced": {"cost": {"input": 1}}, "own": {"cost": {"input": 1}}, "free": {}}}}
    extras = {"a": {"models": {"own": {"cost": {"input": 2}}, "priced": {"tool_call": True}, "new": {"cost": {}}}}}
    models = overlay(known, extras, date="2026-09-28")["a"]["models"]
    assert [id for id in models if models[id].get("priced_at") == "2026-09-28"] == ["priced"]


def test_without_a_date_no_model_tells_one() -> None:
    assert "priced_at" not in overlay({"a": {"models": {"m": {"cost": {"input": 1}}}}}, {})["a"]["models"]["m"]


def test_an_entry_may_change_single_facts_of_single_models() -> None:
    known = {"a": {"models": {"m": {"name": "M", "cost": {"input": 1, "output": 2}, "priced_at": "2026"}, "n": {}}}}
    built = configured(known, "a", {"override_models": {"m": {"cost": {"input": 9}}, "new": {"name": "New"}}})
    assert built == {"models": {"m": {"name": "M", "cost": {"input": 9}}, "n": {}, "new": {"name": "New"}}}
    assert known["a"]["models"]["m"]["cost"] == {"input": 1, "output": 2}


def test_models_of_an_entry_replace_the_catalogues_before_they_are_overridden() -> None:
    built = configured(
        {"a": {"models": {"m": {}}}}, "a", {"models": {"x": {"name": "X"}}, "override_models": {"x": {"a": 1}}}
    )
    assert built == {"models": {"x": {"name": "X", "a": 1}}}


def test_an_entry_is_looked_up_by_the_id_it_tells() -> None:
    assert configured({"a": {"api": "x"}}, "mine", {"id": "a"}) == {"api": "x", "id": "a"}
    assert configured({}, "mine", {"api": "y"}) == {"api": "y"}


# -- order ---------------------------------------------------------------------------------------------------------


def test_the_model_somebody_would_want_who_names_none_comes_first() -> None:
    chats = {"modalities": {"input": ["text"], "output": ["text"]}, "tool_call": True}
    models = {
        "painter": {"modalities": {"input": ["text"], "output": ["image"]}, "release_date": "2026-09-09"},
        "retired": {**chats, "release_date": "2026-09-09", "status": "deprecated"},
        "odd": {**chats, "release_date": "soon", "cost": {"output": "much"}},
        "old": {**chats, "release_date": "2025-09"},
        "dear": {**chats, "release_date": "2026-09-01", "cost": {"output": 9}},
        "cheap": {**chats, "release_date": "2026-09-01", "cost": {"output": 1}},
    }
    assert list(in_order(models)) == ["cheap", "dear", "old", "odd", "retired", "painter"]
