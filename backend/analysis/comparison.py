"""Runs side by side: held-out loss by strategy with its spread over seeds, and what was selected.

The headline is the loss after the last epoch of every run, never the best epoch of it: which epoch was best is only
known from the held-out samples themselves. What is not there is NaN, and `Comparison.missing` says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backend import store
from backend.analysis.arms import Arm, arms_of
from backend.analysis.comparable import MeasuredOn, Remark, measured_on, remarks
from backend.analysis.compared_runs import DRAWN, ComparedRun, compared_run
from backend.analysis.paired import Paired, mean_and_sd, paired
from backend.analysis.random_ladder import Rung, split_ladder
from backend.errors import RunError, StudioError

MOST_RUNS = 200


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    arms : by their loss after the last epoch, the lowest first; those without one last.
    reference : label of the baseline arm, which others are compared with; "" where there is none.
    remarks : what is not alike, and what is missing; warnings first.
    unreadable : why a run could not be read, by id.
    rungs : fresh random draws by how long they train, the shortest first; none where there is no such ladder. Those that
        are there for the ladder alone are not among the arms.
    """

    arms: tuple[Arm, ...]
    reference: str
    remarks: tuple[Remark, ...]
    measured: MeasuredOn
    unreadable: dict[str, str]
    rungs: tuple[Rung, ...] = ()

    @property
    def runs(self) -> list[ComparedRun]:
        """Every run that counts."""
        return [run for arm in self.arms for run in arm.runs]

    @property
    def epochs(self) -> list[int]:
        """Epochs that any of the runs selected for."""
        return sorted({epoch for run in self.runs for epoch in run.epochs})

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs."""
        return sorted({run.seed for run in self.runs})

    def losses(self, arm: Arm) -> dict[int, float]:
        """Loss after the last epoch by seed, of the runs that are done and whose losses may be compared."""
        return {run.seed: run.final for run in self._counted(arm) if math.isfinite(run.final)}

    def final(self, arm: Arm) -> tuple[float, float, int]:
        """Mean, sample standard deviation and number of the losses after the last epoch."""
        return mean_and_sd(np.array(list(self.losses(arm).values())))

    def after(self, arm: Arm, epoch: int) -> tuple[float, float, int]:
        """Mean, sample standard deviation and number of the losses at the end of so many epochs; 0 before training."""
        if epoch == 0:
            return mean_and_sd(np.array([run.untouched for run in self._counted(arm)]))
        return mean_and_sd(np.array([run.after(epoch) for run in self._counted(arm)]))

    def difference(self, arm: Arm) -> Paired:
        """Loss after the last epoch minus the reference's, by seed."""
        other = next((a for a in self.arms if a.label == self.reference), None)
        return paired(self.losses(arm), self.losses(other) if other else {})

    def missing(self) -> list[tuple[Arm, ComparedRun, str]]:
        """The runs whose loss after the last epoch does not count, and why."""
        found = []
        for arm in (*self.arms, *(rung.arm for rung in self.rungs if rung.arm not in self.arms)):
            for run in arm.runs:
                why = run.missing or self.measured.left_out.get(run.id, "")
                if why:
                    found.append((arm, run, why))
        return found

    def _counted(self, arm: Arm) -> list[ComparedRun]:
        return [run for run in arm.runs if run.id in self.measured.counted]


def lowest_run(comparison: Comparison) -> ComparedRun:
    """The run that ended lowest, of the seeds of the strategy that ended lowest on average; the smallest seed where no loss
    is known.

    Raises
    ------
    RunError : no run has selected anything.
    """
    runs = [run for run in comparison.arms[0].runs if run.epochs] if comparison.arms else []
    if not runs:
        raise RunError("no run of this comparison has selected anything yet")
    return min(runs, key=lowest_first)


def lowest_first(run: ComparedRun) -> tuple[bool, float, int]:
    """An order of runs: by their loss after the last epoch, those without one last."""
    return not math.isfinite(run.final), run.final if math.isfinite(run.final) else 0.0, run.seed


def compare(
    home: Path, run_ids: Sequence[str], *, reference: str = "", names: Mapping[str, str] | None = None
) -> Comparison:
    """Put these runs side by side.

    reference : label or strategy of the baseline arm, which others are compared with; random where it is there, else the one made
        first.
    names : what to call a strategy in the labels, where that is not its identifier.

    Raises
    ------
    RunError : no run, or too many, or there is no such reference (the message names the arms).
    """
    ids = list(dict.fromkeys(run_ids))
    if not ids:
        raise RunError("no run is chosen; choose at least one")
    if len(ids) > MOST_RUNS:
        raise RunError(f"{len(ids):,} runs are chosen; at most {MOST_RUNS} are compared at once")
    infos = {info.id: info for info in store.runs(home)}
    found, unreadable = [], {}
    for run_id in ids:
        try:
            if run_id not in infos:
                raise RunError(f"run {run_id} not found")
            found.append(compared_run(home, infos[run_id]))
        except StudioError as error:
            unreadable[run_id] = str(error)
    if not found:
        raise RunError(f"none of the runs can be read: {next(iter(unreadable.values()))}")
    found.sort(key=lambda run: (run.info.created, run.id))
    arms, rungs = split_ladder(arms_of(found, names))
    measured = measured_on(arms)
    chosen = _reference(arms, reference)
    made = Comparison(tuple(arms), chosen, (), measured, unreadable)
    last = [made.final(arm)[0] for arm in arms]
    order = sorted(range(len(arms)), key=lambda i: (not math.isfinite(last[i]), last[i], i))
    said = remarks(arms, measured)
    if unreadable:
        text = "; ".join(unreadable.values())
        said.insert(0, Remark("warn", f"{len(unreadable)} of {len(ids)} runs cannot be read: {text}."))
    return Comparison(tuple(arms[i] for i in order), chosen, tuple(said), measured, unreadable, rungs)


def measured_words(comparison: Comparison) -> str:
    """What the losses that count were measured on, such as "the demo's 360 held-out rows"; "" where none counts."""
    runs = [run for run in comparison.runs if run.id in comparison.measured.counted]
    words = list(dict.fromkeys(run.held_out_words for run in runs))
    if len(words) < 2:
        return words[0] if words else ""
    plain = {word.partition(DRAWN)[0] for word in words}
    if len(plain) == 1:
        return f"{plain.pop()}, other samples for each seed"
    return "other samples for each seed: " + "; ".join(words[:4]) + ("; ..." if len(words) > 4 else "")


def _reference(arms: Sequence[Arm], asked: str) -> str:
    labels = [arm.label for arm in arms]
    if asked:
        named = [arm.label for arm in arms if asked == arm.label] or [
            arm.label for arm in arms if asked == arm.strategy
        ]
        if not named:
            raise RunError(f"the reference {asked!r} is not among the strategies: {'; '.join(labels)}")
        return named[0]
    if len(arms) < 2:
        return ""
    return next((arm.label for arm in arms if arm.strategy == "random"), labels[0])


def summary_table(comparison: Comparison) -> pd.DataFrame:
    """One row per arm, the lowest loss after the last epoch first; NaN where something is not known.

    arm, strategy, runs, done, n : runs in all, done, and those whose last loss counts.
    before, after_1, ... : mean held-out loss before training and at the end of each epoch, with _sd (sample standard
        deviation over seeds) and _n. final, final_sd : after the last epoch of each run.
    tokens, steps, distinct : mean over the runs that are done: tokens read in training (prompts included), optimizer
        steps, samples trained on at least once.
    """
    last = max((run.config.epochs for run in comparison.runs), default=0)
    whole = [e for e in range(1, last + 1) if any(np.isfinite(run.after(e)) for run in comparison.runs)]
    rows = []
    for arm in comparison.arms:
        mean, sd, n = comparison.final(arm)
        row = {
            "arm": arm.label,
            "strategy": arm.strategy,
            "runs": len(arm.runs),
            "done": len(arm.done),
            "n": n,
        }
        for name, epoch in [("before", 0), *((f"after_{epoch}", epoch) for epoch in whole)]:
            row[name], row[f"{name}_sd"], row[f"{name}_n"] = comparison.after(arm, epoch)
        row |= {"final": mean, "final_sd": sd}
        for name in ("tokens", "steps", "distinct"):
            row[name] = mean_and_sd(np.array([float(getattr(run, name)) for run in arm.done]))[0]
        rows.append(row)
    return pd.DataFrame(rows)


def loss_points(comparison: Comparison) -> pd.DataFrame:
    """Every held-out loss that counts: arm, seed, run, epoch, step, tokens, loss, done."""
    rows = [
        (arm.label, run.seed, run.id, m.epoch, m.step, m.tokens, m.loss, run.done)
        for arm in comparison.arms
        for run in arm.runs
        if run.id in comparison.measured.counted
        for m in run.held_out
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "run", "epoch", "step", "tokens", "loss", "done"])


def difference_table(comparison: Comparison) -> pd.DataFrame:
    """Each arm against the reference: arm, n, mean, sd, low, high, below, verdict, words."""
    rows = []
    for arm in comparison.arms:
        if arm.label == comparison.reference:
            continue
        d = comparison.difference(arm)
        rows.append((arm.label, d.n, d.mean, d.sd, d.low, d.high, d.below, d.verdict, d.words))
    columns = ["arm", "n", "mean", "sd", "low", "high", "below", "verdict", "words"]
    return pd.DataFrame(rows, columns=columns)
