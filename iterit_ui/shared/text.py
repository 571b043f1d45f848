"""The words that several screens share; each screen has its own in `words.py`. Plain English, short."""

from __future__ import annotations

TAB = {"data": "Data", "curate": "Curate", "tune": "Tune", "epochs": "Epochs", "compare": "Compare"}

SCORES = "The model whose scores are used, or scores from a file."
NO_SAMPLE = "Click a row of the table or a point of the map to read the sample, and why it was picked or not."
SEARCH = 'words, "a phrase", -not'
OPENING = {"tone": "info", "text": "Opening the pool…"}
WORDS_HINT = (
    "{share} of the letters are of scripts written without spaces between words",
    "Cut between spaces, a whole clause is one word there: diversity hardly tells responses apart, and near-duplicates are missed. "
    "Taking each character as a word fits better.",
    "Take each character as a word",
)
WORDS_CHOSEN = (
    "Each character of Chinese, Japanese, Thai and the like is a word in this pool",
    "Used for diversity, near-duplicates and openings, and by new runs.",
    "Cut between spaces again",
)
WORK = {
    "findings": (
        "Checking the pool",
        "The index that search needs, what the texts hold, and near-duplicates",
    ),
    "overlaps": ("Comparing with evaluation data", "Prompts, responses and runs of words in common"),
    "lengths": ("Counting tokens", "Reading every sample with the model's tokenizer"),
}

READ_ONLY = {
    "title": "This folder of runs can only be read",
    "text": "You can look at everything and export selections. Nothing can be loaded, marked, changed or started here; copy the "
    "folder to a place that can be written for that.",
}
