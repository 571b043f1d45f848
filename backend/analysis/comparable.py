"""What must be alike for runs to be compared, and is not: said before any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.analysis.arms import Arm
from backend.analysis.compared_runs import DRAWN, ComparedRun


@dataclass(frozen=True)
class Remark:
    """Something to know before the numbers are read.

    level : "warn" where it may change what they mean. about : what it is about, where a comparison may be made so on purpose.
    """

    level: Literal["warn", "info"]
    text: str
    about: Literal["", "budgets", "steps", "missing"] = ""


@dataclass(frozen=True)
class MeasuredOn:
    """Which runs' held-out losses may be compared.

    counted : ids of the runs whose losses count. left_out : why another run's do not, by id.
    by_seed : whether each seed has held-out samples of its own. early : ids of those that are left out for no other reason than
        that not every strategy has finished their seed.
    """

    counted: frozenset[str]
    left_out: dict[str, str]
    by_seed: bool
    early: frozenset[str] = frozenset()


def measured_on(arms: Sequence[Arm]) -> MeasuredOn:
    """Compare held-out losses on the same samples only.

    Of each seed's runs those count that measured on what most of them measured on. Where every seed keeps other samples
    aside, means are over other samples too: then only seeds that every arm has finished count.
    """
    runs = [run for arm in arms for run in arm.runs]
    left_out = {run.id: "nothing was held out" for run in runs if run.done and not run.held_out}
    measured = [run for run in runs if run.held_out and run.measured_on]
    usual: dict[int, str] = {}
    for seed in sorted({run.seed for run in measured}):
        counts = Counter(run.measured_on for run in measured if run.seed == seed)
        usual[seed] = counts.most_common(1)[0][0]
    for run in measured:
        if run.measured_on != usual[run.seed]:
            left_out[run.id] = f"measured on other held-out samples: {run.held_out_words}"
    counted = [run for run in measured if run.id not in left_out]
    by_seed = len({run.measured_on for run in counted}) > 1
    early = set()
    if by_seed:
        finished = [{run.seed for run in arm.runs if run in counted and run.done} for arm in arms]
        shared = set.intersection(*finished) if finished else set()
        for run in counted:
            if run.done and run.seed not in shared:
                early.add(run.id)
                left_out[run.id] = (
                    f"seed {run.seed} keeps other samples aside, and not every strategy has finished it"
                )
        counted = [run for run in counted if run.id not in left_out]
    return MeasuredOn(frozenset(run.id for run in counted), left_out, by_seed, frozenset(early))


def remarks(arms: Sequence[Arm], measured: MeasuredOn) -> list[Remark]:
    """What differs between the runs beyond strategy and seed, and what is missing; warnings first."""
    runs = [run for arm in arms for run in arm.runs]
    found = [
        *_pools(runs),
        *_held_out(runs, measured),
        *_differ(runs, "models", lambda run: Path(run.info.model).name or run.info.model,
                 "their held-out losses also differ by the model, and per-token losses of different tokenizers cannot be compared"),
        *_budgets(arms),
        *_steps(arms),
        *_by_hand(runs),
        *_environments(runs),
        *_missing(arms),
        *_repeated(arms),
    ]  # fmt: skip
    return sorted(found, key=lambda remark: remark.level != "warn")


def _pools(runs: Sequence[ComparedRun]) -> list[Remark]:
    names = {run.info.pool_id: f"{run.info.pool_name} ({run.info.pool_rows:,} samples)" for run in runs}
    if len(names) < 2:
        return []
    return [
        Remark(
            "warn",
            f"The runs choose from {len(names)} different pools: {_list(names.values())}. Their selections cannot be compared, and differences may come from the data, not from the strategy.",
        )
    ]


def _held_out(runs: Sequence[ComparedRun], measured: MeasuredOn) -> list[Remark]:
    found = []
    different = [run for run in runs if measured.left_out.get(run.id, "").startswith("measured on other")]
    if different:
        found.append(
            Remark(
                "warn",
                f"{_runs(len(different))} measured on other held-out samples than the rest "
                f"({_list(run.held_out_words for run in different)}): their held-out losses are left out, because losses "
                "on different samples cannot be compared.",
            )
        )
    kinds = {run.held_out_words.partition(DRAWN)[0] for run in runs if run.id in measured.counted}
    if measured.by_seed and len(kinds) > 1:
        found.append(
            Remark(
                "warn",
                f"The seeds measured on different samples ({_list(sorted(kinds))}): only the differences within a seed compare "
                "like with like, and means over the seeds mix different measurements.",
            )
        )
    if measured.by_seed and len(kinds) < 2:
        found.append(
            Remark(
                "info",
                "A share of the pool is held out, so each seed measures on other samples: the spread between seeds includes that too, and only the differences within a seed compare like with like.",
            )
        )
    if measured.by_seed:
        unshared = [run for run in runs if "not every strategy" in measured.left_out.get(run.id, "")]
        if unshared:
            seeds = _list(str(seed) for seed in sorted({run.seed for run in unshared}))
            found.append(Remark("warn", f"Seeds that not every strategy has finished are left out: {seeds}."))
    nothing = [run for run in runs if run.done and not run.held_out]
    if nothing:
        found.append(
            Remark("warn", f"{_runs(len(nothing))} held nothing out, so they have no held-out loss.")
        )
    return found


def _differ(runs: Sequence[ComparedRun], what: str, of: object, consequence: str) -> list[Remark]:
    assert callable(of)
    values = dict.fromkeys(of(run) for run in runs)
    if len(values) < 2:
        return []
    return [
        Remark(
            "warn",
            f"The runs have {len(values)} different {what} ({_list(map(str, values))}): {consequence}.",
        )
    ]


def _budgets(arms: Sequence[Arm]) -> list[Remark]:
    sizes = {
        len(run.picks(run.epochs[0])[0])
        for arm in arms
        if arm.strategy != "full"
        for run in arm.runs
        if run.epochs
    }
    if len(sizes) < 2:
        return []
    words = _list(f"{size:,}" for size in sorted(sizes))
    return [Remark("warn", f"The runs select different numbers of samples for an epoch: {words}.", "budgets")]


def _steps(arms: Sequence[Arm]) -> list[Remark]:
    steps = {arm.label: sorted({run.steps for run in arm.runs if run.done}) for arm in arms}
    steps = {label: counts for label, counts in steps.items() if counts}
    by_count: dict[tuple[int, ...], list[str]] = {}
    for label, counts in steps.items():
        by_count.setdefault(tuple(counts), []).append(label)
    if len(by_count) < 2 and all(len(counts) == 1 for counts in by_count):
        return []
    usual = max(by_count, key=lambda counts: len(by_count[counts]))
    parts = [
        f"{_list(labels)}: {_list(f'{count:,}' for count in counts)}"
        for counts, labels in by_count.items()
        if counts != usual
    ]
    rest = f"; the others: {_list(f'{count:,}' for count in usual)}"
    return [
        Remark(
            "warn",
            f"Not every run trained for the same number of optimizer steps ({'; '.join(parts)}{rest}). Longer training costs more, and may be better for that alone.",
            "steps",
        )
    ]


def _by_hand(runs: Sequence[ComparedRun]) -> list[Remark]:
    changed = [run for run in runs if run.changed_by_hand]
    if not changed:
        return []
    names = _list(f"{run.info.name} (epoch {_list(map(str, run.changed_by_hand))})" for run in changed)
    return [Remark("warn", f"Settings were changed by hand in a review: {names}.")]


def _environments(runs: Sequence[ComparedRun]) -> list[Remark]:
    machines: dict[str, set[str]] = {}
    for run in runs:
        for name, value in flat(run.environment).items():
            machines.setdefault(name, set()).add(value)
    differ = {name: values for name, values in machines.items() if len(values) > 1}
    if not differ:
        return []
    words = "; ".join(f"{name}: {_list(sorted(values))}" for name, values in differ.items())
    return [
        Remark(
            "info",
            f"Not computed with the same versions on the same machine ({words}). Small differences may come from that.",
        )
    ]


def _missing(arms: Sequence[Arm]) -> list[Remark]:
    missing = [run for arm in arms for run in arm.runs if not run.done]
    total = sum(len(arm.runs) for arm in arms)
    if not missing:
        return []
    states = Counter(run.info.state for run in missing)
    words = _list(f"{count} {state}" for state, count in states.items())
    return [
        Remark(
            "warn",
            f"{len(missing)} of {total} runs are not done ({words}): they are missing from the figures after training, and "
            "nothing is filled in for them.",
            "missing",
        )
    ]


def _repeated(arms: Sequence[Arm]) -> list[Remark]:
    count = sum(len(arm.repeated) for arm in arms)
    if not count:
        return []
    return [
        Remark(
            "info",
            f"{_runs(count)} {'repeats' if count == 1 else 'repeat'} the settings and seed of another: only the newest finished run of each seed counts.",
        )
    ]


def flat(environment: dict[str, object]) -> dict[str, str]:
    """An environment as one value by name: python, machine, cpus, device, and each package's version."""
    found: dict[str, str] = {}
    for name, value in environment.items():
        if isinstance(value, dict):
            found |= {str(key): str(item) for key, item in value.items()}
        else:
            found[name] = str(value)
    return found


def _runs(count: int) -> str:
    return f"{count} run{'s' if count != 1 else ''}"


def _list(words: object) -> str:
    """ "a, b and c", the first eight of them."""
    assert hasattr(words, "__iter__")
    found = list(dict.fromkeys(words))
    if len(found) > 8:
        return f"{', '.join(found[:8])} and {len(found) - 8} more"
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
