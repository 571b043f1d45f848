"""A sensitivity study as text: tables for a terminal, Markdown for a document, values for a program."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.analysis.paired import DEFINITION
from backend.cli import console
from backend.cli.comparison_text import Table, markdown_lines, print_tables, signed, spread

if TYPE_CHECKING:
    import pandas as pd

    from backend.analysis.sensitivity import Sensitivity

AT_END = "Held-out loss after the last epoch (not after the best one), nats per response token: mean ± sample standard deviation over the seeds."


def tables(found: Sensitivity) -> list[Table]:
    """Everything that is shown, table by table."""
    from backend.analysis import sensitivity as study

    table = study.sensitivity_table(found)
    others = study.reference_table(found)
    made = [_losses(found, table, others), _course(table, others)]
    made += [_grid(found, row, column) for row, column in study.pairs(found)]
    missing = found.comparison.missing()
    if missing:
        rows = [[arm.label, str(run.seed), run.info.name, run.id, why] for arm, run, why in missing]
        note = "Nothing is filled in for them. A stopped or failed run goes on with: python -m backend resume RUN"
        made.append(("Missing runs", ["strategy", "seed", "name", "run", "why"], rows, note))
    return made


def print_all(title: str, found: Sensitivity) -> None:
    """Tables on stdout."""
    print(title)
    for line in _remarks(found):
        print(line)
    print_tables(tables(found))


def as_markdown(title: str, found: Sensitivity) -> str:
    """The same in Markdown."""
    lines = [f"### {title}", "", *(f"- {line}" for line in _remarks(found))]
    return "\n".join([*lines, *markdown_lines(tables(found))])


def as_values(title: str, found: Sensitivity) -> dict[str, Any]:
    """The same as JSON values, NaN as null."""
    from backend.analysis import sensitivity as study
    from backend.analysis.comparison import measured_words

    return {
        "title": title,
        "strategy": found.strategy,
        "base": found.base,
        "vary": found.vary,
        "cross": found.cross,
        "seeds": found.seeds,
        "measured_on": measured_words(found.comparison),
        "remarks": [dataclasses.asdict(remark) for remark in found.comparison.remarks],
        "findings": dict(study.findings(found)),
        "values": study.sensitivity_table(found).to_dict("records"),
        "references": study.reference_table(found).to_dict("records"),
        "points": study.seed_table(found).to_dict("records"),
        "grids": [
            {"row": row, "column": column, "cells": study.grid_table(found, row, column).to_dict("records")}
            for row, column in study.pairs(found)
        ],
        "missing": [
            {"strategy": arm.label, "seed": run.seed, "run": run.id, "why": why}
            for arm, run, why in found.comparison.missing()
        ],
        "unreadable": found.comparison.unreadable,
    }


def _remarks(found: Sensitivity) -> list[str]:
    from backend.analysis import sensitivity as study

    said = [f"{'! ' if one.level == 'warn' else ''}{one.text}" for one in found.comparison.remarks]
    return [*said, *(f"{setting.replace('_', ' ')}: {text}" for setting, text in study.findings(found))]


def _losses(found: Sensitivity, table: pd.DataFrame, others: pd.DataFrame) -> Table:
    from backend.analysis.comparison import measured_words
    from backend.analysis.sensitivity import value_words

    rows = []
    for row in [*table.to_dict("records"), *others.to_dict("records")]:
        base = bool(row.get("base"))
        name = row["setting"].replace("_", " ") if "setting" in row else row["strategy"]
        value = value_words(row["setting"], row["value"]) if "setting" in row else "-"
        rows.append(
            [
                name,
                f"{value} (base)" if base else value,
                f"{row['n']} of {row['seeds']}",
                spread(row["final"], row["final_sd"], row["n"], usual=row["n"]),
                signed(row["difference"]),
                console.number(row["difference_sd"], 4),
                f"{signed(row['low'])} to {signed(row['high'])}" if np.isfinite(row["low"]) else "-",
                (row["words"] if row["difference_n"] else row["missing"]) or "-",
            ]
        )
    columns = [
        "setting",
        "value",
        "seeds",
        "at the end",
        "difference",
        "spread (sd)",
        "95 % interval",
        "verdict",
    ]
    on = measured_words(found.comparison)
    note = f"{f'Measured on {on}. ' if on else ''}{AT_END} Differences are to the base, which is run once for all settings. {DEFINITION}"
    judged = sum(np.isfinite(row["low"]) for row in [*table.to_dict("records"), *others.to_dict("records")])
    if judged > 2:
        note += (
            f" With {judged} such intervals, at least one excludes 0 by chance alone in up to {1 - 0.95**judged:.0%} of "
            "studies where nothing differs."
        )
    return "How much the settings matter", columns, rows, note


def _course(table: pd.DataFrame, others: pd.DataFrame) -> Table:
    from backend.analysis.sensitivity import value_words

    names = [str(name).removeprefix("after_") for name in table.columns]
    epochs = sorted(int(name) for name in names if name.isdecimal())
    rows = []
    for row in [*table.to_dict("records"), *others.to_dict("records")]:
        cells = (
            [row["setting"].replace("_", " "), value_words(row["setting"], row["value"])]
            if "setting" in row
            else [row["strategy"], "-"]
        )
        cells += [
            spread(row[f"after_{e}"], row[f"after_{e}_sd"], row[f"after_{e}_n"], usual=row["n"])
            for e in epochs
        ]
        rows.append([*cells, *(console.number(row[name], 0) for name in ("steps", "tokens", "distinct"))])
    columns = [
        "setting",
        "value",
        *(f"after epoch {e}" for e in epochs),
        "steps",
        "tokens trained",
        "distinct samples",
    ]
    note = (
        "Mean over the runs that are done; in brackets the number of seeds where it differs from the table above. Tokens "
        "count prompts too. A larger budget also means more steps."
    )
    return "Course and cost", columns, rows, note


def _grid(found: Sensitivity, row: str, column: str) -> Table:
    from backend.analysis.sensitivity import grid_table, value_words

    table = grid_table(found, row, column)
    across = found.vary[column]
    rows = []
    for value in found.vary[row]:
        cells = {cell["column"]: cell for cell in table[table["row"] == value].to_dict("records")}
        losses = [
            spread(cells[v]["final"], cells[v]["final_sd"], cells[v]["n"], usual=cells[v]["n"])
            for v in across
        ]
        rows.append([value_words(row, value), *losses])
    first, second = row.replace("_", " "), column.replace("_", " ")
    return (
        f"{first[0].upper()}{first[1:]} and {second}, at the end",
        [first, *(f"{second} {value_words(column, v)}" for v in across)],
        rows,
        f"All other settings as in the base. Base: {first} {value_words(row, found.base[row])}, {second} {value_words(column, found.base[column])}.",
    )
