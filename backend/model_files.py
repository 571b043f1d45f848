"""What a model's files say about it, without loading it."""
