"""Tests of what finds extensions and serves them."""
