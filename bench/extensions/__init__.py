"""What extensions cost at start: our server with some beside our server with none, in the same run."""
