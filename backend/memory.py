"""How much memory training a model takes, reckoned from the sizes in its files."""
