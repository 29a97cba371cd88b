"""What the checks found, as it is shown."""

from pathlib import Path

from llms.testing.conformance.report import Check, Report, listed

CHECKS = [
    Check.ok("loads", "It loads."),
    Check.failed("tools", "add has no description", "Write one."),
    Check.skipped("page", "There is no\nui/index.mjs."),
]


def test_a_person_reads_a_line_a_check_and_the_sum() -> None:
    assert Report(Path("/extensions/mine"), CHECKS).as_text().splitlines() == [
        "mine  /extensions/mine",
        "  ✓ loads  It loads.",
        "  ✗ tools  add has no description. Write one.",
        "  – page   There is no ui/index.mjs.",
        "1 ok, 1 failed, 1 skipped.",
    ]


def test_a_program_gets_every_part() -> None:
    report = Report(Path("/extensions/mine"), CHECKS).as_json()
    assert (report["extension"], report["path"], report["passed"]) == ("mine", "/extensions/mine", False)
    assert report["checks"][1] == {
        "name": "tools",
        "outcome": "failed",
        "told": "add has no description",
        "fix": "Write one.",
    }


def test_what_was_skipped_keeps_nobody_from_passing() -> None:
    assert Report(Path("mine"), [CHECKS[0], CHECKS[2]]).is_passed
    assert not Report(Path("mine"), CHECKS).is_passed


def test_words_of_an_extension_move_no_cursor() -> None:
    assert "\x1b" not in Report(Path("mine"), [Check.failed("loads", "It fails: \x1b[2J", "")]).as_text()


def test_a_long_list_is_cut_and_nothing_is_told_twice() -> None:
    assert listed(["a", "b", "a"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
