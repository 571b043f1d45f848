"""The engine of IterIT Studio: data, scoring, selecting, iterating, and the runs that do it."""
