"""Tests of what speaks to vendors."""
