"""The engine of IterIT Studio: data, scoring, selecting, iterating, and the runs that do it."""

__version__ = "0.1.0"  # of all that is installed together: pyproject.toml reads it here
