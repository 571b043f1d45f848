"""What an earlier run of a model has measured: speeds, tokens of a sample, and memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from backend import store
from backend.errors import StudioError
from backend.records import Stage

STAGES: tuple[Stage, ...] = ("train", "score", "evaluate")


@dataclass(frozen=True)
class Measured:
    """What earlier runs of one model have measured; NaN where none has.

    speeds : tokens per second by stage. per_sample : tokens of a sample by stage, on the very same pool.
    memory_gib : the most that one of them took. source, memory_source : which run it was, or why there is no figure.
    """

    speeds: dict[Stage, float] = field(default_factory=dict)
    per_sample: dict[Stage, float] = field(default_factory=dict)
    memory_gib: float = math.nan
    source: str = ""
    memory_source: str = ""

    def speed(self, stage: Stage) -> float:
        """Tokens per second; NaN where it was not measured."""
        return self.speeds.get(stage, math.nan)


def same_model(name: str) -> set[str]:
    """The names under which runs and lengths may know this model: a folder is written down with its whole path."""
    folder = Path(name).expanduser()
    return {name, str(folder.resolve())} if name not in ("", "demo") and folder.is_dir() else {name}


def measured_before(home: Path, model: str, pool_id: str) -> Measured:
    """What the newest run of this model has measured that has measured anything; one on this pool before others."""
    unknown = f"no run of {Path(model).name or 'this model'} in this runs folder has measured it"
    speeds: dict[Stage, float] = {}
    per_sample: dict[Stage, float] = {}
    names: dict[Stage, str] = {}
    memory, memory_source = math.nan, unknown
    runs = [run for run in store.runs(home) if run.model in same_model(model)]
    for run in sorted(runs, key=lambda run: run.pool_id != pool_id):  # newest first within each
        found, tokens, most = _of_run(home, run.id, run.last_seen or 0.0)
        where = f"the run {run.name}" + (f" on {run.host}" if run.host else "")
        if math.isnan(memory) and most > 0:
            memory, memory_source = (
                most,
                f"the most that {where} took, with its own settings (without a GPU: all of its process)",
            )
        for stage, speed in found.items():
            if stage not in speeds:
                speeds[stage] = speed
                names[stage] = where + ("" if run.pool_id == pool_id else ", which used another pool")
        if run.pool_id == pool_id:
            per_sample = {**tokens, **per_sample}
    if not speeds:
        return Measured({}, per_sample, memory, unknown, memory_source)
    return Measured(speeds, per_sample, memory, f"measured in {next(iter(names.values()))}", memory_source)


@lru_cache(maxsize=256)
def _of_run(
    home: Path, run_id: str, last_seen: float
) -> tuple[dict[Stage, float], dict[Stage, float], float]:
    """Speeds and tokens of a sample by stage, and the memory in GiB (0 where unknown), of one run as it was then."""
    speeds: dict[Stage, float] = {}
    per_sample: dict[Stage, float] = {}
    times = store.stage_times(home, run_id)
    try:
        batch = store.read_config(home, run_id).batch_size
        memory = max((m.memory_gib or 0.0 for m in store.read_metrics(home, run_id)), default=0.0)
    except StudioError:  # a run whose folder is broken has measured nothing
        return speeds, per_sample, 0.0
    for stage in STAGES:
        of = [t for t in times if t.stage == stage and t.tokens > 0 and t.last > t.begun]
        seconds, tokens = sum(t.last - t.begun for t in of), sum(t.tokens for t in of)
        # done counts from the stage's beginning, tokens from the present attempt's: only whole stages tell both
        done = sum(t.done * (batch if stage == "train" else 1) for t in of if t.total and t.done >= t.total)
        whole = sum(t.tokens for t in of if t.total and t.done >= t.total)
        if seconds > 0:
            speeds[stage] = tokens / seconds
        if done:
            per_sample[stage] = whole / done
    return speeds, per_sample, memory
