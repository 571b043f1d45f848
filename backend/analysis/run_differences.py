"""In which settings and versions runs differ; what they have in common is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import store
from backend.analysis.comparable import flat
from backend.analysis.compared_runs import environment_of
from backend.analysis.held_out_words import held_out_words
from backend.config import to_json


@dataclass(frozen=True)
class Different:
    """A setting, or a version of what a run was computed with, that is not the same in all runs.

    kind : "setting", "pool" or "environment". values : one per run, in words; "" for nothing, None where it is not
    known.
    """

    kind: str
    name: str
    values: tuple[str | None, ...]


def run_differences(home: Path, run_ids: Sequence[str]) -> list[Different]:
    """What differs between these runs: settings first, then pools, then versions and machine.

    Raises
    ------
    StudioError : a run's files are missing or cannot be read.
    """
    configs = [to_json(store.read_config(home, run_id)) for run_id in run_ids]
    pools = [store.read_run_pool(home, run_id) for run_id in run_ids]
    environments = [flat(environment_of(home, run_id)) for run_id in run_ids]
    names = list(dict.fromkeys(name for one in configs for name in one))
    found = [Different("setting", name, tuple(_words(one.get(name)) for one in configs)) for name in names]
    found.append(Different("pool", "pool id", tuple(pool.id for pool in pools)))
    found.append(
        Different("pool", "held-out samples", tuple(held_out_words(home, run_id) for run_id in run_ids))
    )
    known = list(dict.fromkeys(name for one in environments for name in one))
    found += [Different("environment", name, tuple(one.get(name) for one in environments)) for name in known]
    return [
        item for item in found if len({*item.values} - ({None} if item.kind == "environment" else set())) > 1
    ]


def _words(value: Any) -> str:
    """A setting's value as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value[:5])) + (f" and {len(value) - 5:,} more" if len(value) > 5 else "")
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
