"""Puts extensions into a home, and takes them out: planned before, pinned after, whole or not at all."""
