"""The built-in features: one folder each, using only what `llms.api` gives every extension."""
