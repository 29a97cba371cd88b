"""`llms` and `python -m llms`: the same, and nothing else."""

import sys


def main() -> int:
    from llms.cli.run import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
