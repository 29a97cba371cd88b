"""Where a user's files are."""

from llms.kernel.paths import Home

EVERYBODY = "default"  # whose folder holds what all users share, and what nobody who signed in owns


def user_path(home: Home, username: str | None = None) -> str:
    """The folder of `username`, or the one all share. Raises RequestError unless the name is a plain file name."""
    return str(home.user(username or EVERYBODY))
