"""The five stories, each as one screen: a title, one sentence, a few large figures, and what stands for them.

A story is {key, title, lead, blocks, missing}; `missing` {text, steps} stands where its data does. Every number comes from
the tables that the other screens show.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from backend import analysis, store
from backend.analysis.comparison import Comparison, measured_words
from backend.analysis.held_out_words import words_or_none
from backend.errors import StudioError
from backend.findings import masked
from backend.records import Status
from iterit_ui.present import words
from iterit_ui.present.subject import Subject, Told, easier_share, subject_of, told_selection
from iterit_ui.shared import pool_health, theme
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import counted, number, score, share

Value = dict[str, Any]
SHOWN_SOURCES = 6
EACH = 5  # samples shown in and out
LONGEST = 260  # characters of a text; the screen cuts what has no room


def stories_value(home: Path, *states: Any) -> Value:
    """All stories. states : values of `Session.states`, in their order."""
    return {"stories": stories_of(presented(home, *states))}


def presented(home: Path, *states: Any) -> Subject:
    """What a visitor is looking at. states : values of `Session.states`, in their order."""
    names = ("tab", "pool", "scores", "run", "epoch", "sample", "filter", "view", "colour", "settings")
    given = dict(zip((*names, "comparison", "runs"), states, strict=True))
    wanted = ("tab", "pool", "scores", "run", "epoch", "settings", "comparison", "runs")
    return subject_of(home, **{name: given[name] for name in wanted})


def stories_of(about: Subject) -> list[Value]:
    """All stories of what is presented, in their order."""
    makers = {
        "pool": pool_story,
        "problems": problems_story,
        "selection": selection_story,
        "epochs": epochs_story,
        "result": result_story,
    }
    return [_told(about, key, makers[key]) for key in words.STORIES]


def _told(about: Subject, key: str, make: Any) -> Value:
    story: Value = {"key": key, "title": words.STORIES[key], "lead": "", "blocks": [], "missing": None}
    if not about.pool_id:
        return {**story, "missing": _missing(*words.NO_POOL)}
    try:
        return {**story, **make(about)}
    except StudioError as error:
        return {**story, "missing": _missing(f"This cannot be shown: {error}.", [])}


def _missing(text: str, steps: list[str]) -> Value:
    return {"text": text, "steps": steps}


def pool_story(about: Subject) -> Value:
    """How much there is, where it comes from, how long the answers are."""
    pool = about.pool
    codes = np.bincount(pool.source_codes, minlength=len(pool.sources))
    order = np.argsort(-codes, kind="stable")
    bars = [(pool.sources[code], int(codes[code])) for code in order[:SHOWN_SOURCES]]
    if len(order) > SHOWN_SOURCES:
        bars.append((f"{len(order) - SHOWN_SOURCES:,} more", int(codes[order[SHOWN_SOURCES:]].sum())))
    lengths = pool_health.lengths_of(about.home, about.pool_id)
    if lengths is not None:
        values, unit = lengths.response_tokens.astype(np.float64), "word pieces"
    else:
        values, unit = pc.utf8_length(pool.responses()).to_numpy().astype(np.float64), "characters"
    files = counted(len(pool.table["file"].unique()), "file")
    return {
        "lead": f"{number(len(pool))} questions with their answers, from {counted(len(bars) if len(order) <= SHOWN_SOURCES else len(order), 'source')} in {files}.",
        "blocks": [
            _figures(
                (number(len(pool)), "samples"),
                (number(len(pool.sources)), "source" if len(pool.sources) == 1 else "sources"),
                (number(float(np.median(values))), f"{unit} in a typical answer (half are longer)"),
                *([(number(pool.left_out), "rows that could not be read")] if pool.left_out else []),
            ),
            {
                "kind": "bars",
                "title": "Where they come from",
                "items": [
                    {
                        "label": name,
                        "value": number(count),
                        "share": count / max(len(pool), 1),
                        "colour": theme.source_colour(int(order[at])) if at < SHOWN_SOURCES else theme.POOL,
                    }
                    for at, (name, count) in enumerate(bars)
                ],
            },
            _columns(values, f"How long the answers are, in {unit}"),
        ],
    }


def _columns(values: np.ndarray, title: str) -> Value:
    """Counts by length, with what stands at both ends of the axis; the longest are counted in the last column."""
    edges = analysis.length_edges(values.astype(np.int64))
    counts = np.histogram(np.minimum(values, edges[-1]), edges)[0]
    most = max(int(counts.max(initial=0)), 1)
    return {
        "kind": "columns",
        "title": title,
        "items": [int(count) / most for count in counts],
        "ends": [number(edges[0]), number(edges[-1]) + ("+" if values.max(initial=0) > edges[-1] else "")],
    }


def problems_story(about: Subject) -> Value:
    """What was found, how many people took out, and how many are left."""
    home, pool = about.home, about.pool
    out = {sample for sample, mark in store.marks(home, about.pool_id).items() if mark == "excluded"}
    excluded = np.array([sample in out for sample in pool.ids], dtype=bool)
    rows, unknown = [], []
    for finding in pool_health.report(home, about.pool_id).values():
        if ":" in finding.key:
            continue  # a part of another, or a beginning that many share
        label = words.FINDINGS.get(finding.key, finding.label)
        if not finding.known:
            unknown.append(label)
        elif finding.count and finding.key == "rejected":
            rows.append([label, number(finding.count), "not in the data", "0"])
        elif finding.count:
            taken = int(excluded[pool_health.finding_rows(home, about.pool_id, finding.key)].sum())
            rows.append([label, number(finding.count), number(taken), number(finding.count - taken)])
    kinds = counted(len(rows), "kind of problem", "kinds of problems")
    taken_out = counted(int(excluded.sum()), "sample")
    lead = (
        f"{kinds} found; people took out {taken_out}."
        if rows
        else "None of the checks that ran found anything."
    )
    notes = []
    if unknown:
        notes.append(
            f"Not checked yet: {'; '.join(name.lower() for name in unknown)}. The Data screen says how to check."
        )
    return {
        "lead": lead,
        "blocks": [
            _figures(
                (number(len(pool)), "samples"),
                (number(int(excluded.sum())), "taken out by people"),
                (number(int((~excluded).sum())), "left to choose from"),
            ),
            *([_table(["What was found", "found", "taken out", "still in"], rows)] if rows else []),
            *([_lines(notes)] if notes else []),
        ],
    }


def selection_story(about: Subject) -> Value:
    """Five that are in and five that are out, with the reason of each in words."""
    try:
        told = told_selection(about)
    except StudioError as error:
        text, steps = words.NO_SELECTION
        return {"missing": _missing(text.format(f"{str(error).rstrip('.')}."), steps)}
    pool, made = about.pool, told.selection
    others = [row for status, row in left_out(told)]
    part = share(len(made) / max(len(pool), 1))
    return {
        "lead": f"{number(len(made))} of {number(len(pool))} samples ({part}) {told.whose}. "
        f"Way of choosing: {strategy_name(told.settings.strategy)}.",
        "blocks": [
            {
                "kind": "samples",
                "title": f"In: the first {counted(min(EACH, len(made)), 'pick')}",
                "tone": "in",
                "items": [
                    _sample(about, row, _why_in(about, told, at))
                    for at, row in enumerate(made.rows[:EACH].tolist())
                ],
            },
            {
                "kind": "samples",
                "title": f"Out: {len(others)} of {number(len(pool) - len(made))}, drawn at random for each reason",
                "tone": "out",
                "items": [_sample(about, row, _why_out(told, row)) for row in others],
            },
        ],
    }


def left_out(told: Told, each: int = EACH) -> list[tuple[Status, int]]:
    """(reason, row) of samples that are out: one for each reason, the most frequent first, and again until there are enough;
    the same ones every time."""
    rng = np.random.default_rng(0)
    status = told.selection.status
    groups: dict[Status, list[int]] = {}
    for code in np.unique(status):
        if Status(int(code)) not in (Status.SELECTED, Status.PINNED):
            rows = np.flatnonzero(status == code)
            groups[Status(int(code))] = rng.permutation(rows)[:each].tolist()
    order = sorted(groups, key=lambda one: -int((status == one).sum()))
    turns = [(one, groups[one][turn]) for turn in range(each) for one in order if turn < len(groups[one])]
    # the first of each reason are kept, then what is drawn again of the most frequent
    return sorted(turns[:each], key=lambda item: order.index(item[0]))


def _why_in(about: Subject, told: Told, at: int) -> str:
    row = int(told.selection.rows[at])
    response = about.pool.response(row)
    shown = masked(response)
    return words.in_words(
        told.selection,
        at,
        told.settings,
        harder_than=easier_share(told.scores, row),
        length=len(response),
        shown=shown if shown != response else None,
    )


def _why_out(told: Told, row: int) -> str:
    return words.out_words(
        Status(int(told.selection.status[row])),
        str(told.scores.reason[row]),
        float(told.scores.complexity[row]),
        told.settings,
        len(told.selection),
    )


def _sample(about: Subject, row: int, why: str) -> Value:
    """One sample as it is shown, keys and passwords masked."""
    turns = about.pool.turns(row)
    asked = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "")
    return {
        "prompt": analysis.beginning(masked(asked), LONGEST),
        "response": analysis.beginning(masked(about.pool.response(row)), LONGEST) or "(empty)",
        "why": why,
    }


def epochs_story(about: Subject) -> Value:
    """Who stayed and who came from epoch to epoch, and how the error went."""
    if not about.run:
        return {"missing": _missing(*words.NO_RUN)}
    home, run = about.home, about.run
    records = [analysis.load_epoch(home, run, epoch) for epoch in store.epochs(home, run)]
    table = analysis.epoch_table(records, store.read_metrics(home, run), about.pool)
    name = store.run_info(home, run).name
    losses = [table["held_out_before"].iloc[0], *table["held_out_after"]]
    distinct = int(table["distinct"].iloc[-1])
    passes = "a pass over its own selection" if len(records) == 1 else "each a pass over its own selection"
    lead = f"Run “{name}”: {counted(len(records), 'epoch')}, {passes}; {counted(distinct, 'different sample')} in all."
    if len(records) > 1:
        changed = int(table["added"].iloc[1:].sum())
        lead += (
            f" {number(changed)} places were given to another sample along the way."
            if changed
            else " Every epoch used the same samples, as this way of choosing does."
        )
    rows = [
        [
            str(line["epoch"]),
            number(line["selected"]),
            *(number(line[name]) if at else "–" for name in ("kept", "added", "dropped")),
            score(line["held_out_after"], 4),
        ]
        for at, line in enumerate(table.to_dict("records"))
    ]
    measured = words_or_none(home, run)
    blocks = [
        _table(["Epoch", "samples", "kept", "new", "dropped", "error after it"], rows),
        {
            "kind": "course",
            "title": f"The {words.ERROR}, before training and after each epoch",
            "points": [
                [at, float(loss), score(loss, 4)] for at, loss in enumerate(losses) if math.isfinite(loss)
            ],
            "labels": ["before", *(f"after epoch {record.epoch}" for record in records)],
        },
    ]
    notes = (
        [f"Measured on {_plain(measured)}."]
        if measured
        else ["No samples were kept aside to measure the error on."]
    )
    return {"lead": lead, "blocks": [*blocks, _lines(notes)]}


def result_story(about: Subject) -> Value:
    """Whether selecting beats a random draw; it says so where it does not, or where nobody can tell."""
    found = _compared(about)
    measured = [arm for arm in found.arms if found.losses(arm)] if found else []
    reference = next((arm for arm in measured if found and arm.label == found.reference), None)
    if found is None or reference is None or len(measured) < 2:
        return _without_comparison(about, found)
    own = store.read_config(about.home, about.run).strategy if about.run else ""
    others = [arm for arm in measured if arm is not reference]
    arm = next((one for one in others if one.strategy == own), others[0])
    difference = found.difference(arm)
    rows = []
    for one in measured:
        mean, sd, n = found.final(one)
        apart = found.difference(one)
        spread = f" ± {score(sd, 4)}" if math.isfinite(sd) else ""
        rows.append(
            [
                _arm_words(one),
                f"{score(mean, 4)}{spread}",
                str(n),
                "compared with this" if one is reference else words.verdict_words(apart),
            ]
        )
    against = words.DRAWS.get(reference.label, _arm_words(reference))
    notes = [f"The error is measured on {_plain(measured_words(found))}, after the last epoch."]
    if not reference.strategy.startswith("random"):
        notes.append("There is no random draw among these, so whether selecting beats chance is not known.")
    left = found.missing()
    if left:
        notes.append(
            f"{counted(len(left), 'run')} of this comparison {'is' if len(left) == 1 else 'are'} not counted, as not measured to the end."
        )
    return {
        "lead": words.answer_words(difference, _arm_words(arm), against),
        "blocks": [
            _table(["Way of choosing", "error (lower is better)", "tries", f"against {against}"], rows),
            _lines(notes),
        ],
    }


def _plain(measured: str) -> str:
    """What the error was measured on, as a person says it."""
    return measured.replace("held-out", "kept-aside")


def _arm_words(arm: analysis.Arm) -> str:
    rest = arm.label.removeprefix(arm.strategy)
    return f"{strategy_name(arm.strategy)}{rest}"


def _compared(about: Subject) -> Comparison | None:
    try:
        return analysis.compare(about.home, about.compared) if about.compared else None
    except StudioError:
        return None


def _without_comparison(about: Subject, found: Comparison | None) -> Value:
    """What a single run can say: how far the error fell, and that nobody knows whether selecting did it."""
    losses = [
        (line.held_out_epoch, line.held_out)
        for line in (store.read_metrics(about.home, about.run) if about.run else [])
        if line.held_out is not None and line.held_out_epoch is not None
    ]
    steps = list(words.NO_COMPARISON)
    if found is not None:  # what is there has not measured two ways of choosing yet
        late = [f"{_arm_words(arm)} {why}" for arm, _, why in found.missing()]
        steps = [words.UNFINISHED.format("; ".join(late) or "no second way of choosing in it"), *steps[1:]]
    if len(losses) < 2:
        return {"missing": _missing(words.NOTHING_MEASURED, [*words.NO_RUN[1][:1], *steps])}
    before, after = losses[0][1], losses[-1][1]
    assert before is not None and after is not None
    way = "fell" if after < before else "rose" if after > before else "stayed"
    return {
        "lead": "Nobody can tell yet: nothing was measured beside it, so any other data might have done the same.",
        "blocks": [
            _figures((score(before, 4), "error before training"), (score(after, 4), "error after it")),
            _lines(
                [
                    f"The error on samples that the model never saw {way} from {score(before, 4)} to {score(after, 4)}."
                ]
            ),
        ],
        "missing": _missing("To know whether selecting helped:", steps),
    }


def _figures(*items: tuple[str, str]) -> Value:
    return {"kind": "figures", "items": [{"value": value, "label": label} for value, label in items]}


def _table(head: list[str], rows: list[list[str]]) -> Value:
    return {"kind": "table", "head": head, "rows": rows}


def _lines(items: list[str]) -> Value:
    return {"kind": "lines", "items": items}
