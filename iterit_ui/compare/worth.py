"""Whether selecting is worth it, on the Compare tab: the compute multipliers, and the curve that they are read off."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from backend import analysis
from backend.analysis import multiplier_words as words
from backend.analysis.multiplier_table import Worth, worth
from iterit_ui.compare.tables import plain_table
from iterit_ui.compare.words import LADDER_HINT
from iterit_ui.plots.random_curve import random_curve
from iterit_ui.shared.theme import number, score

Value = dict[str, Any]


def worth_values(found: analysis.Comparison) -> tuple[Value, Value | None, Value | None, gr.Column]:
    """(note, curve, table, whether the two are shown); without a random ladder the note says how to get one."""
    value = worth(found)
    if value is None:
        return {"tone": "info", "text": LADDER_HINT}, None, None, gr.Column(visible=False)
    return worth_note(value), random_curve(value), worth_table(value), gr.Column(visible=True)


def worth_note(value: Worth) -> Value:
    """The answer for the selection that ends lowest."""
    return {
        "tone": "good" if words.pays(value) else "info",
        "title": words.TITLE,
        "text": " ".join([words.headline(value), *words.remarks(value)]),
    }


def worth_table(value: Worth) -> Value:
    """A row per strategy that fresh random draws are held against."""
    rows = [
        {
            "arm": arm.label,
            "final": score(arm.mean, 4) + (f" ± {score(arm.sd, 4)}" if math.isfinite(arm.sd) else ""),
            "steps": number(arm.steps),
            "times": words.reached_words(arm.in_steps),
            "range": words.range_words(arm.in_steps),
            "seeds": words.seeds_words(arm.in_steps),
            "compute": words.reached_words(arm.in_compute),
            "scored": number(arm.scored),
        }
        for arm in value.arms
    ]
    columns = [
        {"key": "arm", "label": "Strategy", "width": "140px"},
        {"key": "final", "label": "At the end", "align": "right", "width": "134px", "hint": "held-out loss after the last epoch"},
        {"key": "steps", "label": "Steps", "align": "right", "width": "64px", "hint": "optimizer steps"},
        {"key": "times", "label": "Multiplier", "kind": "words", "width": "112px", "hint": "times its own steps that fresh random draws need"},
        {"key": "range", "label": "Range", "kind": "words", "hint": "at its mean loss plus and minus the spread over the seeds"},
        {"key": "seeds", "label": "By seed", "kind": "words", "hint": "each seed on its own random runs"},
        {"key": "compute", "label": "With scoring", "kind": "words", "width": "112px", "hint": "times its own compute, scoring counted"},
        {"key": "scored", "label": "Tokens scored", "align": "right", "width": "116px", "hint": "read to score, both readings; mean over the seeds"},
    ]  # fmt: skip
    note = " ".join([words.DEFINITION, words.SCORING, *words.unknown(value)])
    return plain_table("Compute multiplier", note, columns, rows, "strategies")
