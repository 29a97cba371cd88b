raise SystemExit("of an extension with a broken manifest no line runs")
