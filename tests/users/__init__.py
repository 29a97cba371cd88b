"""Users, without a server around them."""
