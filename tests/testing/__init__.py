"""The harness for authors of extensions, tried as they use it."""
