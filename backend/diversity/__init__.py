"""Diversity: TF-IDF over the 1-, 2- and 3-grams of the candidates' responses (the paper's S_DIV).

Counting is done once per pool (`count_ngrams`, kept on disk by `save_counts`); `tfidf` weighs the counts for one
set of candidates in milliseconds, because inverse document frequency depends on who the candidates are.
"""

from backend.diversity.ngram_files import is_stored, load_counts, save_counts
from backend.diversity.ngrams import NgramCounts, count_ngrams, term_texts
from backend.diversity.tfidf import Tfidf, initial_diversity, matrix, tfidf

prepare = tfidf  # what a caller keeps between two selections from the same candidates

__all__ = [
    "NgramCounts",
    "Tfidf",
    "count_ngrams",
    "initial_diversity",
    "is_stored",
    "load_counts",
    "matrix",
    "prepare",
    "save_counts",
    "term_texts",
    "tfidf",
]
