"""Why a candidate was not picked: its own number against the last pick's."""

from __future__ import annotations

import numpy as np

from backend.analysis.covered import Remains
from backend.analysis.quota_words import kept_out, quota_story
from backend.config import SelectionSettings
from backend.records import Pool, Scores, Selection, Status
from backend.selection import column_factor, ties_as_equal
from backend.selection.choose import exponents

ALMOST_NOTHING = 1e-4
PLAIN = "Not selected: it was a candidate, but others gained more until the budget was full."


def outranked(
    pool: Pool,
    scores: Scores,
    selection: Selection,
    row: int,
    *,
    settings: SelectionSettings | None,
    left: Remains | None,
) -> str:
    """In a sentence or two why this candidate is not among the picks, as precisely as what is known allows.

    left : what the picks left of its diversity; needed where the strategy reads diversity.
    """
    if settings is None or not len(selection):
        return PLAIN
    if (selection.status[selection.rows] == Status.PINNED).all():
        return "Not selected: the pinned samples fill the budget."
    story = quota_story(pool, selection, settings)
    against = "" if story is None else kept_out(story, int(pool.source_codes[row]))
    if against:
        return f"Not selected: {against}."
    last = int(selection.rows[-1])
    if settings.strategy == "longest":
        return (
            f"Not selected: its response has {scores.response_tokens[row]:,} tokens; the last pick's has "
            f"{scores.response_tokens[last]:,}."
        )
    if settings.strategy in ("random", "random-each-epoch"):
        return "Not selected: it was not among those drawn at random, and this strategy uses nothing else."
    before, after = gains(pool, scores, settings, row, left)
    if not np.isfinite(after) or not np.isfinite(selection.gain[-1]):
        return PLAIN
    words = f"Not selected: {_compared(before, after, float(selection.gain[-1]), settings)}."
    if left is not None and left.same is not None:
        of = "" if left.same.epoch is None else f" of epoch {left.same.epoch}"
        words += f" A response with the very same n-grams is pick {left.same.pick:,}{of}."
    return words


def gains(
    pool: Pool, scores: Scores, settings: SelectionSettings, row: int, left: Remains | None
) -> tuple[float, float]:
    """A candidate's gain before any pick and at the end of the selection; NaN where its diversity is not known."""
    a, b = exponents(settings)
    weight = settings.source_weights.get(pool.sources[int(pool.source_codes[row])], 1.0)
    factor = float(scores.complexity[row]) ** a * weight
    of_column = column_factor(pool, settings)
    if of_column is not None:
        factor *= float(of_column[row])
    if b == 0:
        return factor, factor
    if left is None:
        return float("nan"), float("nan")
    return factor * left.before**b, factor * left.after**b


def _compared(before: float, after: float, last: float, settings: SelectionSettings) -> str:
    """Both gains in words, with as many digits as it takes to tell them apart."""
    if last == 0:
        by = "row" if settings.strategy == "diversity" else "complexity"
        return f"no candidate had any gain left, and the last picks went by {by}"
    if ties_as_equal(np.array(after)) == ties_as_equal(np.array(last)):
        return f"its gain at the end was {after:.3g}, as was the last pick's; ties go to the earlier row"
    digits = next((d for d in (3, 5, 8) if f"{after:.{d}g}" != f"{last:.{d}g}"), 12)
    at_first = f" ({before:.3g} before any pick)" if f"{before:.3g}" != f"{after:.3g}" else ""
    # n-grams that many picks have covered leave 1e-40 and the like, which nobody needs to read
    at_end = "almost 0" if 0 < after < ALMOST_NOTHING <= last else f"{after:.{digits}g}"
    return f"its gain at the end was {at_end}{at_first}; the last pick had {last:.{digits}g}"
