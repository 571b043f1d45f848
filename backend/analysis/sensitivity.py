"""How much the settings matter: held-out loss by the value of each setting that a study varied.

What counts is the loss after the last epoch of each run, never the best one. A value is compared with the base seed by
seed. What is not there is NaN, with why.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backend.analysis.arms import Arm
from backend.analysis.comparison import Comparison, compare
from backend.analysis.paired import Paired, mean_and_sd
from backend.errors import RunError
from backend.store import ComparisonInfo

GONE = "its runs were deleted, or taken out of the comparison"
SHOWN = ("lower", "higher")  # verdicts of differences that are more than the spread


@dataclass(frozen=True)
class Sensitivity:
    """A study's runs by what was varied.

    comparison : its runs side by side; the reference is the base's arm, "" where no run of it is left.
    strategy : whose settings are varied. base : value of each setting in the base. vary : the values by setting,
    ascending, the base's among them. cross : whether all combinations were run. seeds : those that were asked for.
    """

    comparison: Comparison
    strategy: str
    base: dict[str, float]
    vary: dict[str, tuple[float, ...]]
    cross: bool
    seeds: tuple[int, ...]

    def arm(self, **changes: float) -> Arm | None:
        """The runs with these values and all other settings of the base; None where there are none.

        Where somebody added runs to the comparison that differ in something else, those made first are meant.
        """
        wanted = {**self.base, **changes}
        found = [
            arm
            for arm in self.comparison.arms
            if arm.strategy == self.strategy and _values(arm, wanted) == wanted
        ]
        return min(found, key=_made, default=None)

    def references(self) -> list[Arm]:
        """Other strategies in the comparison."""
        return [arm for arm in self.comparison.arms if arm.strategy != self.strategy]

    def difference(self, arm: Arm) -> Paired:
        """Loss after the last epoch minus the base's, by seed."""
        return self.comparison.difference(arm)


def sensitivity(home: Path, info: ComparisonInfo) -> Sensitivity:
    """Read a study.

    Raises
    ------
    RunError : it is no sensitivity study, it has no runs, or none of them can be read.
    """
    plan = info.plan
    if info.kind != "sensitivity" or not plan.get("vary"):
        raise RunError(
            f"{info.name} is no sensitivity study; `compare show {info.id}` shows its runs side by side"
        )
    if not info.runs:
        raise RunError(f"the study {info.name} has no runs")
    made = Sensitivity(
        compare(home, info.runs),
        plan["strategy"],
        {name: float(value) for name, value in plan["base"].items()},
        {name: tuple(map(float, values)) for name, values in plan["vary"].items()},
        bool(plan["cross"]),
        tuple(plan["seeds"]),
    )
    base = made.arm()
    reference = base.label if base is not None else ""
    return dataclasses.replace(made, comparison=dataclasses.replace(made.comparison, reference=reference))


def value_words(setting: str, value: float) -> str:
    """A value as a person reads it: "5 %", "36 samples", "1 (whole pool)", "0.1"."""
    if setting == "budget":
        return f"{100 * value:.6g} %" if value <= 1 else f"{value:,.0f} samples"
    return "1 (whole pool)" if setting == "update_ratio" and value == 1 else f"{value:.6g}"


def sensitivity_table(found: Sensitivity) -> pd.DataFrame:
    """One row per setting and value, the values ascending; the base, run once, stands in each setting's rows.

    setting, value, base (whether it is the base's), arm (its label, "" where there is none).
    seeds, done, n : seeds asked for, runs that are done, and those whose last loss counts.
    final, final_sd : held-out loss after the last epoch, mean and sample standard deviation over the seeds.
    after_1, ... : the same at the end of each epoch, with _sd and _n.
    difference, difference_sd, low, high, difference_n, below, verdict, words : to the base, seed by seed, see
        `paired.Paired`; NaN and "" for the base itself.
    steps, tokens, distinct : mean over the runs that are done, as in `summary_table`.
    missing : why seeds are missing; "" where none is.
    """
    epochs = [
        e for e in range(1, _epochs(found) + 1) if any(np.isfinite(r.after(e)) for r in found.comparison.runs)
    ]
    rows = []
    for setting, values in found.vary.items():
        for value in values:
            arm = found.arm(**{setting: value})
            base = value == found.base[setting]
            rows.append(
                {"setting": setting, "value": value, "base": base, **_row(found, arm, epochs, base=base)}
            )
    return pd.DataFrame(rows)


def reference_table(found: Sensitivity) -> pd.DataFrame:
    """The same columns for other strategies in the comparison, without setting and value."""
    epochs = [
        e for e in range(1, _epochs(found) + 1) if any(np.isfinite(r.after(e)) for r in found.comparison.runs)
    ]
    return pd.DataFrame(
        [{"strategy": arm.strategy, **_row(found, arm, epochs)} for arm in found.references()]
    )


def seed_table(found: Sensitivity) -> pd.DataFrame:
    """Loss after the last epoch of every seed: setting, value, base, seed, run, loss."""
    rows = []
    for setting, values in found.vary.items():
        for value in values:
            arm = found.arm(**{setting: value})
            if arm is None:
                continue
            runs = {run.seed: run.id for run in arm.runs}
            rows += [
                (setting, value, value == found.base[setting], seed, runs[seed], loss)
                for seed, loss in found.comparison.losses(arm).items()
            ]
    return pd.DataFrame(rows, columns=["setting", "value", "base", "seed", "run", "loss"])


def grid_table(found: Sensitivity, row: str, column: str) -> pd.DataFrame:
    """Every combination of two settings' values, all others as in the base: row, column, base, n, final, final_sd.

    row, column hold the values. NaN where a combination has no result.

    Raises
    ------
    RunError : the study did not vary both, or not crossed.
    """
    if not found.cross or row == column or row not in found.vary or column not in found.vary:
        crossed = ", ".join(found.vary) if found.cross else "none"
        raise RunError(f"{row} and {column} were not crossed in this study (crossed: {crossed})")
    rows = []
    for values in itertools.product(found.vary[row], found.vary[column]):
        changes = dict(zip((row, column), values, strict=True))
        arm = found.arm(**changes)
        mean, sd, n = found.comparison.final(arm) if arm is not None else (math.nan, math.nan, 0)
        base = all(found.base[name] == value for name, value in changes.items())
        rows.append((*values, base, n, mean, sd))
    return pd.DataFrame(rows, columns=["row", "column", "base", "n", "final", "final_sd"])


def pairs(found: Sensitivity) -> list[tuple[str, str]]:
    """The pairs of settings that were crossed; none where one setting was varied at a time."""
    return list(itertools.combinations(found.vary, 2)) if found.cross else []


def findings(found: Sensitivity) -> list[tuple[str, str]]:
    """(setting, what may be said of it), for a person, in the order of the study."""
    table = sensitivity_table(found)
    return [(setting, _finding(setting, table[table["setting"] == setting])) for setting in found.vary]


def _finding(setting: str, rows: pd.DataFrame) -> str:
    others = rows[~rows["base"].astype(bool)]
    own = rows[rows["base"].astype(bool)]
    base = value_words(setting, float(own["value"].iloc[0]))
    judged = others[others["difference_n"] > 1]
    if judged.empty:
        why = (
            "one seed, so differences cannot be judged"
            if (others["difference_n"] > 0).any()
            else "no result yet"
        )
        return f"{why}."
    said: list[str] = []
    for verdict in SHOWN:
        part = judged[judged["verdict"] == verdict]
        if len(part):
            each = [
                f"{value_words(setting, v)} ({d:+.4f})" for v, d in zip(part["value"], part["difference"])
            ]
            said.append(f"{verdict}{'' if said else f' than the base ({base})'} at {_list(each)}")
    unclear = judged[~judged["verdict"].isin(SHOWN)]
    if not said:
        text = f"no difference from the base ({base}) is shown"
    elif len(unclear):
        text = f"{'; '.join(said)}; no difference shown at {_list([value_words(setting, v) for v in unclear['value']])}"
    else:
        text = "; ".join(said)
    known = rows["final"].dropna()
    spread = f" Means from {known.min():.4f} to {known.max():.4f}."
    left = len(others) - len(judged)
    return f"{text}.{spread}" + (
        f" {left} of {len(others)} other values cannot be judged yet." if left else ""
    )


def _row(
    found: Sensitivity, arm: Arm | None, epochs: Sequence[int], *, base: bool = False
) -> dict[str, object]:
    comparison = found.comparison
    row: dict[str, object] = {"arm": arm.label if arm else "", "seeds": len(found.seeds)}
    row["done"] = len(arm.done) if arm else 0
    row["final"], row["final_sd"], row["n"] = comparison.final(arm) if arm else (math.nan, math.nan, 0)
    for e in epochs:
        row[f"after_{e}"], row[f"after_{e}_sd"], row[f"after_{e}_n"] = (
            comparison.after(arm, e) if arm else (math.nan, math.nan, 0)
        )
    if arm is not None and comparison.reference and not base:
        d = found.difference(arm)
        row |= {
            "difference": d.mean,
            "difference_sd": d.sd,
            "low": d.low,
            "high": d.high,
            "difference_n": d.n,
        }
        row |= {"below": d.below, "verdict": d.verdict, "words": d.words}
    else:
        row |= dict.fromkeys(("difference", "difference_sd", "low", "high"), math.nan)
        row |= {"difference_n": 0, "below": 0, "verdict": "", "words": ""}
    for name in ("steps", "tokens", "distinct"):
        of = [float(getattr(run, name)) for run in arm.done] if arm else []
        row[name] = mean_and_sd(np.array(of, dtype=np.float64))[0]
    row["missing"] = _missing(found, arm)
    return row


def _missing(found: Sensitivity, arm: Arm | None) -> str:
    """Why seeds that were asked for have no loss here, in words."""
    if arm is None:
        return GONE
    why = [reason for other, _, reason in found.comparison.missing() if other is arm]
    there = {run.seed for run in arm.runs}
    gone = sum(seed not in there for seed in found.seeds)
    counts = Counter(why)
    words = [reason if len(arm.runs) == 1 else f"{count} {reason}" for reason, count in counts.items()]
    return "; ".join([*words, *([f"{gone} deleted, or taken out of the comparison"] if gone else [])])


def _values(arm: Arm, wanted: dict[str, float]) -> dict[str, float]:
    return {name: float(getattr(arm.runs[0].config, name)) for name in wanted}


def _made(arm: Arm) -> tuple[float, str]:
    return min((run.info.created, run.id) for run in arm.runs)


def _epochs(found: Sensitivity) -> int:
    return max((run.config.epochs for run in found.comparison.runs), default=0)


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
