"""lm-eval beside the held-out loss: by strategy, over seeds, and only where measured in the same way."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import analysis
from backend.analysis.task_scores import first_of_each_task, task_scores
from backend.cli import comparison_text
from backend.jobs import evaluation_jobs
from backend.store.evaluations import Evaluation, Plan, TaskResult
from iterit_ui.compare.tables import strategies_table
from tests.unit.compared import two_strategies

PLAN = Plan("run", "m", "", "", "auto", ("arc",), None, None, 8, False, "", "")


def evaluated(run: str, at: float, *results: TaskResult, state: str = "done", **plan: Any) -> Evaluation:
    return Evaluation(
        id=f"20260101-000000-{int(at):06x}", kind="evaluation", subject=run, state=state, created=at, run=run,
        plan=replace(PLAN, **plan), results=results,
    )  # type: ignore[arg-type]  # fmt: skip


def result(value: float, *, task: str = "arc", metric: str = "acc", n: int = 10) -> TaskResult:
    return TaskResult(task, metric, "none", value, 0.1, n, 0, "1", True)


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Random and iterit in turn, with three seeds."""
    return two_strategies(tmp_path)


def test_mean_and_spread_over_the_seeds_that_were_measured(tmp_path: Path, runs: list[str]) -> None:
    found = analysis.compare(tmp_path, runs)
    values = {runs[0]: 0.4, runs[2]: 0.5, runs[1]: 0.9}
    told = [evaluated(run, at, result(value)) for at, (run, value) in enumerate(values.items(), start=1)]
    told.append(evaluated(runs[1], 9, result(0.7)))  # the newest counts
    told.append(evaluated(runs[3], 3, result(0.1), state="failed"))
    told.append(evaluated(runs[3], 3, result(0.1), of="base"))
    (measure, table), *more = task_scores(found, told).items()
    assert not more and measure.label == "arc (acc)"
    assert measure.words == "higher is better, 10 examples, 0 shots"
    rows = {row["arm"]: row for row in table.to_dict("records")}
    assert rows["random"]["mean"] == pytest.approx(0.45)
    assert rows["random"]["sd"] == pytest.approx(np.std([0.4, 0.5], ddof=1)) and rows["random"]["n"] == 2
    assert rows["iterit"]["mean"] == 0.7 and math.isnan(rows["iterit"]["sd"])


def test_what_was_measured_otherwise_stands_apart(tmp_path: Path, runs: list[str]) -> None:
    found = analysis.compare(tmp_path, runs)
    first = (result(0.3), result(0.2, metric="acc_norm"), result(0.5, task="boolq"))
    told = [evaluated(runs[0], 1, *first), evaluated(runs[1], 2, result(0.6, n=20))]
    measures = list(task_scores(found, told))
    assert [(m.task, m.metric, m.n) for m in measures] == [
        ("arc", "acc", 10), ("arc", "acc_norm", 10), ("boolq", "acc", 10), ("arc", "acc", 20),
    ]  # fmt: skip
    assert [m.label for m in first_of_each_task(measures)] == ["arc (acc)", "boolq (acc)"]


def test_they_are_columns_on_the_page_and_a_table_in_a_terminal(
    tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [evaluated(run, at, result(0.25 * (at % 3))) for at, run in enumerate(runs, start=1)]
    monkeypatch.setattr(evaluation_jobs, "compared", lambda home, ids: told)
    found = analysis.compare(tmp_path, runs)
    table = strategies_table(found, None, told)
    column = next(one for one in table["columns"] if one["label"] == "arc (acc)")
    cells = {row["arm"]: row[column["key"]] for row in table["rows"]}
    assert cells["random"] == "0.2500 ± 0.2500"
    _, columns, rows, _ = next(
        one for one in comparison_text.tables(tmp_path, found, None) if one[0] == "Tasks of lm-eval"
    )
    assert columns == ["strategy", "arc (acc)"] and len(rows) == 2
    assert comparison_text.as_values(tmp_path, "c", found, None)["tasks"][0]["task"] == "arc"
    assert "task_0" not in str(strategies_table(found, None)["columns"])
