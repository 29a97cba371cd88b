"""One verb a file: each has `run`, which gives the exit code."""
