"""Tests of the rooms, by their names, and of the whole from outside: compat, e2e."""
