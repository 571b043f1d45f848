"""What keeps a sample from being a candidate at all, with the numbers that say so."""

from __future__ import annotations

import math

from backend.config import SelectionSettings
from backend.records import EDITED, Scores, Status

HELD_OUT_REASON = "held out"  # what the scores of a run say about the samples that it held out
NOT_SCORED = "not scored"


def barrier(
    scores: Scores,
    settings: SelectionSettings | None,
    row: int,
    status: Status,
    *,
    source: str = "",
    excluded_by: str = "",
) -> str:
    """Why a row is no candidate, as a clause ("its response has 12 tokens, the limit is at least 20").

    settings : of the selection, for its limits; None where they are not known.
    status : of the row, none of SELECTED, PINNED and OUTRANKED.
    """
    complexity, tokens = float(scores.complexity[row]), int(scores.response_tokens[row])
    if status is Status.TOO_COMPLEX:
        return _too_complex(complexity, settings)
    if status is Status.UNSCORABLE:
        return _unscorable(str(scores.reason[row]))
    if status in (Status.TOO_SHORT, Status.TOO_LONG):
        short = status is Status.TOO_SHORT
        if settings is None:
            return f"its response is {'shorter' if short else 'longer'} than the limit that was set"
        limit = settings.min_response_tokens if short else settings.max_response_tokens
        return (
            f"its response has {tokens:,} tokens, the limit is {'at least' if short else 'at most'} {limit:,}"
        )
    if status is Status.EXCLUDED:
        return f"{excluded_by or 'a person'} excluded it"
    if status is Status.SOURCE_OFF:
        return f"its source{f', {source},' if source else ''} has the weight 0"
    if status is Status.HELD_OUT:
        if scores.reason[row] not in ("", HELD_OUT_REASON):
            return str(scores.reason[row])
        return "it is held out to measure the held-out loss, and never trained on"
    if status is Status.NO_VALUE:
        column = f"column {settings.factor_column}" if settings is not None else "the column that is a factor"
        return f"it has no value in {column}, which is a factor of the gain"
    if status is Status.TRAINED:
        return "an earlier epoch has trained on it, and this strategy trains on no sample twice before the pool is used up"
    if status is Status.NOT_CANDIDATE:
        if scores.reason[row] in (NOT_SCORED, EDITED):
            return _unscorable(str(scores.reason[row]))
        return "it was outside the top (update ratio x budget), so it was not rescored before this epoch and could not be picked"
    raise ValueError(f"{status.name} is not kept from being a candidate")


def _too_complex(complexity: float, settings: SelectionSettings | None) -> str:
    # rounded up, so that a ceiling above what is shown lets it in
    shown = math.ceil(complexity * 1000 - 1e-6) / 1000
    ceiling = "the limit" if settings is None else f"the limit of {settings.max_complexity:g}"
    return f"its complexity is {complexity:.3f}, not below {ceiling}; it would need a limit above {shown:g}"


def _unscorable(reason: str) -> str:
    if reason == HELD_OUT_REASON:
        return (
            "it has no score, because the run that made these scores held it out to measure the held-out loss"
        )
    if reason == NOT_SCORED:
        return "no model has scored it"
    if reason == EDITED:
        return "its response was edited since it was scored; score edited samples again to include it"
    return f"its complexity is not defined{f': {reason}' if reason else ''}"
