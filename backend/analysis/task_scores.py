"""What lm-eval measured of the compared runs' models, by strategy: mean and spread over seeds, beside the held-out loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from backend.analysis.comparison import Comparison
from backend.analysis.paired import mean_and_sd
from backend.store.evaluations import Evaluation, TaskResult


class Measure(NamedTuple):
    """One metric of one task, measured in one way; only values of the same measure compare.

    n : examples, None where the harness does not say. better : "higher", "lower", or "" where it does not say.
    """

    task: str
    metric: str
    filter: str
    version: str
    shots: int | None
    n: int | None
    chat_template: bool
    better: str

    @property
    def label(self) -> str:
        """What a person calls it: "arc_easy (acc)"."""
        return f"{self.task} ({self.metric})"

    @property
    def words(self) -> str:
        """How it was measured, in a few words."""
        parts = [
            f"{self.better} is better" if self.better else "",
            f"{self.n:,} examples" if self.n is not None else "",
            f"{self.shots} shots" if self.shots is not None else "",
            f"filter {self.filter}" if self.filter != "none" else "",
            "in the chat template" if self.chat_template else "",
        ]
        return ", ".join(part for part in parts if part)


def task_scores(comparison: Comparison, evaluations: Sequence[Evaluation]) -> dict[Measure, pd.DataFrame]:
    """By measure, in the harness's order, a row for each arm: arm, mean, sd (sample, over seeds), n (runs measured).

    Of several evaluations of one run by the same measure the newest counts. NaN where no run of an arm was measured.
    """
    newest: dict[Measure, dict[str, float]] = {}
    for one in sorted(evaluations, key=lambda one: one.created):
        if one.state == "done" and one.plan.of == "run":
            for result in one.results:
                newest.setdefault(_measure(one, result), {})[one.run] = result.value
    found = {}
    for measure, values in newest.items():
        rows = []
        for arm in comparison.arms:
            known = [values[run.id] for run in arm.runs if run.id in values]
            rows.append((arm.label, *mean_and_sd(np.array(known, dtype=float))))
        table = pd.DataFrame(rows, columns=["arm", "mean", "sd", "n"])
        if table["n"].any():
            found[measure] = table
    return found


def first_of_each_task(measures: Sequence[Measure]) -> list[Measure]:
    """The metric that the harness lists first for each task, so that nobody picks one for what it shows."""
    found: dict[str, Measure] = {}
    for measure in measures:
        found.setdefault(measure.task, measure)
    return list(found.values())


def _measure(one: Evaluation, result: TaskResult) -> Measure:
    better = {True: "higher", False: "lower", None: ""}[result.higher_is_better]
    return Measure(
        result.task,
        result.metric,
        result.filter,
        result.version,
        result.shots,
        result.n,
        one.plan.chat_template,
        better,
    )
