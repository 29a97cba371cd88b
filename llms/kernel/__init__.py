"""What every room may lean on: errors, hooks, config, limits, paths, log, types. Names no feature."""
