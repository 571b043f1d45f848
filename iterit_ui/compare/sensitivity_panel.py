"""How much the settings matter, where the comparison that is open is a sensitivity study: its figure and tables come first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import store
from backend.analysis import sensitivity as study
from backend.analysis.comparison import measured_words
from backend.errors import StudioError
from iterit_ui.compare.tables import VERDICTS, signed
from iterit_ui.components import chart, note, table
from iterit_ui.plots.setting_panels import heat_map, setting_panels
from iterit_ui.shared import settings
from iterit_ui.shared.session import DRAW, Session
from iterit_ui.shared.strategies import strategy_label
from iterit_ui.shared.theme import counted, number, score, share

Value = dict[str, Any]
MOST_ARMS = 12  # above that, pictures with a row for each cannot be read
TONE = {"lower": "pinned", "higher": "rejected"}


@dataclass(frozen=True)
class StudyPanel:
    """The components, hidden where no study is open."""

    box: gr.Column
    answer: gr.HTML
    figure: gr.HTML
    values: gr.HTML
    pair: gr.Dropdown
    heat_box: gr.Column
    heat: gr.HTML

    def follow(self, session: Session, seen: gr.State) -> None:
        """Draw again whenever what is on disk or which comparison is open has changed."""
        outputs = [self.box, self.answer, self.figure, self.values, self.pair, self.heat_box, self.heat]

        def draw(tab: str, comparison: str, pair: str | None) -> list[Any]:
            return list(study_parts(session.home, tab, comparison, pair))

        gr.on(
            [seen.change, self.pair.input],
            draw,
            [session.tab, session.comparison, self.pair],
            outputs,
            **DRAW,
        )


def build_study() -> StudyPanel:
    """Lay the panel out."""
    with gr.Column(visible=False, elem_classes="wide", elem_id="compare-study") as box:
        answer = note(None, elem_id="study-answer")
        figure = chart(height=330, elem_id="study-figure")
        values = table(elem_id="study-values")
        with gr.Column(visible=False, elem_classes="wide") as heat_box:
            pair = gr.Dropdown(
                [],
                label="Two settings together",
                elem_id="study-pair",
                interactive=True,
                filterable=False,
            )
            heat = chart(height=330, elem_id="study-heat")
    return StudyPanel(box, answer, figure, values, pair, heat_box, heat)


def study_parts(home: Path, tab: str, comparison: str, pair: str | None) -> tuple[Any, ...]:
    """What is drawn of the study that is open: the box, the answer, the figure, the table, the pairs, the heat map's box, the
    heat map; nothing while another tab is shown."""
    if tab != "compare":
        return tuple(gr.skip() for _ in range(7))
    hidden = (gr.Column(visible=False), None, None, None, gr.skip(), gr.Column(visible=False), None)
    try:
        found = study_of(home, comparison)
    except StudioError as error:
        problem = {"tone": "error", "title": "This study cannot be shown", "text": f"{error}."}
        return (gr.Column(visible=True), problem, *hidden[2:])
    if found is None:
        return hidden
    values = study.sensitivity_table(found)
    others = study.reference_table(found)
    figure = setting_panels(values, study.seed_table(found), others, strategy=found.strategy)
    on = measured_words(found.comparison)
    if on and "note" in figure:
        figure["note"] = f"On {on}. {figure['note']}"
    known = {f"{row} {column}": (row, column) for row, column in study.pairs(found)}
    chosen = pair if pair in known else next(iter(known), None)
    choices = [
        (f"{settings.label(row)} and {settings.label(column)}", key) for key, (row, column) in known.items()
    ]
    return (
        gr.Column(visible=True),
        answer_value(found),
        figure,
        values_table(found),
        gr.Dropdown(choices=choices, value=chosen, visible=len(choices) > 1),
        gr.Column(visible=bool(known)),
        heat_map(study.grid_table(found, *known[chosen]), *known[chosen]) if chosen else None,
    )


def study_of(home: Path, comparison: str) -> study.Sensitivity | None:
    """The sensitivity study that is open; None where the comparison is another one, or has no runs.

    Raises
    ------
    StudioError : none of its runs can be read.
    """
    info = next((one for one in store.comparisons(home) if one.id == comparison), None)
    if info is None or info.kind != "sensitivity" or not info.runs:
        return None
    return study.sensitivity(home, info)


def answer_value(found: study.Sensitivity) -> Value:
    """What may be said of each setting, in a sentence each."""
    done = sum(run.done for run in found.comparison.runs)
    total = len(found.comparison.runs)
    base = ", ".join(
        f"{settings.label(name).lower()} {study.value_words(name, value)}"
        for name, value in found.base.items()
        if name in found.vary
    )
    how = "every combination of the values was run" if found.cross else "one setting was changed at a time"
    label = strategy_label(found.strategy)
    crowded = ""
    if len(found.comparison.arms) > MOST_ARMS:
        crowded = (
            " To see what a few of them select, tick their runs in the table of all runs and press Compare."
        )
    said = [f"{settings.label(setting)}: {text}" for setting, text in study.findings(found)]
    return {
        "tone": "info",
        "title": study_title(found),
        "text": f"{label}. Base: {base}; {how}, with {counted(len(found.seeds), 'seed')}. {done} of {counted(total, 'run')} done.{crowded}",
        "steps": said,
    }


def study_title(found: study.Sensitivity) -> str:
    """The answer in one line: which settings show a difference at all."""
    values = study.sensitivity_table(found)
    if not (values["difference_n"] > 1).any():
        return "How much do the settings matter? Nothing can be said yet"
    shown = values[values["verdict"].isin(study.SHOWN)]["setting"]
    matter = [settings.label(name).lower() for name in found.vary if (shown == name).any()]
    if not matter:
        return "No value shows a difference from the base"
    words = " and ".join([", ".join(matter[:-1]), matter[-1]] if len(matter) > 1 else matter)
    return f"A difference from the base is shown for: {words}"


def values_table(found: study.Sensitivity) -> Value:
    """A row per setting and value, and one for each other strategy that was run beside them."""
    rows = study.sensitivity_table(found).to_dict("records") + study.reference_table(found).to_dict("records")
    judged = sum(bool(np.isfinite(row["low"])) for row in rows)
    chance = ""
    if judged > 2:
        chance = (
            f" With {judged} intervals, at least one excludes 0 by chance alone in up to {share(1 - 0.95**judged)} of "
            "studies where nothing differs."
        )
    on = measured_words(found.comparison)
    # why takes the room of the intervals, which stand further down too
    some_missing = any(row["missing"] for row in rows)
    columns = [
        {"key": "setting", "label": "Setting", "width": "150px"},
        {"key": "value", "label": "Value", "width": "118px"},
        {"key": "seeds", "label": "Seeds", "align": "right", "width": "64px", "hint": "finished runs that count, of those asked for"},
        {"key": "final", "label": "At the end", "align": "right", "width": "138px", "hint": "held-out loss after the last epoch, never the best one"},
        {"key": "difference", "label": "Difference", "align": "right", "width": "94px", "hint": "to the base: mean over the seeds, each against the base with the same seed"},
        *([] if some_missing else [{"key": "interval", "label": "95 % interval", "align": "right", "width": "158px"}]),
        {"key": "verdict", "label": "", "kind": "badge", "width": "106px"},
        *([{"key": "missing", "label": "Missing seeds", "kind": "words"}] if some_missing else []),
        {"key": "steps", "label": "Steps", "align": "right", "width": "62px", "hint": "optimizer steps"},
    ]  # fmt: skip
    return {
        "title": "By setting and value",
        "note": f"Held-out loss{f' on {on}' if on else ''} at the end (lower is better): mean ± sample standard deviation over the seeds. A difference is taken seed by seed; it is shown where it is larger than its spread and its 95 % interval excludes 0.{chance}",
        "columns": columns,
        "rows": [_cells(row) for row in rows],
        "ids": [str(i) for i in range(len(rows))],
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": "values",
        "empty": "Nothing to show.",
    }


def _cells(row: dict[Any, Any]) -> Value:
    base, named = bool(row.get("base")), "setting" in row
    spread = f" ± {score(row['final_sd'], 4)}" if np.isfinite(row["final_sd"]) else ""
    verdict: Any = {"text": "no result", "tone": "plain"}
    if base:
        verdict = {"text": "the base", "tone": "selected"}
    elif row["difference_n"]:
        verdict = {"text": VERDICTS[row["verdict"]], "tone": TONE.get(row["verdict"], "plain")}
    return {
        "setting": settings.label(row["setting"]) if named else strategy_label(row["strategy"]),
        "value": study.value_words(row["setting"], row["value"]) if named else "–",
        "seeds": f"{row['n']} of {row['seeds']}",
        "final": score(row["final"], 4) + spread,
        "difference": signed(row["difference"]),
        "interval": f"{signed(row['low'])} to {signed(row['high'])}" if np.isfinite(row["low"]) else "–",
        "verdict": verdict,
        "missing": row["missing"],
        "steps": number(row["steps"]),
    }
