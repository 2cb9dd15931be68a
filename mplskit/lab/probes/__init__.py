"""What a step tries, and how what was seen is read."""
