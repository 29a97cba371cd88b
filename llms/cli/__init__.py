"""The command line: one table of flags, one order of a run, one verb a file in `commands/`."""
