"""Tests of what happens to one chat."""
