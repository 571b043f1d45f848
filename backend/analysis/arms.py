"""The arms of a comparison: runs whose settings differ by the seed alone are repetitions of one thing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.analysis.compared_runs import ComparedRun
from backend.config import to_json

# what decides neither what is selected nor what is learnt (the held-out samples are checked by what they are)
NO_MATTER = frozenset(
    {
        "seed", "name", "pool", "mapping", "held_out", "held_out_every", "threads", "batch_tokens", "make_map",
        "save_checkpoints", "checkpoint_every", "save_merged", "report_to", "review", "review_minutes", "processes",
        "accelerate_config", "rescore",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One strategy with its settings, repeated with several seeds.

    label : the strategy and what else sets it apart from the other arms ("full, max steps 84").
    runs : one per seed, in the order of seeds. repeated : further runs of a seed, which do not count.
    """

    label: str
    strategy: str
    runs: tuple[ComparedRun, ...]
    repeated: tuple[ComparedRun, ...] = ()

    @property
    def done(self) -> tuple[ComparedRun, ...]:
        """The runs that have ended in order."""
        return tuple(run for run in self.runs if run.done)


def arms_of(runs: Sequence[ComparedRun], names: Mapping[str, str] | None = None) -> list[Arm]:
    """The runs by what they do, in the order in which they were made.

    names : what to call a strategy in the labels, where that is not its identifier.

    Of several runs with the same seed the newest that is done counts, else the newest.
    """
    settings = [_settings(run) for run in runs]
    keys = [json.dumps(values, sort_keys=True) for values in settings]
    distinct = list(dict.fromkeys(keys))
    kinds = [settings[keys.index(key)] for key in distinct]
    labels = _labels(kinds, names or {})
    found = []
    for key, kind, label in zip(distinct, kinds, labels):
        members = [run for run, other in zip(runs, keys) if other == key]
        best: dict[int, ComparedRun] = {}
        for run in sorted(members, key=lambda run: (run.done, run.info.created, run.id)):
            best[run.seed] = run
        chosen = tuple(best[seed] for seed in sorted(best))
        found.append(
            Arm(label, str(kind["strategy"]), chosen, tuple(run for run in members if run not in chosen))
        )
    return found


def ladder_key(run: ComparedRun) -> str:
    """What two runs have alike that differ in how long they train, and in their seed, alone."""
    values = {name: value for name, value in _settings(run).items() if name not in ("epochs", "max_steps")}
    return json.dumps(values, sort_keys=True)


def _settings(run: ComparedRun) -> dict[str, Any]:
    values = {name: value for name, value in to_json(run.config).items() if name not in NO_MATTER}
    return values | {"model": run.info.model, "pool": run.info.pool_id}


def _labels(kinds: Sequence[dict[str, Any]], names: Mapping[str, str]) -> list[str]:
    """A label for each: its strategy, and the settings whose value is not the one that most of them have."""
    usual = {}
    for name in kinds[0] if kinds else ():
        counts = Counter(json.dumps(kind[name], sort_keys=True) for kind in kinds)
        usual[name] = counts.most_common(1)[0][0]
    labels = []
    for kind in kinds:
        unusual = [
            _words(name, value)
            for name, value in kind.items()
            if name != "strategy" and json.dumps(value, sort_keys=True) != usual[name]
        ]
        strategy = str(kind["strategy"])
        labels.append(", ".join([names.get(strategy, strategy), *unusual]))
    # the usual one of a strategy that comes with several settings keeps the plain name; two alike cannot be
    return labels


def _words(name: str, value: Any) -> str:
    if name == "model":
        return Path(str(value)).name or str(value)
    if name == "pool":
        return f"pool {value}"
    if name == "max_steps":
        return f"{value:,} steps" if value else "every step"
    spoken = name.replace("_", " ")
    if isinstance(value, bool):
        return spoken if value else f"no {spoken}"
    if isinstance(value, dict):
        return f"{spoken} {', '.join(f'{key}={item:g}' for key, item in value.items()) or 'none'}"
    if isinstance(value, list):
        return f"{spoken}: {len(value)}" if value else f"no {spoken}"
    return f"{spoken} {str(value).removesuffix('.0')}"
