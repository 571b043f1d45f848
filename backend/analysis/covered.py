"""What kept a candidate from being picked: which of its n-grams earlier picks had covered, and what was left of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backend.analysis.coverage import entries
from backend.analysis.earlier_epochs import Earlier, nothing_earlier
from backend.diversity import NgramCounts, Tfidf, term_texts
from backend.records import Selection

TOP = 8


class Covered(NamedTuple):
    """An n-gram that lost weight.

    part : what it would have added to the diversity. left : what it still adds.
    pick, row : the first pick that has it (from 1), and that pick's row of the pool.
    epoch : where that was a pick of an earlier epoch; None for this selection's own.
    """

    term: str
    part: float
    left: float
    pick: int
    row: int
    epoch: int | None = None


class Same(NamedTuple):
    """A pick with the very same n-grams; as `Covered`."""

    pick: int
    row: int
    epoch: int | None = None


@dataclass(frozen=True)
class Remains:
    """What a selection left of one candidate's diversity.

    before : its diversity before this selection's first pick: with every n-gram at its full weight, but for what
        earlier epochs had covered.
    after : at the selection's end; of a pick, at the moment when it was picked.
    covered : the n-grams that lost most, the most first.
    rest : what all its other n-grams add to `after`; with what `covered` has left it makes `after`.
    same : the first pick with the very same n-grams in the same order, None where there is none.
    """

    before: float
    after: float
    covered: tuple[Covered, ...]
    rest: float
    same: Same | None


def remains(
    tfidf: Tfidf,
    selection: Selection,
    row: int,
    *,
    decay: float,
    top: int = TOP,
    earlier: Earlier | None = None,
) -> Remains | None:
    """What is left of a row's diversity after the picks (of a picked row: after the picks before it).

    tfidf : of the selection's candidates. decay : of the selection's settings.
    earlier : what earlier epochs had covered, where the strategy remembers it.
    Returns None where the row is not among the candidates, so that its diversity is not defined.
    """
    at = int(np.searchsorted(tfidf.rows, row))
    if at == len(tfidf) or tfidf.rows[at] != row:
        return None
    counts = tfidf.counts
    own = slice(*counts.indptr[row : row + 2])
    columns = counts.indices[own]
    part = counts.tf[own] * tfidf.idf[counts.groups.of[columns]] * tfidf.scale[at]
    place = np.flatnonzero(selection.rows == row)
    own_picks = selection.rows[: place[0]] if len(place) else selection.rows
    before = nothing_earlier() if earlier is None else earlier
    picks = np.concatenate([before.rows, own_picks])
    times, first = _times_covered(counts, columns, picks)
    at_first, _ = _times_covered(counts, columns, before.rows)
    left = part * np.power(float(decay), times)
    solo = tfidf.solo[at] * tfidf.scale[at] * float(decay) ** int((before.rows == row).sum())
    lost = part - left
    order = np.argsort(-lost, kind="stable")[:top]
    order = order[lost[order] > 0]
    terms = term_texts(counts, counts.terms[columns[order]]) if len(order) else np.empty(0, dtype=object)
    after = float(left.sum() + solo)

    def pick(k: int) -> tuple[int, int, int | None]:
        """Number, row and earlier epoch of the k-th of all picks."""
        if k < len(before):
            return int(before.picks[k]), int(before.rows[k]), int(before.epochs[k])
        return k - len(before) + 1, int(picks[k]), None

    same = _same(counts, row, picks)
    return Remains(
        before=float((part * np.power(float(decay), at_first)).sum() + solo)
        if len(before)
        else float(tfidf.diversity[at]),
        after=after,
        covered=tuple(
            Covered(str(term), float(part[k]), float(left[k]), *pick(int(first[k])))
            for term, k in zip(terms, order)
        ),
        rest=after - float(left[order].sum()),
        same=None if same is None else Same(*pick(same)),
    )


def covered_by(
    tfidf: Tfidf, selection: Selection, row: int, *, decay: float, top: int = TOP
) -> list[Covered]:
    """The n-grams of a candidate that lost most weight, and the picks that covered them first; see `remains`."""
    found = remains(tfidf, selection, row, decay=decay, top=top)
    return [] if found is None else list(found.covered)


def _times_covered(
    counts: NgramCounts, columns: np.ndarray, picks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many picks have each of these n-grams, and the place of the first that has it (-1: none)."""
    groups = counts.groups
    wanted = groups.of[columns]
    size = len(counts.terms)  # there are no more groups than n-grams
    known = np.zeros(size, dtype=bool)
    known[wanted] = True
    sizes = groups.indptr[picks + 1] - groups.indptr[picks]
    here = groups.indices[entries(groups.indptr[picks], sizes)]
    hit = np.flatnonzero(known[here])
    here, place = here[hit], np.repeat(np.arange(len(picks)), sizes)[hit]
    times = np.bincount(here, minlength=size)
    first = np.full(size, -1, dtype=np.int64)
    first[here[::-1]] = place[::-1]  # the last one written stays
    return times[wanted], first[wanted]


def _same(counts: NgramCounts, row: int, picks: np.ndarray) -> int | None:
    """The place of the first pick whose response has the same n-grams in the same order."""
    begin, end = counts.indptr[row : row + 2]
    if counts.solo_sum[row] or begin == end:
        return None  # it has an n-gram that no other response has, or none at all
    for place in np.flatnonzero(counts.indptr[picks + 1] - counts.indptr[picks] == end - begin).tolist():
        if picks[place] != row and same_ngrams(counts, row, int(picks[place])):
            return place
    return None


def same_ngrams(counts: NgramCounts, a: int, b: int) -> bool:
    """Whether two responses have the very same n-grams, equally often and in the same order of first places."""
    if counts.solo_sum[a] or counts.solo_sum[b]:
        return a == b
    one, other = slice(*counts.indptr[a : a + 2]), slice(*counts.indptr[b : b + 2])
    return np.array_equal(counts.indices[one], counts.indices[other]) and np.array_equal(
        counts.tf[one], counts.tf[other]
    )
