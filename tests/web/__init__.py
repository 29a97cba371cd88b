"""The HTTP door, tried from outside."""
