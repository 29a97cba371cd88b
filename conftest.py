"""Every test, an extension's too, has an empty home, no keys, and no network but this machine's own."""

import os
import re

import pytest
from hypothesis import settings

_OURS_OR_SECRET = re.compile(r"^LLMS_(?!CHROMIUM)|(^|_)(API_?KEY|TOKEN|SECRET|PASSWORD)$|_PROXY$", re.IGNORECASE)

settings.register_profile("tests", deadline=None)  # the machine may be busy
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What the machine's own user has set reaches no test: no provider gets ready by accident."""
    for name in list(os.environ):
        if _OURS_OR_SECRET.search(name):
            monkeypatch.delenv(name)
    request.getfixturevalue("no_network")
    request.getfixturevalue("llms_home")
