"""What makes images and speech, and writes down what is said: one family of vendors' endpoints a file."""
