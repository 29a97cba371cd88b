"""What `llms.testing` promises to authors of extensions."""

import llms.testing

PUBLIC = [
    "Cut",
    "ExtApp",
    "FakeProvider",
    "FakeUpstream",
    "Gate",
    "Hang",
    "Pause",
    "Received",
    "Reply",
    "Script",
    "SyncServer",
    "TestServer",
    "make_app",
    "sse",
    "tool_call",
]


def test_the_public_names_are_these_and_sorted() -> None:
    assert llms.testing.__all__ == PUBLIC == sorted(PUBLIC)


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in PUBLIC:
        assert getattr(llms.testing, name).__doc__, f"{name} has no docstring"
