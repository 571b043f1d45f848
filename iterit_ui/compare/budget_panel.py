"""How small the budget may be, where the comparison that is open is a search for it: its verdict, figure and table come first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import store
from backend.analysis.budget_result import (
    BudgetResult,
    budget_result,
    course_words,
    figures_words,
    headline,
)
from backend.analysis.budget_verdict import FULL, BudgetRow
from backend.config.trial_rules import BUDGET_RULE
from backend.errors import StudioError
from iterit_ui.compare.tables import plain_table, signed
from iterit_ui.components import chart, note, table
from iterit_ui.plots.budget_losses import budget_losses
from iterit_ui.shared.session import DRAW, Session
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import number, score

Value = dict[str, Any]
COLUMNS = [
    {"key": "budget", "label": "Samples an epoch", "align": "right", "width": "160px"},
    {"key": "seeds", "label": "Seeds", "align": "right", "width": "70px", "hint": "finished runs that count, of those asked for"},
    {"key": "final", "label": "At the end", "align": "right", "width": "144px", "hint": "held-out loss after the last epoch, never the best one"},
    {"key": "difference", "label": "Difference", "align": "right", "width": "100px", "hint": "mean loss minus the full pool's"},
    {"key": "verdict", "label": "", "kind": "badge", "width": "130px"},
    {"key": "missing", "label": "Missing seeds", "kind": "words"},
]  # fmt: skip


@dataclass(frozen=True)
class BudgetPanel:
    """The components, hidden where no search is open."""

    box: gr.Column
    answer: gr.HTML
    figure: gr.HTML
    budgets: gr.HTML

    def follow(self, session: Session, seen: gr.State) -> None:
        """Draw again whenever what is on disk or which comparison is open has changed."""
        outputs = [self.box, self.answer, self.figure, self.budgets]

        def draw(tab: str, comparison: str) -> list[Any]:
            return budget_parts(session.home, tab, comparison)

        gr.on([seen.change], draw, [session.tab, session.comparison], outputs, **DRAW)


def build_search() -> BudgetPanel:
    """Lay the panel out."""
    with gr.Column(visible=False, elem_classes="wide", elem_id="compare-search") as box:
        answer = note(None, elem_id="search-answer")
        figure = chart(height=310, elem_id="search-figure")
        budgets = table(elem_id="search-budgets")
    return BudgetPanel(box, answer, figure, budgets)


def budget_parts(home: Path, tab: str, comparison: str) -> list[Any]:
    """What is drawn of the search that is open: the box, the answer, the figure, the table; nothing while another tab is shown."""
    if tab != "compare":
        return [gr.skip() for _ in range(4)]
    try:
        found = search_of(home, comparison)
    except StudioError as error:
        problem = {"tone": "error", "title": "This search cannot be shown", "text": f"{error}."}
        return [gr.Column(visible=True), problem, None, None]
    if found is None:
        return [gr.Column(visible=False), None, None, None]
    return [gr.Column(visible=True), answer_value(found), budget_losses(found), budgets_table(found)]


def search_of(home: Path, comparison: str) -> BudgetResult | None:
    """The search that is open; None where the comparison is another one, or has no runs.

    Raises
    ------
    StudioError : it cannot be read.
    """
    info = next((one for one in store.comparisons(home) if one.id == comparison), None)
    if info is None or info.kind != "budget" or not info.runs:
        return None
    return budget_result(home, info)


def answer_value(found: BudgetResult) -> Value:
    """The verdict in one sentence, what it rests on, and how far the search is."""
    tone = "info"
    if found.course == "held up":
        tone = "warn"
    elif found.verdict.ended and found.verdict.smallest:
        tone = "good"
    return {
        "tone": tone,
        "title": f"How small may the budget be? {headline(found)}",
        "text": f"{figures_words(found)} {course_words(found)}",
    }


def budgets_table(found: BudgetResult) -> Value:
    """A row per budget, the full pool first."""
    on = f" on {found.measured}" if found.measured else ""
    rows = [_cells(found, row) for row in found.verdict.rows]
    columns = COLUMNS if any(row["missing"] for row in rows) else COLUMNS[:-1]
    words = (
        f"Selected by {strategy_name(found.strategy)}. Held-out loss{on} at the end (lower is better): mean ± sample standard "
        f"deviation over the seeds. {BUDGET_RULE} A smaller budget also trains for fewer steps."
    )
    return plain_table("By budget", words, columns, rows, "budgets")


def _cells(found: BudgetResult, row: BudgetRow) -> Value:
    runs = [run for run in found.runs if run.budget == row.budget]
    spread = f" ± {score(row.sd, 4)}" if np.isfinite(row.sd) else ""
    return {
        "budget": number(row.budget) if row.budget else "full pool",
        "seeds": f"{row.n} of {len(runs)}",
        "final": score(row.mean, 4) + spread,
        "difference": signed(row.difference) if row.budget else "–",
        "verdict": _badge(found, row),
        "missing": "; ".join(
            f"{count} {why}" if len(runs) > 1 else why
            for why, count in Counter(run.why for run in runs if run.why).items()
        ),
    }


def _badge(found: BudgetResult, row: BudgetRow) -> Value:
    if row.budget == FULL:
        return {"text": "the baseline", "tone": "plain"}
    if row.within is None:
        return {"text": "not needed" if found.verdict.ended else "open", "tone": "plain"}
    if row.budget == found.verdict.smallest:
        return {"text": "the smallest", "tone": "selected"}
    return {"text": "as good", "tone": "pinned"} if row.within else {"text": "too small", "tone": "rejected"}
