"""The interface of IterIT Studio: a folder for each screen, and what they share."""
