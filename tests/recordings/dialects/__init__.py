"""What is particular about replaying each dialect: one module each, named as its recordings are."""
