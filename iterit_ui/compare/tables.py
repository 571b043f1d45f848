"""The tables of what is compared: strategies, and what may be said of their differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend import analysis
from backend.analysis.comparison import measured_words
from backend.analysis.paired import DEFINITION
from backend.analysis.task_scores import first_of_each_task, task_scores
from backend.records import Pool
from backend.store.evaluations import Evaluation
from iterit_ui.shared.theme import number, score, share

Value = dict[str, Any]
MOST_TASKS = 4  # of lm-eval beside the losses; all stand in the table of evaluations
VERDICTS = {
    "unknown": "unknown",
    "one seed": "unknown",
    "same": "the same",
    "within the spread": "not shown",
    "too few seeds": "not shown",
    "lower": "lower",
    "higher": "higher",
}


def strategies_table(
    found: analysis.Comparison, pool: Pool | None, evaluations: Sequence[Evaluation] = ()
) -> Value:
    """A row per strategy, the lowest loss after the last epoch first.

    evaluations : of the runs' models with lm-eval: the first metric of each task is a column.
    """
    summary = analysis.summary_table(found)
    noise: dict[str, Any] = {}
    if pool is not None:
        noise = {row["arm"]: row for row in analysis.noise_table(found, pool, None).to_dict("records")}
    by_measure = task_scores(found, evaluations)
    tasks = first_of_each_task(list(by_measure))[:MOST_TASKS]
    scored = {measure: by_measure[measure].set_index("arm") for measure in tasks}
    names = [str(name).removeprefix("after_") for name in summary.columns]
    whole = sorted(int(name) for name in names if name.isdecimal())
    last = whole[-1] if whole else 0
    same = bool(last) and summary[f"after_{last}"].equals(summary["final"])
    shown = (whole[:-1] if same else whole)[:6]
    untouched = summary["before"].dropna()
    alike = untouched.nunique() == 1
    on = measured_words(found)
    rows = []
    for row in summary.to_dict("records"):
        cells = {
            "arm": row["arm"],
            "seeds": f"{row['n']} of {row['runs']}",
            "before": score(row["before"], 4),
            "final": _spread(row["final"], row["final_sd"], row["n"], row["n"]),
            "steps": number(row["steps"]),
            "tokens": number(row["tokens"]),
            "distinct": number(row["distinct"]),
        }
        for epoch in shown:
            cells[f"after_{epoch}"] = _spread(
                row[f"after_{epoch}"], row[f"after_{epoch}_sd"], row[f"after_{epoch}_n"], row["n"]
            )
        for at, measure in enumerate(tasks):
            one = scored[measure].loc[row["arm"]]
            cells[f"task_{at}"] = _spread(one["mean"], one["sd"], int(one["n"]), row["n"])
        if noise:
            entry = noise.get(row["arm"])
            cells["noise"] = share(entry["mean"]) if entry else "–"
        rows.append(cells)
    columns = [
        {"key": "arm", "label": "Strategy", "kind": "words", "width": "150px"},
        {
            "key": "seeds",
            "label": "Seeds",
            "align": "right",
            "width": "56px",
            "hint": "finished runs that count, of all runs",
        },
        {
            "key": "final",
            "label": "At the end",
            "align": "right",
            "width": "126px",
            "hint": "the headline: held-out loss after the last epoch" + (f", {last}" if same else ""),
        },
        *(
            {"key": f"after_{epoch}", "label": f"After epoch {epoch}", "align": "right", "width": "126px"}
            for epoch in shown
        ),
        *(
            []
            if alike
            else [
                {
                    "key": "before",
                    "label": "Untouched",
                    "align": "right",
                    "width": "78px",
                    "hint": "before any training",
                }
            ]
        ),
        *(
            {
                "key": f"task_{at}",
                "label": measure.label,
                "align": "right",
                "width": "134px",
                "hint": f"lm-eval, mean ± sd over the runs that were evaluated: {measure.words}",
            }
            for at, measure in enumerate(tasks)
        ),
        {"key": "steps", "label": "Steps", "align": "right", "width": "60px", "hint": "optimizer steps"},
        {
            "key": "tokens",
            "label": "Tokens",
            "align": "right",
            "width": "74px",
            "hint": "read in training, prompts included; mean over the seeds",
        },
        {
            "key": "distinct",
            "label": "Distinct",
            "align": "right",
            "width": "76px",
            "hint": "samples trained on at least once; mean over the seeds",
        },
        *(
            [
                {
                    "key": "noise",
                    "label": "Noise",
                    "align": "right",
                    "width": "56px",
                    "hint": "planted noise: share of the selected, all epochs",
                }
            ]
            if noise
            else []
        ),
    ]
    return plain_table(
        "Strategies",
        f"Held-out loss{f' on {on}' if on else ''} (lower is better): mean ± sample standard deviation over the seeds, lowest at the end first; in brackets the number of seeds where it differs. "
        + (f"The untouched model: {score(float(untouched.iloc[0]), 4)}." if alike else ""),
        columns,
        rows,
        "strategies",
    )


def differences_table(found: analysis.Comparison) -> Value | None:
    """What may be said of each strategy against the reference."""
    table = analysis.difference_table(found)
    if table.empty or not table["n"].any():
        return None
    rows = [
        {
            "arm": row["arm"],
            "mean": signed(row["mean"]),
            "sd": score(row["sd"], 4),
            "interval": f"{signed(row['low'])} to {signed(row['high'])}" if np.isfinite(row["low"]) else "–",
            "below": f"{row['below']} of {row['n']}" if row["n"] else "–",
            "verdict": {
                "text": VERDICTS[row["verdict"]],
                "tone": {"lower": "pinned", "higher": "rejected"}.get(row["verdict"], "plain"),
            },
            "words": row["words"],
        }
        for row in table.to_dict("records")
    ]
    chance = ""
    if len(rows) > 2:
        chance = (
            f" With {len(rows)} intervals, at least one excludes 0 by chance alone in up to {share(1 - 0.95 ** len(rows))} of "
            "comparisons where nothing differs."
        )
    columns = [
        {"key": "arm", "label": "Strategy", "kind": "words", "width": "154px"},
        {"key": "verdict", "label": "", "kind": "badge", "width": "108px"},
        {"key": "words", "label": "Verdict", "kind": "words"},
        {"key": "mean", "label": "Difference", "align": "right", "width": "96px"},
        {
            "key": "sd",
            "label": "Spread",
            "align": "right",
            "width": "72px",
            "hint": "sample standard deviation of the differences",
        },
        {"key": "interval", "label": "95 % interval", "align": "right", "width": "154px"},
        {
            "key": "below",
            "label": "Lower in",
            "align": "right",
            "width": "82px",
            "hint": "seeds in which it ends lower",
        },
    ]
    return plain_table(
        f"Against {found.reference}, at the end", DEFINITION + chance, columns, rows, "strategies"
    )


def plain_table(
    title: str, note: str, columns: list[Any], rows: list[Any], unit: str, *, empty: str = "Nothing to show."
) -> Value:
    """A table of one page without controls. unit : what its rows are, in the plural."""
    return {
        "title": title,
        "note": note,
        "columns": columns,
        "rows": rows,
        "ids": [str(i) for i in range(len(rows))],
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": unit,
        "empty": empty,
    }


def _spread(mean: float, sd: float, n: int, usual: int) -> str:
    if not np.isfinite(mean):
        return "–"
    text = score(mean, 4) + (f" ± {score(sd, 4)}" if np.isfinite(sd) else "")
    return text if n == usual else f"{text} ({n})"


def signed(value: float) -> str:
    """A difference with its sign; a dash where there is none."""
    return f"{value:+.4f}" if np.isfinite(value) else "–"
