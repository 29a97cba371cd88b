"""Clients others wrote, unchanged, against our server."""
