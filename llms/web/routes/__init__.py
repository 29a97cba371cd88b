"""One noun a file; each gives its `routes()`."""
