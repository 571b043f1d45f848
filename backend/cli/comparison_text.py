"""A comparison as text: tables for a terminal, Markdown for a document, values for a program."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backend.analysis.overlap import JACCARD
from backend.analysis.paired import DEFINITION
from backend.cli import console
from backend.cli.worth_text import HOW, worth_as_values, worth_tables
from backend.records import Pool

if TYPE_CHECKING:
    from backend.analysis import Comparison
    from backend.analysis.task_scores import Measure

Table = tuple[str, list[str], list[list[str]], str]  # title, columns, rows, what it says
WORDS = ("strategy", "setting", "verdict", "name", "run", "why")  # columns of words, not of numbers

HEADLINE = "Nats per response token, mean ± sample standard deviation over the seeds (in brackets their number where it differs from the first column's), lowest first. The headline is the last column: the loss after the last epoch, not after the best one."


def tables(home: Path, found: Comparison, epoch: int | None) -> list[Table]:
    """Everything that is shown, table by table."""
    pool = _pool(home, found)
    made = [_losses(found), *([_differences(found)] if found.reference else []), *worth_tables(found)]
    made += _tasks(home, found)
    made.append(_cost(found, pool, epoch))
    if pool is not None and len(found.arms) > 0:
        made += [_overlap(found, pool, epoch), _sources(found, pool, epoch)]
    missing = found.missing()
    if missing:
        rows = [[arm.label, str(run.seed), run.info.name, run.id, why] for arm, run, why in missing]
        made.append(
            (
                "Missing runs",
                ["strategy", "seed", "name", "run", "why"],
                rows,
                "Nothing is filled in for them.",
            )
        )
    return made


def _tasks(home: Path, found: Comparison) -> list[Table]:
    """What lm-eval measured, a column for each measure; no table where nothing was evaluated."""
    measured = _measured(home, found)
    if not measured:
        return []
    by_arm = [{row["arm"]: row for row in table.to_dict("records")} for table in measured.values()]
    rows = [
        [
            arm.label,
            *(
                spread(row["mean"], row["sd"], int(row["n"]), usual=found.final(arm)[2])
                for row in (each[arm.label] for each in by_arm)
            ),
        ]
        for arm in found.arms
    ]
    told = "; ".join(f"{measure.label}: {measure.words}" for measure in measured)
    columns = ["strategy", *(measure.label for measure in measured)]
    return [
        (
            "Tasks of lm-eval",
            columns,
            rows,
            f"Mean ± sample standard deviation over the runs that were evaluated. {told}.",
        )
    ]


def _measured(home: Path, found: Comparison) -> dict[Measure, pd.DataFrame]:
    from backend.analysis.task_scores import task_scores
    from backend.jobs import evaluation_jobs

    return task_scores(found, evaluation_jobs.compared(home, [run.id for run in found.runs]))


def print_all(home: Path, title: str, found: Comparison, epoch: int | None) -> None:
    """Tables on stdout."""
    print(title)
    for remark in found.remarks:
        print(f"{'! ' if remark.level == 'warn' else ''}{remark.text}")
    if not found.rungs:
        print(HOW)
    print_tables(tables(home, found, epoch))


def print_tables(given: Sequence[Table]) -> None:
    """Tables with their titles and notes on stdout."""
    for name, columns, rows, note in given:
        print()
        print(name)  # as a table's title it would be broken over lines where the table is narrow
        console.print_table("", columns, rows, left=WORDS)
        if note:
            print(note)


def as_markdown(home: Path, title: str, found: Comparison, epoch: int | None) -> str:
    """The same in Markdown."""
    lines = [f"### {title}", ""]
    lines += [f"- {remark.text}" for remark in found.remarks]
    return "\n".join([*lines, *markdown_lines(tables(home, found, epoch))])


def markdown_lines(given: Sequence[Table]) -> list[str]:
    """Tables with their titles and notes, in Markdown."""
    lines = []
    for name, columns, rows, note in given:
        lines += ["", f"**{name}.** {note}".rstrip(), ""]
        lines.append("| " + " | ".join(_escaped(column) for column in columns) + " |")
        lines.append("|" + "|".join("---" if column in WORDS else "--:" for column in columns) + "|")
        lines += ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows]
    return lines


def as_values(home: Path, title: str, found: Comparison, epoch: int | None) -> dict[str, Any]:
    """The same as JSON values, NaN as null."""
    from backend import analysis
    from backend.analysis.comparison import measured_words

    pool = _pool(home, found)
    values: dict[str, Any] = {
        "title": title,
        "reference": found.reference,
        "measured_on": measured_words(found),
        "remarks": [dataclasses.asdict(remark) for remark in found.remarks],
        "strategies": analysis.summary_table(found).to_dict("records"),
        "differences": analysis.difference_table(found).to_dict("records"),
        "points": analysis.loss_points(found).to_dict("records"),
        "missing": [
            {"strategy": arm.label, "seed": run.seed, "run": run.id, "why": why}
            for arm, run, why in found.missing()
        ],
        "unreadable": found.unreadable,
        "compute_multiplier": worth_as_values(found),
        "tasks": [
            {**measure._asdict(), "strategies": table.to_dict("records")}
            for measure, table in _measured(home, found).items()
        ],
    }
    if pool is not None:
        values |= {
            "epoch": epoch,
            "overlap": {
                "strategies": [arm.label for arm in found.arms],
                "jaccard": analysis.overlap_table(found, pool, epoch),
            },
            "lengths": analysis.length_table(found, pool, epoch).to_dict("records"),
            "sources": analysis.source_table(found, pool, epoch).to_dict("records"),
            "noise": analysis.noise_table(found, pool, epoch).to_dict("records"),
            "labels": analysis.label_shares(found, pool, epoch).to_dict("records"),
        }
    return values


def _pool(home: Path, found: Comparison) -> Pool | None:
    """The pool that all the runs choose from; None where they have several."""
    from backend import store

    ids = {run.info.pool_id for run in found.runs}
    return store.load_pool_from_store(home, ids.pop()) if len(ids) == 1 else None


def _losses(found: Comparison) -> Table:
    from backend import analysis
    from backend.analysis.comparison import measured_words

    table = analysis.summary_table(found)
    names = [str(name).removeprefix("after_") for name in table.columns]
    whole = sorted(int(name) for name in names if name.isdecimal())
    last = whole[-1] if whole else 0
    # not so where some run ends between epochs, or earlier than others
    same = bool(last) and table[f"after_{last}"].equals(table["final"])
    shown = whole[:-1] if same else whole
    rows = []
    for row in table.to_dict("records"):
        cells = [row["arm"], f"{row['n']} of {row['runs']}"]
        for name in ("before", *(f"after_{epoch}" for epoch in shown)):
            cells.append(spread(row[name], row[f"{name}_sd"], row[f"{name}_n"], usual=row["n"]))
        rows.append([*cells, spread(row["final"], row["final_sd"], row["n"], usual=row["n"])])
    end = f"at the end (epoch {last})" if same else "at the end"
    columns = ["strategy", "seeds", "untouched", *(f"after epoch {epoch}" for epoch in shown), end]
    on = measured_words(found)
    return "Held-out loss", columns, rows, f"Measured on {on}. {HEADLINE}" if on else HEADLINE


def _differences(found: Comparison) -> Table:
    from backend import analysis

    rows = [
        [
            row["arm"],
            str(row["n"]),
            signed(row["mean"]),
            console.number(row["sd"], 4),
            f"{signed(row['low'])} to {signed(row['high'])}" if np.isfinite(row["low"]) else "-",
            f"{row['below']} of {row['n']}" if row["n"] else "-",
            row["words"],
        ]
        for row in analysis.difference_table(found).to_dict("records")
    ]
    columns = [
        "strategy",
        "seeds",
        "difference",
        "spread (sd)",
        "95 % interval",
        "lower in",
        "verdict",
    ]
    many = ""
    if len(rows) > 2:
        chance = 1 - 0.95 ** len(rows)
        many = (
            f" With {len(rows)} such intervals, at least one excludes 0 by chance alone in up to {chance:.0%} of comparisons"
            " where nothing differs."
        )
    return f"Against {found.reference}, at the end", columns, rows, DEFINITION + many


def _cost(found: Comparison, pool: Pool | None, epoch: int | None) -> Table:
    from backend import analysis

    noise = lengths = pd.DataFrame({"arm": []})
    if pool is not None:
        noise = analysis.noise_table(found, pool, epoch)
        lengths = analysis.length_table(found, pool, epoch)
    shares = {row["arm"]: row for row in noise.to_dict("records")}
    tokens = {row["arm"]: row for row in lengths.to_dict("records")}
    rows = []
    if "pool" in tokens:
        rows.append(["(the pool)", "-", "-", console.number(len(pool or ()), 0), *_quartiles(tokens["pool"])])
        rows[-1] += [_percent(shares["pool"])] if shares else []
    for row in analysis.summary_table(found).to_dict("records"):
        arm = row["arm"]
        cells = [
            arm,
            *(console.number(row[name], 0) for name in ("steps", "tokens", "distinct")),
            *_quartiles(tokens.get(arm)),
        ]
        rows.append([*cells, *([_percent(shares.get(arm))] if shares else [])])
    columns = ["strategy", "steps", "tokens trained", "distinct samples", "response tokens", "quartiles"]
    note = (
        "Steps, tokens (prompts included) and distinct samples: mean over the runs that are done. Response tokens: median "
        f"and quartiles of what was selected {_which(epoch)}."
    )
    if shares:
        columns.append("planted noise")
        note += " Planted noise: share of the selected whose label names a planted fault; the method does not use labels."
    return "What was trained on", columns, rows, note


def _overlap(found: Comparison, pool: Pool, epoch: int | None) -> Table:
    from backend import analysis

    overlaps = analysis.overlap_table(found, pool, epoch)
    labels = [arm.label for arm in found.arms]
    rows = [
        [label, *(console.number(value, 2) for value in line)]
        for label, line in zip(labels, overlaps, strict=True)
    ]
    note = (
        f"Of what was selected {_which(epoch)}. {JACCARD} Between strategies: mean over the seeds that both have; on the "
        "diagonal: of a strategy with itself between different seeds."
    )
    return "Overlap of the selections", ["strategy", *labels], rows, note


def _sources(found: Comparison, pool: Pool, epoch: int | None) -> Table:
    from backend import analysis

    table = analysis.source_table(found, pool, epoch).pivot_table(
        index="arm", columns="source", values="share", sort=False
    )
    rows = [
        ["(the pool)" if arm == "pool" else str(arm), *(console.share(value) for value in line)]
        for arm, line in zip(table.index, table.to_numpy(), strict=True)
    ]
    return (
        "Sources",
        ["strategy", *map(str, table.columns)],
        rows,
        f"Share of what was selected {_which(epoch)}.",
    )


def _which(epoch: int | None) -> str:
    return "for all epochs together" if epoch is None else f"for epoch {epoch}"


def _quartiles(row: Mapping[Any, Any] | None) -> list[str]:
    if row is None or not np.isfinite(row["median"]):
        return ["-", "-"]
    return [f"{row['median']:,.0f}", f"{row['q1']:,.0f} to {row['q3']:,.0f}"]


def _percent(row: Mapping[Any, Any] | None) -> str:
    if row is None or not np.isfinite(row["mean"]):
        return "-"
    sd = f" ± {100 * row['sd']:.1f}" if np.isfinite(row["sd"]) else ""
    return f"{100 * row['mean']:.1f}{sd} %"


def spread(mean: float, sd: float, n: int, *, usual: int) -> str:
    """ "2.3370 ± 0.0036", with the number of seeds where it is another than in the row's second column."""
    if not np.isfinite(mean):
        return "-"
    text = f"{mean:.4f}" + (f" ± {sd:.4f}" if np.isfinite(sd) and sd > 0 else "")
    return text if n == usual else f"{text} ({n})"


def signed(value: float) -> str:
    return f"{value:+.4f}" if np.isfinite(value) else "-"


def _escaped(text: Any) -> str:
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
