"""The guide to server extensions, chapter by chapter: what it prints is written into extensions that real servers load.

A line of it that stops being true fails here.
"""
