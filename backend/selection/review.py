"""What a person may change about an epoch's selection while the run waits, and the selection that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backend.config import RunConfig, SelectionSettings, budget_of, selection_settings
from backend.diversity import NgramCounts
from backend.errors import ConfigError
from backend.records import EpochRecord, Pool, Status
from backend.selection.epoch import EpochSelection, select_epoch

REVIEWABLE = (
    "budget",
    "decay",
    "complexity_weight",
    "diversity_weight",
    "source_weights",
    "source_shares",
    "factor_column",
    "factor_weight",
    "max_complexity",
    "min_response_tokens",
    "max_response_tokens",
    "pinned",
    "excluded",
)
"""Settings that a review may change for one epoch."""


def review_settings(config: RunConfig, changes: Mapping[str, Any]) -> SelectionSettings:
    """A run's selection settings with some of `REVIEWABLE` changed.

    Raises
    ------
    ConfigError : another setting, or a value that is none of it.
    """
    other = sorted(set(changes) - set(REVIEWABLE))
    if other:
        raise ConfigError(f"{other[0]} cannot be changed in a review (allowed: {', '.join(REVIEWABLE)})")
    return selection_settings(config, **changes)


def reviewed_selection(
    pool: Pool,
    counts: Callable[[], NgramCounts],
    proposal: EpochRecord,
    config: RunConfig,
    changes: Mapping[str, Any],
    *,
    most: int | None,
) -> EpochSelection:
    """The selection of the proposal's epoch with these settings changed, from the proposal's scores.

    most : samples that an epoch of this run can train on at most, which epoch 0 decides; None before it has.

    Raises
    ------
    ConfigError : see `review_settings`; or the budget is beyond `most`; or nothing would be selected.
    """
    settings = review_settings(config, changes)
    held_out = proposal.selection.status == Status.HELD_OUT
    budget = budget_of(settings.budget, int((~held_out).sum()))
    if most is not None:
        if "budget" in changes and budget > most:
            raise ConfigError(
                f"budget is {budget:,} samples; this run's epochs have steps for {most:,}, as epoch 0 selected"
            )
        budget = min(budget, most) if "budget" in changes else most
    found = select_epoch(
        pool,
        counts,
        proposal.scores,
        settings,
        epoch=proposal.epoch,
        budget=budget,
        rescored=proposal.rescored,
        held_out=held_out,
        earlier=proposal.earlier,
    )
    if not len(found.selection):
        raise ConfigError("nothing would be selected; allow more samples, or a larger budget")
    return found


def reviewed_record(
    pool: Pool,
    counts: Callable[[], NgramCounts],
    proposal: EpochRecord,
    config: RunConfig,
    changes: Mapping[str, Any],
    *,
    most: int | None,
) -> EpochRecord:
    """The epoch's record as a review left it: the proposal itself where nothing was changed."""
    if not changes:
        return proposal
    selection, diversity = reviewed_selection(pool, counts, proposal, config, changes, most=most)
    return replace(proposal, selection=selection, diversity=diversity, changes=dict(changes))
