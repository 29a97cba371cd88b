"""Images, audio and files: what they are, where they come from, and the shape in which a model can take them."""
