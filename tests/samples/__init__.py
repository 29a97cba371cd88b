"""The guide's samples, typed from it, as extensions that the real loader loads."""
