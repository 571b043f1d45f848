"""Who may be picked, and for everybody else the first reason against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from backend.config import SelectionSettings, Strategy
from backend.errors import ConfigError
from backend.records import Scores, Status
from backend.selection.column_factor import reads_column
from backend.selection.earlier import leaves_out, remembers

# strategies that select by complexity; the others need no model, and the ceiling does not apply to them
BY_COMPLEXITY: frozenset[Strategy] = frozenset(
    {"iterit", "iterit-cumulative", "iterit-static", "complexity", "superfiltering"}
)
NO_TOKENS = ("empty response", "no response token within max_length")


@dataclass(frozen=True)
class Candidates:
    """Rows of a pool that a selection chooses from.

    rows : (m,) int64, ascending: the candidates, the pinned rows, and those that earlier epochs trained on where these
        are remembered. TF-IDF is over exactly these.
    pinned : (p,) int64, ascending: rows that are in whatever their scores say.
    status : (n,) uint8, `Status.OUTRANKED` for a candidate, `Status.PINNED`, or why the row is none.
    """

    rows: np.ndarray
    pinned: np.ndarray
    status: np.ndarray

    @property
    def open(self) -> np.ndarray:
        """(k,) int64, ascending: the candidates that are not pinned."""
        return np.flatnonzero(self.status == Status.OUTRANKED)


def candidates(
    scores: Scores,
    settings: SelectionSettings,
    *,
    ids: np.ndarray,
    source_codes: np.ndarray,
    sources: tuple[str, ...],
    rows: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    factor: np.ndarray | None = None,
) -> Candidates:
    """Apply held-out split, curation, what earlier epochs trained on, source weights, limits, missing values, the re-scored
    rows and the ceiling, in this order.

    Parameters
    ----------
    scores : of all n rows; strategies that need no complexity read `response_tokens` only.
    ids : (n,) object, sample ids. source_codes : (n,) int into `sources`.
    rows : (m,) int, the rows re-scored before this epoch; all where None.
    held_out : (n,) bool, rows held out.
    earlier : (n,) int, how often each row was trained on in this round; read by ``iterit-cumulative`` only. One that was
        is no candidate, pinned or not, unless `earlier_samples` is "covered".
    factor : (n,) float64, what a column of the data multiplies each gain with (`column_factor`); NaN where a row has no value,
        which then is no candidate.

    Raises
    ------
    ConfigError : an unknown id or source, a pin that cannot be trained on or is held out, unknown lengths where
        a limit needs them, or nobody left to pick (with the counts of each reason).
    """
    n = len(scores)
    tokens = scores.response_tokens
    status = np.full(n, Status.OUTRANKED, dtype=np.uint8)
    empty = _without_tokens(scores)
    # a later line overrules an earlier one, so the strongest reason comes last
    if settings.strategy in BY_COMPLEXITY:
        with np.errstate(invalid="ignore"):
            status[scores.complexity >= settings.max_complexity] = Status.TOO_COMPLEX
        status[np.isnan(scores.complexity)] = Status.UNSCORABLE
    if rows is not None:
        outside = np.ones(n, dtype=bool)
        outside[rows] = False
        status[outside] = Status.NOT_CANDIDATE
    if factor is not None:
        status[np.isnan(factor)] = Status.NO_VALUE
    elif reads_column(settings):
        raise ConfigError(f"factor_column is {settings.factor_column!r} and its values were not given")
    if settings.max_response_tokens:
        status[tokens > settings.max_response_tokens] = Status.TOO_LONG
    if settings.min_response_tokens:
        status[(tokens >= 0) & (tokens < settings.min_response_tokens)] = Status.TOO_SHORT
    status[empty] = Status.UNSCORABLE
    off = _weights_by_source(settings, sources) == 0
    if off.any():
        status[off[source_codes]] = Status.SOURCE_OFF
    pinned, excluded = _curated_rows(settings, ids)
    trained = np.flatnonzero(earlier) if earlier is not None and remembers(settings) else empty_rows()
    if leaves_out(settings):
        status[trained] = Status.TRAINED
        pinned = np.setdiff1d(pinned, trained)  # a pin is trained on once in a round
    status[excluded] = Status.EXCLUDED
    if held_out is not None:
        status[held_out] = Status.HELD_OUT
        for row in pinned[held_out[pinned]][:1]:
            raise ConfigError(
                f"sample {ids[row]} is pinned but held out; unpin it or change the held-out share"
            )
    for row in pinned[empty[pinned]][:1]:
        reason = scores.reason[row] or "no response token"
        raise ConfigError(f"sample {ids[row]} is pinned but cannot be trained on: {reason}")
    status[pinned] = Status.PINNED

    limited = settings.min_response_tokens or settings.max_response_tokens
    if (limited or settings.strategy == "longest") and (tokens[status == Status.OUTRANKED] < 0).any():
        need = (
            "the strategy 'longest' needs" if settings.strategy == "longest" else "response token limits need"
        )
        raise ConfigError(
            f"{need} the responses' lengths in tokens, which are not known; score the pool first"
        )
    keep = np.flatnonzero((status == Status.OUTRANKED) | (status == Status.PINNED))
    if not len(keep):
        raise ConfigError(f"nothing can be selected from {n:,} samples: {_counts(status)}")
    return Candidates(np.union1d(keep, trained) if len(trained) else keep, pinned, status)


def empty_rows() -> np.ndarray:
    """(0,) int64"""
    return np.empty(0, dtype=np.int64)


def source_weights(
    settings: SelectionSettings, *, source_codes: np.ndarray, sources: tuple[str, ...]
) -> np.ndarray:
    """(n,) float64: the factor on each row's gain."""
    return _weights_by_source(settings, sources)[source_codes]


def _weights_by_source(settings: SelectionSettings, sources: tuple[str, ...]) -> np.ndarray:
    unknown = sorted(set(settings.source_weights) - set(sources))
    if unknown:
        raise ConfigError(
            f"source_weights: no source {unknown[0]!r} in this pool (known: {', '.join(sources)})"
        )
    return np.array([settings.source_weights.get(name, 1.0) for name in sources])


def _without_tokens(scores: Scores) -> np.ndarray:
    """(n,) bool: no response token to train on, by count, or by reason where the count is not known."""
    empty = scores.response_tokens == 0
    unsure = np.flatnonzero((scores.response_tokens < 0) & np.isnan(scores.complexity))
    empty[unsure] = [reason in NO_TOKENS for reason in scores.reason[unsure]]
    return empty


def _curated_rows(settings: SelectionSettings, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the pinned (ascending) and of the excluded ids."""
    if not settings.pinned and not settings.excluded:
        return empty_rows(), empty_rows()
    both = sorted(set(settings.pinned) & set(settings.excluded))
    if both:
        raise ConfigError(f"sample {both[0]} is both pinned and excluded")
    row_of = _rows_by_id(ids)

    def rows(name: str, sample_ids: Iterable[str]) -> np.ndarray:
        try:
            found = {row_of[sample_id] for sample_id in sample_ids}
        except KeyError as error:
            raise ConfigError(f"{name}: no sample with id {error} in this pool of {len(ids):,}") from None
        return np.array(sorted(found), dtype=np.int64)

    return rows("pinned", settings.pinned), rows("excluded", settings.excluded)


_last: tuple[np.ndarray, dict[str, int]] = (np.empty(0, dtype=object), {})


def _rows_by_id(ids: np.ndarray) -> dict[str, int]:
    """The row of each id. Cached for the most recent pool: one change of settings needs it several times."""
    global _last
    kept, row_of = _last
    if kept is not ids:
        row_of = {sample_id: row for row, sample_id in enumerate(ids)}
        _last = ids, row_of
    return row_of


def _counts(status: np.ndarray) -> str:
    """ "12 too complex, 3 excluded" """
    words = {
        Status.SOURCE_OFF: "from switched-off sources",
        Status.NO_VALUE: "without a value in the column that is a factor",
    }
    names = Counter(Status(code) for code in status.tolist())
    return (
        ", ".join(
            f"{count:,} {words.get(name, name.name.lower().replace('_', ' '))}"
            for name, count in names.most_common()
        )
        or "the pool is empty"
    )
