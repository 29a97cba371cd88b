"""What outlives the process: a database for each extension, SQLite on one machine or PostgreSQL for many.

`store.py` is what extensions are given, `sqlite.py` what those written for the reference use. Nothing is opened, and
SQLAlchemy is not imported, before the first use.
"""
