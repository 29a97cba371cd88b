"""Wire dialects, vendors and the one line that leaves the machine. A provider knows no threads, users or databases."""
