raise SystemExit("of an extension for another version no line runs")
