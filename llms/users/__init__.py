"""Who is asking, and what is theirs: sign-in, preferences, pictures, and the folders that agents may touch."""
