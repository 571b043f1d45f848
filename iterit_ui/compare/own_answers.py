"""Comparisons with an answer of their own, a sensitivity study and a search for a budget: what they are measured against, and
what the usual parts leave to their panels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis
from backend.errors import StudioError
from iterit_ui.compare.budget_panel import search_of
from iterit_ui.compare.sensitivity_panel import MOST_ARMS, study_of
from iterit_ui.compare.views import SHOWN, results, runs_of
from iterit_ui.shared.strategies import STRATEGY_NAMES, strategy_name


@dataclass(frozen=True)
class OwnAnswer:
    """What a comparison with an answer of its own changes in the usual parts.

    baseline : the arm that it is measured against: a study's base, a search's full pool. expected : what remarks are about that
    its panel says already.
    """

    baseline: str
    expected: tuple[str, ...] = ()


def own_answer(home: Path, comparison: str) -> OwnAnswer | None:
    """None where the comparison that is open has no answer of its own, or it cannot be read."""
    try:
        if (study := study_of(home, comparison)) is not None:
            base = next(
                (arm for arm in study.comparison.arms if arm.label == study.comparison.reference), None
            )
            return OwnAnswer(_named(base.label, base.strategy) if base else "")
        if (search := search_of(home, comparison)) is not None:
            return OwnAnswer(_named(search.baseline, "full"), ("budgets", "steps", "missing"))
    except StudioError:
        pass  # its panel says so
    return None


def _named(label: str, strategy: str) -> str:
    """An arm's label with the strategy's name instead of its identifier."""
    return strategy_name(strategy) + label.removeprefix(strategy) if label else ""


def own_baseline(home: Path, comparison: str) -> str:
    """The arm that the open comparison is measured against; "" where it has no answer of its own."""
    own = own_answer(home, comparison)
    return own.baseline if own else ""


def rows_shown(home: Path, tab: str, comparison: str) -> list[Any]:
    """The rows of pictures: losses at the end, losses on the way, what was selected, and of which kinds.

    The first two say what an own answer's figure says; the others have a row for each arm, and cannot be read where a
    comparison with an own answer has more than `MOST_ARMS`.
    """
    if tab != "compare":
        return [gr.skip() for _ in range(4)]
    own = own_answer(home, comparison) is not None
    crowded = own and len(_arms(home, comparison, [])) > MOST_ARMS
    return [gr.Row(visible=shown) for shown in (not own, not own, not crowded, not crowded)]


def comparison_parts(
    home: Path, tab: str, comparison: str, chosen: list[str], reference: str, over: str, epoch: int
) -> tuple[Any, ...]:
    """The results; nothing is drawn while another tab is shown."""
    if tab != "compare":
        return tuple(gr.skip() for _ in range(SHOWN))
    found = _arms(home, comparison, chosen)
    own = own_answer(home, comparison)
    if own is None:
        asked = reference if reference in found else ""
        return results(home, comparison, chosen, asked, over, epoch)
    asked = reference if reference in found else own.baseline
    parts = results(home, comparison, chosen, asked, over, epoch, expected=own.expected)
    # the lowest of many values is often lowest by chance, and a search ends lowest with the full pool; without random draws
    # of several lengths nothing is said of what selecting is worth; a search's panel says which of its runs are missing
    before, worth, (*after, missing, shown) = parts[2:7], parts[7], parts[8:]
    return (
        parts[0],
        None,
        *before,
        worth if after[0] else None,
        *after,
        None if "missing" in own.expected else missing,
        shown,
    )


def _arms(home: Path, comparison: str, chosen: list[str]) -> list[str]:
    """Labels of what is compared, so that a reference of another comparison is not asked for."""
    ids = runs_of(home, comparison, chosen)
    try:
        return [arm.label for arm in analysis.compare(home, ids, names=STRATEGY_NAMES).arms] if ids else []
    except StudioError:
        return []
