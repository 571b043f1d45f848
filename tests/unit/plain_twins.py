"""What the fast code must agree with, written to be read: scikit-learn's vectorizer and a search of everything."""

import json
import math
import os
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from backend.records import Scores

SHARED = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2].parent / "shared"))


def shared_json(name: str) -> Any:
    """A JSON file of the shared test material; skips the test where it is not at hand."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here (set ITERIT_SHARED)")
    return json.loads(path.read_text(encoding="utf-8"))


def plain_tfidf(texts: list[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """scikit-learn's matrix and the text of its columns."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 3))
    try:
        return vectorizer.fit_transform(texts).tocsr(), vectorizer.get_feature_names_out().tolist()
    except ValueError:  # "empty vocabulary": no text has a word
        return sparse.csr_matrix((len(texts), 0)), []


def plain_greedy(
    texts: list[str],
    factor: np.ndarray,
    complexity: np.ndarray,
    *,
    power: float = 1.0,
    decay: float,
    budget: int,
    first: tuple[int, ...] = (),
    allowed: Callable[[list[int]], np.ndarray] | None = None,
) -> tuple[list[int], list[float], list[list[tuple[str, float]]]]:
    """Positions in pick order, their gains, and each pick's (n-gram, contribution), largest first.

    allowed : (m,) bool, who may be picked after these picks; everybody where None.
    """
    tfidf, names = plain_tfidf(texts)
    weight = np.ones(len(names))
    left = np.ones(len(texts), dtype=bool)
    picks, gains, terms = [], [], []
    while len(picks) < min(budget, len(texts)):
        gain = factor * (tfidf @ weight) ** power
        # gains that differ by the order of an addition only are the same: compare 40 of their 53 bits
        mantissa, exponent = np.frexp(gain)
        may = left if allowed is None else left & allowed(picks)
        if len(picks) >= len(first) and not may.any():
            break
        compared = np.where(may, np.ldexp(np.round(np.ldexp(mantissa, 40)), exponent - 40), -1)
        if len(picks) < len(first):
            pick = first[len(picks)]
        elif compared.max() > 0:
            pick = int(compared.argmax())
        else:
            pick = int(np.where(may, complexity, -1).argmax())
        begin, end = tfidf.indptr[pick : pick + 2]
        columns = tfidf.indices[begin:end]
        parts = tfidf.data[begin:end] * weight[columns]
        picks.append(pick)
        gains.append(float(gain[pick]))
        terms.append(sorted(((names[c], float(p)) for c, p in zip(columns, parts)), key=lambda t: -t[1]))
        weight[columns] *= decay
        left[pick] = False
    return picks, gains, terms


def plain_allowed(
    picked: list[str], candidates: list[str], shares: dict[str, str], *, of: int, budget: int
) -> tuple[set[str], int]:
    """Sources that the next pick may be of, and the places that no lower bound needs (below 0 where these need more).

    picked : source of each pick so far. candidates : source of everybody who may be or is picked, pins too.
    of : samples that the bounds are shares of. budget : samples to pick.
    """
    have, there = Counter(picked), Counter(candidates)
    need, most = {}, {}
    for source in there:
        low, _, high = shares.get(source, "-").partition("-")
        most[source] = math.floor(Fraction(high or "1") * of) if high else len(candidates)
        least = min(math.ceil(Fraction(low or "0") * of), most[source], there[source])
        need[source] = max(least - have[source], 0)
    free = budget - len(picked) - sum(need.values())
    return {s for s in there if have[s] < most[s] and (need[s] > 0 or free > 0)}, free


def random_texts(rng: np.random.Generator, n: int, *, words: int = 12, copies: float = 0.3) -> list[str]:
    """Short texts over a small vocabulary with odd characters, some empty, some copies of earlier ones."""
    vocabulary = [
        "Hello",
        "ÉTÉ",
        "été",
        "a",
        "_x_",
        "x1",
        "日本",
        "日本語",
        "don't",
        "e-mail",
        "x_y",
        "İz",
        "3,14",
        "ΟΔΟΣ",
    ]
    vocabulary += [f"w{k}" for k in range(words)]
    texts: list[str] = []
    for _ in range(n):
        if texts and rng.random() < copies:
            texts.append(texts[rng.integers(len(texts))])
        else:
            texts.append(" ".join(rng.choice(vocabulary, rng.integers(0, 9))))
    return texts


def scored(complexity: np.ndarray, response_tokens: np.ndarray | None = None) -> Scores:
    """Scores with these complexities (NaN: unscorable)."""
    scores = Scores.unknown(len(complexity), response_tokens)
    known = ~np.isnan(complexity)
    scores.complexity[:] = complexity
    scores.reason[known] = ""
    return scores
