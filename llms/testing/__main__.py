"""`python -m llms.testing PATH [--json]`: what `llms ext test` runs."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.host.discovery import is_extension
from llms.kernel.secrets import Secrets
from llms.testing.conformance.reading import read
from llms.testing.conformance.report import Report
from llms.testing.conformance.trial import tried


def main(words: Sequence[str]) -> int:
    """Checks the extension in the folder that is named, and tells; 1 if a check failed."""
    parser = argparse.ArgumentParser("python -m llms.testing", description="Checks that an extension keeps the rules.")
    parser.add_argument("path", help="the extension's folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(words)
    folder = Path(os.path.abspath(options.path))  # noqa: PTH100 - a link keeps its name
    if not is_extension(folder):
        note(f"Error: {folder} is no folder with an __init__.py or a ui folder. Name that of an extension.")
        return ExitCode.FAILED
    report = Report(folder, [*read(folder), *tried(folder, os.environ)])
    told = json.dumps(report.as_json(), indent=2, ensure_ascii=False) if options.json else report.as_text()
    say(Secrets.from_environ(os.environ).mask(told))
    return ExitCode.SUCCESS if report.is_passed else ExitCode.FAILED


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
