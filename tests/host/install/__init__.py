"""Tests of how extensions are installed."""
