"""The interface of IterIT Studio: one file a tab, figures from tables, words in one place."""
