"""Samples that are nearly the same: pairs found once per pool, groups for any threshold at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from backend.config import Words
from backend.errors import ConfigError

LOWEST = 0.5
# 25 bands of 3 hashes: samples of similarity s become candidates with probability 1 - (1 - s^3)^25
BANDS, HASHES = 25, 3
SEED = 1
_REPORT_EVERY = 512


@dataclass(frozen=True)
class NearPairs:
    """Pairs of samples that are nearly the same: as many as groups at any threshold need, and no more.

    Where any chain of pairs found, each of similarity t or more, joins two samples, a chain of these does too. They
    are fewer than the samples, even where thousands of samples are alike.

    a, b : (p,) int32, rows, a < b; ordered by a, then b.
    similarity : (p,) float32, exact Jaccard similarity of the two samples' shingles, from `lowest` to 1.
    lowest : the similarity down to which pairs were looked for.
    """

    a: np.ndarray
    b: np.ndarray
    similarity: np.ndarray
    lowest: float

    def __len__(self) -> int:
        return len(self.a)


def near_pairs(
    prompts: Sequence[str],
    responses: Sequence[str],
    *,
    words: Words = "paper",
    lowest: float = LOWEST,
    on_progress: Callable[[int, int], None] | None = None,
) -> NearPairs:
    """Find the samples that are nearly the same.

    Two samples are compared by prompt and response together, in lower case and with white space made even, as sets
    of runs of five characters (`shingles`). MinHash and locality-sensitive hashing (datasketch) name the candidates;
    each candidate's similarity is then computed exactly. So no pair is reported that is not one, and a pair is not looked
    at with probability (1 - s^3)^25: 3.5 % at similarity 0.5, 0.2 % at 0.6, 0.003 % at 0.7, one in 60 million at 0.8.
    Chains make up for some: of the demo's 2,622 pairs from 0.5 on, one (at 0.55) is not joined at its own
    similarity, of the 81 of `pool_small` none. The result is the same on every run.

    The time grows with the square of the largest group: 5,000 samples that are all alike take 12 s.

    Parameters
    ----------
    prompts, responses : the n samples' texts. Leave system turns out: one text before all samples makes all alike.
    words : `unicode` makes a run of three characters where they are of a script without spaces.
    lowest : similarity from which pairs are kept, more than 0 and at most 1.
    on_progress : called with samples done and in all; may raise to stop.

    Raises
    ------
    ConfigError : `lowest` is out of its range.
    """
    # these two are not needed to show what was found, and the app starts without them
    from datasketch import MinHash, MinHashLSH

    from backend.findings.shingles import normal, shingle_sets, similarities

    if not 0 < lowest <= 1:
        raise ConfigError(f"lowest is {lowest}; expected more than 0 and at most 1")
    firsts, copies = _group_same(
        [(normal(prompt), normal(response)) for prompt, response in zip(prompts, responses, strict=True)]
    )
    texts = list(firsts)
    rows = np.fromiter(firsts.values(), dtype=np.int64, count=len(firsts))
    shingles, offsets = shingle_sets(
        [prompt for prompt, _ in texts], [response for _, response in texts], words=words
    )
    del firsts, texts
    found = _Forest(len(prompts))
    for first, copy in copies:
        found.add(first, np.array([copy]), np.ones(1, dtype=np.float32))
    index = MinHashLSH(num_perm=BANDS * HASHES, params=(BANDS, HASHES))
    # MinHash takes 32 bits of the hashes made already
    sets = ((shingles[begin:end] >> np.uint64(32)).tolist() for begin, end in itertools.pairwise(offsets))
    for i, sketch in enumerate(MinHash.generator(sets, num_perm=BANDS * HASHES, seed=SEED, hashfunc=int)):
        if on_progress is not None and i % _REPORT_EVERY == 0:
            on_progress(i, len(rows))
        if offsets[i] == offsets[i + 1]:
            continue  # nothing in it: like nothing else
        candidates = np.array(index.query(sketch), dtype=np.int64)
        index.insert(i, sketch, check_duplication=False)
        if len(candidates):
            similarity = similarities(shingles, offsets, i, candidates, lowest)
            alike = similarity > 0
            found.add(int(rows[i]), rows[candidates[alike]], similarity[alike])
    if on_progress is not None:
        on_progress(len(rows), len(rows))
    return found.pairs(lowest)


def near_groups(pairs: NearPairs, n: int, *, threshold: float) -> np.ndarray:
    """Groups of samples that chains of pairs join, each pair with at least this similarity; milliseconds.

    Returns (n,) int32: the group, numbered from 0 in the order of the groups' first rows; -1 for samples in none.

    Raises
    ------
    ConfigError : the threshold is below what pairs were looked for, or above 1.
    """
    if not pairs.lowest <= threshold <= 1:
        raise ConfigError(
            f"the threshold for near-duplicates is {threshold}; pairs are known from {pairs.lowest} to 1"
        )
    from scipy.sparse.csgraph import connected_components

    near = pairs.similarity >= np.float32(threshold)  # 0.7 in the same precision, so that 7 of 10 reach it
    a, b = pairs.a[near], pairs.b[near]
    graph = sparse.coo_matrix((np.ones(len(a), dtype=bool), (a, b)), shape=(n, n))
    return numbered(connected_components(graph, directed=False)[1])


def numbered(labels: np.ndarray) -> np.ndarray:
    """Groups from one label per row: rows with a label of their own are in none.

    labels : (n,) int, from 0.

    Returns (n,) int32: numbers from 0 in the order of the groups' first rows, -1 for rows in none.
    """
    groups = np.full(len(labels), -1, dtype=np.int32)
    if not len(labels):
        return groups
    shared = np.bincount(labels)[labels] > 1
    _, first, inverse = np.unique(labels[shared], return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int32)
    order[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    groups[shared] = order[inverse]
    return groups


def _group_same(
    texts: Sequence[tuple[str, str]],
) -> tuple[dict[tuple[str, str], int], list[tuple[int, int]]]:
    """The first row of each distinct text, and (first row, row) of every further one: a thousand equal samples are
    999 pairs and one set of shingles."""
    firsts: dict[tuple[str, str], int] = {}
    copies = [
        (first, row) for row, text in enumerate(texts) if (first := firsts.setdefault(text, row)) != row
    ]
    return firsts, copies


class _Forest:
    """Collects pairs, of which it keeps those that join samples at the highest similarity (a spanning forest)."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.size = self.kept = 0

    def add(self, row: int, others: np.ndarray, similarity: np.ndarray) -> None:
        """Add pairs of one row with each of the others; no pair may come twice."""
        if not len(others):
            return
        self.parts.append((np.minimum(others, row), np.maximum(others, row), similarity))
        self.size += len(others)
        if self.size - self.kept > 1_000_000:
            self._prune()

    def pairs(self, lowest: float) -> NearPairs:
        a, b, similarity = self._prune()
        order = np.lexsort((b, a))
        return NearPairs(a[order].astype(np.int32), b[order].astype(np.int32), similarity[order], lowest)

    def _prune(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from scipy.sparse.csgraph import minimum_spanning_tree

        empty = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        a, b, similarity = (np.concatenate(part) for part in zip(empty, *self.parts, strict=True))
        # a tree of least weight; weights from 1 to 2, because a pair of weight 0 would be none
        graph = sparse.coo_matrix((2.0 - similarity.astype(np.float64), (a, b)), shape=(self.n, self.n))
        tree = minimum_spanning_tree(graph.tocsr()).tocoo()
        kept = tree.row.astype(np.int64), tree.col.astype(np.int64), (2.0 - tree.data).astype(np.float32)
        self.parts, self.size, self.kept = [kept], len(kept[0]), len(kept[0])
        return kept
