"""Functions a model may call: how each is described, given its arguments, run, and its result told."""
