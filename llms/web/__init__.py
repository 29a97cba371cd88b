"""The HTTP door: guards, routes, and errors as the caller can read them."""
