"""The Compare tab: start a comparison, see runs side by side, and look after all runs.

The builder lays out and wires; what is drawn is in `compare/views`, the form in `compare/start_form`, the table of all runs in
`compare/runs_table`. Nothing runs in the page.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.errors import StudioError
from backend.jobs import lifecycle
from iterit_ui.compare.ask_panel import build_ask
from iterit_ui.compare.budget_form import build_budget
from iterit_ui.compare.budget_panel import build_search
from iterit_ui.compare.eval_panel import build_eval
from iterit_ui.compare.export_panel import compared_export, on_export
from iterit_ui.compare.own_answers import comparison_parts, own_baseline, rows_shown
from iterit_ui.compare.runs_table import build_runs
from iterit_ui.compare.sensitivity_form import build_sensitivity
from iterit_ui.compare.sensitivity_panel import build_study
from iterit_ui.compare.start_form import build_start, on_start
from iterit_ui.compare.views import ALL_EPOCHS, runs_of
from iterit_ui.compare.words import LINE
from iterit_ui.components import chart, exporter, heading, note, table
from iterit_ui.components.screen import when_shown
from iterit_ui.plots.comparison_losses import OVER_WORDS
from iterit_ui.samples.hand_over import wire_export
from iterit_ui.shared import messages, text
from iterit_ui.shared.session import DRAW, QUIET, Session, bound
from iterit_ui.shared.strategies import STRATEGY_NAMES
from iterit_ui.shared.theme import counted

BUSY_SECONDS, IDLE_SECONDS = 3.0, 8.0
CHOSEN = "chosen"  # among the comparisons: the runs that were ticked, without a name


def build(session: Session) -> None:
    """Lay the tab out and wire it."""
    home = session.home
    with gr.Row(elem_classes="top"):
        heading(text.TAB["compare"], LINE, elem_id="compare-heading")
        export = exporter(elem_id="compare-export")
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            which = gr.Dropdown(
                [], label="Comparison", elem_id="compare-which", interactive=True, filterable=False
            )
            reference = gr.Dropdown(
                [("random", "")],
                value="",
                label="Measure against",
                info="The baseline that every other strategy is compared with.",
                elem_id="compare-reference",
                interactive=True,
                filterable=False,
            )
            with gr.Row(elem_classes="row-tight"):
                over = gr.Dropdown(
                    [(words, key) for key, words in OVER_WORDS.items()],
                    value="epoch",
                    label="Loss over",
                    elem_id="compare-over",
                    interactive=True,
                    filterable=False,
                    min_width=110,
                )
                epoch = gr.Dropdown(
                    [("all epochs", ALL_EPOCHS)],
                    value=ALL_EPOCHS,
                    label="Selected for",
                    elem_id="compare-epoch",
                    interactive=True,
                    filterable=False,
                    min_width=100,
                )
            with gr.Row(elem_classes="row-tight"):
                save_name = gr.Textbox(
                    "",
                    label="Save these runs as a comparison",
                    placeholder="its name",
                    max_length=120,
                    elem_id="compare-save-name",
                    min_width=150,
                    visible=False,
                )
                save = gr.Button("Keep", elem_id="compare-save", scale=0, min_width=80, visible=False)
            with gr.Accordion("How small may the budget be?", open=False, elem_id="compare-smallest"):
                build_budget(session)
            with gr.Accordion("How much do the settings matter?", open=False, elem_id="compare-sensitivity"):
                build_sensitivity(session)
            with gr.Accordion("Start a comparison", open=True, elem_id="compare-start"):
                form = build_start(session)
        with gr.Column(elem_classes="wide"):
            message = note({"tone": "info", "text": "Reading the runs…"}, elem_id="compare-note")
            study = build_study()
            search = build_search()
            with gr.Column(visible=False, elem_classes="wide") as body:
                answer = note(None, elem_id="compare-answer")
                with gr.Row() as ends:
                    final = chart(height=270, elem_id="compare-final")
                    differ = chart(height=270, elem_id="compare-differences")
                strategies = table(elem_id="compare-strategies-table")
                against = table(elem_id="compare-against")
                worth = note(None, elem_id="compare-worth")
                with gr.Column(visible=False, elem_classes="wide") as ladder:
                    curve = chart(height=290, elem_id="compare-random-curve")
                    multipliers = table(elem_id="compare-multipliers")
                with gr.Row() as along:
                    course = chart(height=290, elem_id="compare-course")
                with gr.Row() as shared:
                    overlap = chart(height=330, elem_id="compare-overlap")
                    lengths = chart(height=330, elem_id="compare-lengths")
                with gr.Row() as picked:
                    sources = chart(height=290, elem_id="compare-sources")
                    noise = chart(height=290, elem_id="compare-noise")
                settings = table(elem_id="compare-settings")
                missing = table(elem_id="compare-missing")
    seen, timer, compared = gr.State(""), gr.Timer(IDLE_SECONDS), gr.State([])
    runs = build_runs(session, seen)
    build_ask(session, compared)
    build_eval(session, compared)
    study.follow(session, seen)
    search.follow(session, seen)
    seen.change(
        bound(rows_shown, home), [session.tab, session.comparison], [ends, along, shared, picked], **DRAW
    )

    here = [session.tab, session.comparison, session.chosen]
    # what exists: runs and comparisons follow the disk
    gr.on(
        [when_shown("compare", "ready", "tab", "comparison", "chosen"), runs.did.change, timer.tick],
        bound(comparison_values, home),
        [*here, seen],
        [session.comparison, seen, timer],
        **QUIET,
    )
    seen.change(
        bound(offer, home),
        [*here, reference, epoch],
        [which, reference, epoch, save_name, save, compared],
        **QUIET,
    )
    which.input(bound(choose, home), which, [session.comparison, session.chosen], **QUIET)
    seen.change(bound(compared_export, home), here, export, **DRAW)
    wire_export(export, bound(on_export, home), [session.who])
    save.click(
        bound(keep, home), [save_name, session.chosen, session.who], [session.comparison, save_name], **QUIET
    )
    # what it looks like
    gr.on(
        [seen.change, reference.input, over.input, epoch.input],
        bound(comparison_parts, home),
        [*here, reference, over, epoch],
        [
            message,
            answer,
            final,
            differ,
            course,
            strategies,
            against,
            worth,
            curve,
            multipliers,
            ladder,
            overlap,
            lengths,
            sources,
            noise,
            settings,
            missing,
            body,
        ],
        **DRAW,
    )

    def start(event: gr.EventData, who: str) -> list[Any]:
        return on_start(home, session.data_roots, session.model_roots, event._data, who)

    form.fields.start(
        start,
        session.who,
        [session.comparison, *form.drawn],
        concurrency_limit=1,
        **QUIET,
    )


# ---------------------------------------------------------------- what is on disk


def comparison_values(
    home: Path, tab: str, comparison: str, chosen: list[str], seen: str
) -> tuple[Any, Any, Any]:
    """(the comparison, what was seen, the timer): the newest comparison where nothing is chosen, and a mark that changes
    with the disk."""
    if tab != "compare":
        return gr.skip(), gr.skip(), gr.skip()
    lifecycle.pump(home)
    known = store.comparisons(home)
    shown = comparison
    if not shown and not chosen and known:
        shown = known[0].id
    infos = store.runs(home)
    parts: list[Any] = [
        [shown, chosen],
        [(info.id, info.name, info.runs) for info in known],
        [
            (info.id, info.state, info.name, info.tags, info.notes, info.comparison, _written(home, info.id))
            for info in infos
        ],
        [info.id for info in store.runs(home, deleted=True)],
    ]
    mark = hashlib.sha1(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()
    busy = any(info.active or info.state == "queued" for info in infos)
    return (
        shown if shown != comparison else gr.skip(),
        mark if mark != seen else gr.skip(),
        gr.Timer(BUSY_SECONDS if busy else IDLE_SECONDS),
    )


def _written(home: Path, run: str) -> list[Any]:
    """Changes when a run has selected or measured again."""
    held_out = store.run_folder(home, run) / "metrics.jsonl"
    return [store.epochs(home, run), held_out.stat().st_mtime_ns // 10**10 if held_out.exists() else 0]


# ---------------------------------------------------------------- where we are


def offer(
    home: Path, tab: str, comparison: str, chosen: list[str], reference: str, epoch: int
) -> tuple[Any, ...]:
    """(comparisons, references, epochs, name and button to keep the chosen runs, the ids of the runs compared)."""
    if tab != "compare":
        return tuple(gr.skip() for _ in range(6))
    ids = runs_of(home, comparison, chosen)
    infos = store.comparisons(home)
    choices = [(f"{info.name} · {counted(len(info.runs), 'run')}", info.id) for info in infos]
    if chosen and not comparison:
        choices.insert(0, (f"chosen runs · {len(chosen)}", CHOSEN))
    if not choices:
        choices = [("none yet", "")]
    value = comparison or (CHOSEN if chosen else "")
    try:
        found = (
            analysis.compare(home, ids, reference=own_baseline(home, comparison), names=STRATEGY_NAMES)
            if ids
            else None
        )
    except StudioError:
        found = None
    labels = [arm.label for arm in found.arms] if found else []
    epochs = found.epochs if found else []
    usual = found.reference if found else STRATEGY_NAMES["random"]
    loose = bool(chosen) and not comparison
    return (
        gr.Dropdown(choices=choices, value=value if value in [item for _, item in choices] else None),
        gr.Dropdown(
            choices=[(f"{usual} (default)", ""), *((label, label) for label in labels if label != usual)],
            value=reference if reference in labels else "",
        ),
        gr.Dropdown(
            choices=[("all epochs", ALL_EPOCHS), *((f"epoch {e}", e) for e in epochs)],
            value=epoch if epoch in epochs else ALL_EPOCHS,
        ),
        gr.Textbox(visible=loose),
        gr.Button(visible=loose),
        ids,
    )


def choose(home: Path, which: str | None) -> tuple[Any, Any]:
    """(comparison, chosen runs) for what was taken from the list."""
    if which == CHOSEN or not which:
        return gr.skip(), gr.skip()
    return which, []


def keep(home: Path, name: str, chosen: list[str], who: str) -> tuple[Any, Any]:
    """(the new comparison, an empty name): the chosen runs under a name."""
    try:
        made = store.create_comparison(home, name or "", who=who)
        store.add_to_comparison(home, made, chosen)
    except StudioError as error:
        messages.warning(f"Not saved: {error}.")
        return gr.skip(), gr.skip()
    return made, ""
