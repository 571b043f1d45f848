"""What sets areas of a map apart in words: class-based TF-IDF of their responses' n-grams."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse

from backend.diversity.ngrams import NgramCounts, term_texts

SHOWN = 8  # terms kept of each cluster
CONSIDERED = 200  # of the heaviest terms of a cluster
LIFT = 3.0  # a term is at least so many times as frequent in its cluster as in the others
FUNCTION_LIFT = 30.0  # and a function word, so many times
SPREAD = 0.02  # share of a cluster's responses that a term is in at least: the names of one story say little
NAMES_THINGS = frozenset({
    "bill", "cry", "empty", "fire", "interest", "mill", "name", "serious", "sincere", "system", "thick", "thin",
})  # fmt: skip
CUT_OFF = frozenset({
    "couldn", "didn", "does", "doesn", "don", "isn", "just", "like", "ll", "ve", "wasn", "won", "wouldn",
})  # fmt: skip
PART = 0.7  # of its weight, from which a longer term says more than the word in it
LABEL_TERMS, LABEL_LENGTH = 3, 34  # of a label, in terms and characters


@cache
def _function_words() -> frozenset[str]:
    """scikit-learn's list, without those of its words that name things and with what is left of "don't" and "we'll"."""
    from sklearn.feature_extraction.text import (
        ENGLISH_STOP_WORDS,
    )  # half a second that a start need not wait for

    return (frozenset(ENGLISH_STOP_WORDS) - NAMES_THINGS) | CUT_OFF


@dataclass(frozen=True)
class TermWeights:
    """What makes each of k clusters different, by n-gram: matrices (k, T) of one structure, float64.

    weight : c-TF-IDF, no unit. lift : how many times as frequent an n-gram is in the cluster as in the others.
    spread : share of the cluster's responses that hold it, 0 to 1.
    """

    weight: sparse.csr_array
    lift: sparse.csr_array
    spread: sparse.csr_array


def class_tfidf(codes: np.ndarray, k: int, counts: NgramCounts) -> TermWeights:
    """Weigh the n-grams of k clusters: those that two or more responses share, though all are counted.

    weight(c, t) = tf(c, t) * ln(1 + A / f(t)) (Grootendorst, BERTopic, arXiv 2203.05794, section 3.3): tf is the
    share of t among the cluster's n-grams, f how often t occurs in all clusters, A the mean number of n-grams of a
    cluster. lift has one occurrence added elsewhere, so that it is finite.

    codes : (n,) int, each response's cluster, -1 where it has none.
    """
    rows = np.flatnonzero(codes >= 0)
    shape = (len(counts), len(counts.terms))
    members = sparse.csr_array((np.ones(len(rows)), (codes[rows], rows)), shape=(k, len(counts)))
    times = sparse.csr_array(
        members @ sparse.csr_array((counts.tf, counts.indices, counts.indptr), shape=shape)
    )
    held = sparse.csr_array(
        members @ sparse.csr_array((np.ones(len(counts.tf)), counts.indices, counts.indptr), shape=shape)
    )
    cluster = np.repeat(np.arange(k), np.diff(times.indptr))
    size = times.sum(axis=1) + np.bincount(codes[rows], weights=counts.solo_sum[rows], minlength=k)
    frequency = times.sum(axis=0)[times.indices]
    share = times.data / size[cluster]
    elsewhere = (frequency - times.data + 1) / (size.sum() - size[cluster] + 1)
    responses = np.bincount(codes[rows], minlength=k)

    def like(data: np.ndarray) -> sparse.csr_array:
        return sparse.csr_array((data, times.indices, times.indptr), shape=times.shape)

    return TermWeights(
        weight=like(share * np.log1p(size.mean() / frequency)),
        lift=like(share / elsewhere),
        spread=like(held.data / responses[cluster]),
    )


def area_terms(codes: np.ndarray, k: int, counts: NgramCounts) -> list[list[tuple[str, float]]]:
    """Of each of k areas, the heaviest terms that say something and do not repeat each other, with their weights.

    codes : (n,) int, each response's area, -1 where it has none.
    """
    found = class_tfidf(codes, k, counts)
    terms = []
    for a, b in zip(found.weight.indptr[:-1], found.weight.indptr[1:]):
        weight, lift = found.weight.data[a:b], found.lift.data[a:b]
        telling = (lift >= LIFT) & (found.spread.data[a:b] >= SPREAD)
        order = np.argsort(np.where(telling, -weight, 1 / (1 + weight)), kind="stable")[:CONSIDERED]
        texts = term_texts(counts, counts.terms[found.weight.indices[a:b][order]])
        heaviest = list(zip(map(str, texts), weight[order].tolist(), strict=True))
        clear = [
            term
            for term, good, times in zip(heaviest, telling[order], lift[order])
            if good and _says_something(term[0], times)
        ]
        # a cluster that nothing sets apart is labelled by what it is full of
        terms.append(_without_repeats(clear or heaviest))
    return terms


def _says_something(term: str, lift: float) -> bool:
    """Whether a term may stand in a label: not numbers alone, no function word at an end, or a telling one."""
    words = term.split(" ")
    if all(word.isdigit() for word in words):
        return False
    function_words = words[0] in _function_words() or words[-1] in _function_words()
    return not function_words or (len(words) == 1 and lift >= FUNCTION_LIFT)


def _without_repeats(heaviest: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The first terms that share no word; a longer one takes the place of its part where it weighs nearly as much."""
    kept: list[tuple[str, float]] = []
    for term, weight in heaviest:
        words = set(term.split(" "))
        alike = [i for i, (other, _) in enumerate(kept) if words & set(other.split(" "))]
        if not alike:
            if len(kept) < SHOWN:
                kept.append((term, weight))
        elif len(alike) == 1:
            other, most = kept[alike[0]]
            if set(other.split(" ")) < words and weight >= PART * most:
                kept[alike[0]] = (term, most)
    return kept


def area_labels(terms: list[list[tuple[str, float]]]) -> list[str]:
    """Each area's first terms as its name, with more of them where two would be the same. terms : as `area_terms`."""
    labels: list[str] = []
    for number, own in enumerate(terms):
        names = [term for term, _ in own]
        count = 1
        while count < min(LABEL_TERMS, len(names)) and len(", ".join(names[: count + 1])) <= LABEL_LENGTH:
            count += 1
        label = ", ".join(names[:count])
        while label in labels and count < len(names):
            count += 1
            label = ", ".join(names[:count])
        labels.append(label if label and label not in labels else f"{label} {number + 1}".strip())
    return labels
