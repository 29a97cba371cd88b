"""What `llms ext test PATH` checks, and how it tells."""
