"""One selection: what each strategy picks, in what order, and the reason for everything else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from backend.config import SelectionSettings
from backend.diversity import NgramCounts, Tfidf, count_ngrams, prepare
from backend.diversity.ngrams import SHOWN
from backend.errors import ConfigError
from backend.records import Scores, Selection, Status
from backend.selection.candidates import BY_COMPLEXITY, Candidates, candidates, source_weights
from backend.selection.earlier import Weights, covers, first_weights, weights_after
from backend.selection.greedy import Picks, greedy_picks
from backend.selection.quotas import bounded, no_quotas, picks_within, quotas_of


def select(
    counts: NgramCounts | None,
    scores: Scores,
    settings: SelectionSettings,
    *,
    budget: int,
    ids: np.ndarray,
    source_codes: np.ndarray,
    sources: tuple[str, ...],
    rows: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    epoch: int = 0,
    tfidf: Tfidf | None = None,
    earlier: np.ndarray | None = None,
    factor: np.ndarray | None = None,
) -> Selection:
    """Pick `budget` samples as `settings.strategy` says; fewer where there are fewer candidates.

    Pinned rows come first, in row order, whatever the strategy. ``full`` takes every candidate and reads no
    budget. Bounds on sources' shares (`settings.source_shares`) are of the budget that the settings ask for, whatever
    `budget` is: each pick is the best of those whose source is not closed, see `quotas`. A strategy without diversity (or with `diversity_weight` 0) needs no `counts`.

    Parameters
    ----------
    counts : n-gram counts of the whole pool of n rows.
    scores : (n,) scores; strategies that need no complexity read the response lengths only.
    budget : number of samples.
    ids, source_codes, sources, rows, held_out, earlier, factor : see `candidates`.
    epoch : 0 for the selection before the first training; part of the seed of ``random-each-epoch``.
    tfidf : what `diversity.prepare(counts, candidates(...).rows)` returned earlier. It is used where the
        candidates are still the same (any change of decay, budget or weights), otherwise made anew.

    Raises
    ------
    ConfigError : see `candidates`; or a budget below 1 or below the number of pinned samples; or bounds of a source that
        is not there, or that let nothing in.
    """
    chosen = candidates(
        scores,
        settings,
        ids=ids,
        source_codes=source_codes,
        sources=sources,
        rows=rows,
        held_out=held_out,
        earlier=earlier,
        factor=factor,
    )
    if settings.strategy == "full":
        budget = len(chosen.rows)
    if budget < 1:
        raise ConfigError(f"the budget is {budget} of {len(scores):,} samples; at least 1 is needed")
    if len(chosen.pinned) > budget:
        raise ConfigError(f"{len(chosen.pinned):,} samples are pinned but the budget is {budget:,}")
    weights = source_weights(settings, source_codes=source_codes, sources=sources)
    if factor is not None:
        weights = weights * factor
    quotas = None
    if bounded(settings):
        quotas = quotas_of(settings, chosen.status, source_codes, sources, budget=budget)
    a, b = exponents(settings)
    if b > 0:
        if tfidf is None or not np.array_equal(tfidf.rows, chosen.rows):
            if counts is None:
                raise ConfigError(f"the strategy {settings.strategy!r} needs the pool's n-gram counts")
            tfidf = prepare(counts, chosen.rows)
        complexity = scores.complexity[chosen.rows].astype(np.float64)
        # rows of earlier epochs are here for their n-grams alone, unless they may be picked again
        takes_part = np.isin(chosen.status[chosen.rows], (Status.OUTRANKED, Status.PINNED))
        fixed = np.where(takes_part, complexity**a * weights[chosen.rows], 0.0)

        def by_complexity() -> np.ndarray:
            # once every gain is 0: by complexity, or by row where the strategy does not read it
            order = _descending(
                complexity if settings.strategy in BY_COMPLEXITY else np.zeros(len(complexity))
            )
            return order[takes_part[order]]

        picks = greedy_picks(
            tfidf,
            fixed,
            power=b,
            decay=settings.decay,
            budget=min(budget, int(takes_part.sum())),
            first=np.searchsorted(chosen.rows, chosen.pinned),
            then=by_complexity,
            start=start_of(tfidf, settings, earlier),
            quotas=quotas,
            source=None if quotas is None else source_codes[chosen.rows],
        )
        if quotas is not None:
            _check_some(picks.index, chosen)
        return _selection(chosen, chosen.rows[picks.index], picks)
    order, gain = _order(chosen, scores, settings, weights, exponent=a, epoch=epoch)
    if quotas is not None:
        of_source = source_codes[order].astype(np.int64)
        order = order[picks_within(of_source, budget - len(chosen.pinned), *quotas.left())]
        _check_some(np.concatenate([chosen.pinned, order]), chosen)
    picked = np.concatenate([chosen.pinned, order])[:budget]
    return _selection(chosen, picked, _unexplained(picked, gain))


def start_of(tfidf: Tfidf, settings: SelectionSettings, earlier: np.ndarray | None) -> Weights:
    """What n-grams weigh before the first pick; earlier : as for `candidates`."""
    if earlier is None or not covers(settings):
        return first_weights(tfidf)
    return weights_after(tfidf, earlier[tfidf.rows], settings.decay)


def exponents(settings: SelectionSettings) -> tuple[float, float]:
    """(a, b) in complexity^a * diversity^b; only IterIT's own strategies read the weights."""
    if settings.strategy in ("iterit", "iterit-cumulative", "iterit-static"):
        return settings.complexity_weight, settings.diversity_weight
    return (0.0, 1.0) if settings.strategy == "diversity" else (1.0, 0.0)


def _order(
    chosen: Candidates,
    scores: Scores,
    settings: SelectionSettings,
    weights: np.ndarray,
    *,
    exponent: float,
    epoch: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The candidates that are not pinned, best first, where diversity plays no part; and (n,) gains or NaN."""
    rows = chosen.open
    strategy = settings.strategy
    no_gain = np.full(len(scores), np.nan)
    if strategy == "full":
        return rows, no_gain
    if strategy == "longest":
        return rows[_descending(scores.response_tokens[rows])], no_gain
    if strategy in ("random", "random-each-epoch"):
        draw = np.random.default_rng((settings.seed, epoch if strategy == "random-each-epoch" else 0))
        return draw.permutation(rows), no_gain
    gain = scores.complexity.astype(np.float64) ** exponent * weights
    return rows[_descending(gain[rows])], gain


def _descending(values: np.ndarray) -> np.ndarray:
    """Positions by value, largest first, ties to the smaller position, NaN last."""
    return np.argsort(-values.astype(np.float64), kind="stable")


def _unexplained(rows: np.ndarray, gain: np.ndarray) -> Picks:
    """Picks that no n-gram earned."""
    shape = (len(rows), SHOWN)
    nothing = np.full(shape, "", dtype=object), np.zeros(shape, dtype=np.float32)
    return Picks(rows, gain[rows], np.full(len(rows), np.nan), lambda: nothing)


def _check_some(picked: np.ndarray, chosen: Candidates) -> None:
    """Refuse bounds that let nobody in although there are candidates."""
    if not len(picked) and len(chosen.open):
        raise ConfigError(
            "nothing can be selected: source_shares leave no place to the sources that have candidates"
        )


def _selection(chosen: Candidates, rows: np.ndarray, picks: Picks) -> Selection:
    status = chosen.status.copy()
    status[rows] = Status.SELECTED
    status[chosen.pinned] = Status.PINNED
    return Selection(rows, picks.gain, picks.diversity, status, picks.explain)


def warm_up() -> None:
    """Compile what a selection needs on a pool of three responses, so that no page waits for it later."""
    # with letters that each of the vectorizer's ways has to deal with
    texts = pa.array(["two words", "two más words words", "İki İki"])
    counts = count_ngrams(texts)
    count_ngrams(texts, words="unicode")
    scores = Scores.unknown(3, response_tokens=np.ones(3, dtype=np.int32))
    for budget in (1, 2):  # of one of three each candidate is looked at by itself, of two copies are together
        made = select(
            counts,
            scores,
            SelectionSettings(strategy="diversity"),
            budget=budget,
            ids=np.array(["0", "1", "2"], dtype=object),
            source_codes=np.zeros(3, dtype=np.int32),
            sources=("",),
        )
    made.explain()
    picks_within(np.zeros(1, dtype=np.int64), 1, *no_quotas(1).left())
