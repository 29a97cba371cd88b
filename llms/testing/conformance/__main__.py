"""The process that an extension is tried in: it may do to it what it likes.

It is given the extension's folder, and a file to which it adds a line of JSON for each check. LLMS_HOME is its own.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from llms.kernel.paths import Home
from llms.testing.conformance.report import Check
from llms.testing.conformance.running import run


def main(words: Sequence[str]) -> None:
    """Makes every check."""
    folder, told = map(Path, words)

    def tell(check: Check) -> None:
        with told.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(check)) + "\n")

    asyncio.run(run(folder, Home.from_env(os.environ).root, os.environ, tell))


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # whatever threads the extension has left
