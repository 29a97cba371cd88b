"""Real SQLite files, and a real PostgreSQL."""
