"""The words that several screens share; each screen has its own in `words.py`. Plain English, short."""

from __future__ import annotations

TAB = {"data": "Data", "curate": "Curate", "tune": "Tune", "epochs": "Epochs", "compare": "Compare"}

CONTROL = {
    "strategy": "How samples are picked.",
    "budget": "How many samples one epoch trains on: a share of the pool, or a number.",
    "update_ratio": "For training: before each later epoch the best (update ratio x budget) samples are rescored; 1 means the whole pool. It does not change this first selection.",
    "decay": "How much a phrase still counts once a pick has covered it. 1: nothing is ever covered; 0: once is enough.",
    "complexity_weight": "How much “hard for the model” counts: the exponent a in complexity^a x diversity^b.",
    "diversity_weight": "How much “new among the picks” counts: the exponent b in complexity^a x diversity^b.",
    "source_weights": "Factor on the gain of a source's samples; 0 leaves the source out.",
    "max_complexity": "At 1 the prompt does not help the model, often a mismatch. Never selected at or above this.",
    "min_response_tokens": "Shorter responses are left out.",
    "max_response_tokens": "Longer ones are left out; 0 sets no limit.",
    "words": "What counts as a word where phrases are counted. Languages written without spaces need “Unicode”.",
    "seed": "A different number gives different draws for the random strategies and baselines.",
    "scores": "The model whose scores are used.",
}

NO_SAMPLE = "Click a row of the table or a point of the map to read the sample, and why it was picked or not."
SEARCH = 'words, "a phrase", -not'
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
    "findings": ("Checking the pool", "Near-duplicates, and the index that search needs"),
    "lengths": ("Counting tokens", "Reading every sample with the model's tokenizer"),
}
