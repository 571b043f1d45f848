"""The tables of the runs that are compared: settings that differ, and runs whose result is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend import analysis
from backend.errors import StudioError
from iterit_ui.compare.tables import plain_table
from iterit_ui.shared.strategies import strategy_name

Value = dict[str, Any]


def settings_table(home: Path, found: analysis.Comparison) -> Value | None:
    """Settings and versions that are not the same in all runs: a column per run where they are few, else the values."""
    runs = found.runs
    if len(runs) < 2:
        return None
    try:
        differ = analysis.run_differences(home, [run.id for run in runs])
    except StudioError as error:
        return plain_table(
            "Settings that differ", str(error), [{"key": "name", "label": "Setting"}], [], "settings"
        )
    if len(runs) <= 6:
        columns = [
            {"key": "name", "label": "Setting", "width": "190px"},
            *({"key": run.id, "label": run.info.name, "hint": run.id} for run in runs),
        ]
        rows = [
            {
                "name": _setting(item),
                **{run.id: _words(item, value) for run, value in zip(runs, item.values, strict=True)},
            }
            for item in differ
        ]
    else:
        columns = [
            {"key": "name", "label": "Setting", "width": "190px"},
            {"key": "values", "label": "Values (runs)", "kind": "words"},
        ]
        rows = []
        for item in differ:
            counts: dict[str, int] = {}
            for value in item.values:
                words = _words(item, value)
                counts[words] = counts.get(words, 0) + 1
            if item.name == "name":
                continue  # every run has its own
            rows.append(
                {
                    "name": _setting(item),
                    "values": ", ".join(f"{value} ({count})" for value, count in counts.items()),
                }
            )
    return plain_table(
        "Settings that differ",
        "Only what differs between these runs, including pools, versions and machine.",
        columns,
        rows,
        "settings",
        empty="These runs have the same settings, versions and machine.",
    )


def missing_table(found: analysis.Comparison) -> Value | None:
    """Runs whose result is not there, and why; None where all are."""
    rows = [
        {
            "arm": arm.label,
            "seed": str(run.seed),
            "name": run.info.name,
            "state": {"text": run.info.state, "tone": "rejected" if run.info.state == "failed" else "plain"},
            "why": why,
        }
        for arm, run, why in found.missing()
    ]
    if not rows:
        return None
    columns = [
        {"key": "arm", "label": "Strategy", "width": "170px"},
        {"key": "seed", "label": "Seed", "align": "right", "width": "56px"},
        {"key": "name", "label": "Run", "width": "220px"},
        {"key": "state", "label": "State", "kind": "badge", "width": "100px"},
        {"key": "why", "label": "Why its result is missing", "kind": "words"},
    ]
    return plain_table("Missing runs", "Nothing is filled in for them.", columns, rows, "runs")


def _setting(item: analysis.Different) -> str:
    kind = {"environment": "version: ", "pool": "", "setting": ""}[item.kind]
    return kind + item.name.replace("_", " ")


def _words(item: analysis.Different, value: str | None) -> str:
    if item.name == "strategy" and value:
        return strategy_name(value)
    return "not known" if value is None else value or "none"
