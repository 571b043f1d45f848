"""What a run will cost, before it is launched: steps, samples, tokens, time and memory, each with where it is from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.analysis.plan_speeds import STAGES, measured_before
from backend.analysis.plan_tokens import Tokens, tokens_of
from backend.config import RunConfig, steps_per_epoch
from backend.data import demo
from backend.errors import ModelError
from backend.model import model_files
from backend.model import shape as model_shape
from backend.preflight import checks, machine, memory
from backend.selection import Course, course

GIB = 2**30
NAN = math.nan


@dataclass(frozen=True)
class Figure:
    """A number and where it comes from.

    value : NaN where unknown. source : what it was found from, or why there is no figure.
    """

    value: float
    source: str

    @property
    def known(self) -> bool:
        return math.isfinite(self.value)


@dataclass(frozen=True)
class PlanEstimate:
    """What a run will do and need.

    Counts follow from the settings and the pool's size alone:
    candidates : samples to choose from, without those held out. held_out : samples of a held-out loss; NaN value
        where they are in a file that has not been read.
    budget : samples that an epoch trains on. epochs : passes that are begun (fewer than asked for where max_steps
        ends the run first). steps_per_epoch, steps : optimizer steps; the last epoch may have fewer.
    scored_first, scored_later : samples scored before the first and before each later epoch. evaluations : how often
        the held-out loss is measured.

    Tokens count prompts and responses, after the cut at max_length:
    training_tokens, scoring_tokens, evaluating_tokens : in the whole run.

    Seconds, at the speed that an earlier run of this model has measured:
    training_seconds, scoring_seconds, evaluating_seconds : in the whole run; seconds : their sum, unknown where one
        of them is.

    Memory, in GiB, on the device that trains (a GPU's memory, else this machine's):
    weights, gradients, optimizer, activations : while training; memory : their sum. All are reckoned from the sizes
        in the model's files, and `memory.source` says so. memory_measured : the most that an earlier run of this
        model took, whatever its settings. memory_there : what the device has.
    parameters, trained : numbers in the model, and those of them (or of its adapters) that are trained.
    """

    candidates: int
    held_out: Figure
    budget: int
    epochs: int
    steps_per_epoch: int
    steps: int
    scored_first: int
    scored_later: int
    evaluations: int
    training_tokens: Figure
    scoring_tokens: Figure
    evaluating_tokens: Figure
    training_seconds: Figure
    scoring_seconds: Figure
    evaluating_seconds: Figure
    seconds: Figure
    parameters: Figure
    trained: Figure
    weights: Figure
    gradients: Figure
    optimizer: Figure
    activations: Figure
    memory: Figure
    memory_measured: Figure
    memory_there: Figure


def plan_estimate(home: Path, config: RunConfig, pool_id: str, rows: int) -> PlanEstimate:
    """What this configuration will do with this pool, as far as it can be known without running it.

    home : the runs folder, whose earlier runs say how fast the model is. pool_id : of a stored pool; lengths that
    have been counted are found there. rows : samples in the pool.

    Raises
    ------
    ConfigError : `held_out` is a number outside [0, 1).
    """
    ahead = course(config, rows, held_out_rows=_held_out_rows(config))
    before = measured_before(home, config.model, pool_id)
    tokens = tokens_of(home, config, pool_id, before)
    steps, each = sum(ahead.steps), steps_per_epoch(ahead.budget, config)
    measurements = evaluations(config, ahead)
    read = _figures_of_tokens(config, ahead, tokens, measurements, each)
    seconds = [
        _seconds(amount, before.speed(stage), before.source)
        for amount, stage in zip(read, STAGES, strict=True)
    ]
    return PlanEstimate(
        candidates=ahead.candidates,
        held_out=_held_out(config, ahead),
        budget=ahead.budget,
        epochs=len(ahead.steps),
        steps_per_epoch=each if config.epochs else 0,
        steps=steps,
        scored_first=ahead.scored[0],
        scored_later=ahead.scored[1] if len(ahead.scored) > 1 else 0,
        evaluations=measurements,
        training_tokens=read[0],
        scoring_tokens=read[1],
        evaluating_tokens=read[2],
        training_seconds=seconds[0],
        scoring_seconds=seconds[1],
        evaluating_seconds=seconds[2],
        seconds=_sum(seconds),
        memory_measured=Figure(before.memory_gib, before.memory_source),
        **_memory(config, tokens),
    )


def evaluations(config: RunConfig, ahead: Course) -> int:
    """How often the held-out loss is measured: untouched, after each epoch, and every `held_out_every` steps between."""
    if ahead.held_out == 0 or not ahead.steps:
        return 0
    ends = set(np.cumsum(ahead.steps).tolist())
    every = config.held_out_every
    between = [step for step in range(every, sum(ahead.steps), every) if step not in ends] if every else []
    return 1 + len(ahead.steps) + len(between)


def _held_out_rows(config: RunConfig) -> int | None:
    """Samples of the embedded held-out set; a file of one's own is not read for this."""
    if config.held_out != "demo":
        return None
    return sum(1 for line in demo.HELDOUT.read_text(encoding="utf-8").splitlines() if line.strip())


def _held_out(config: RunConfig, ahead: Course) -> Figure:
    if ahead.held_out is None:
        return Figure(NAN, f"{config.held_out} has not been read")
    where = "the demo's held-out rows" if config.held_out == "demo" else "held out from the pool"
    return Figure(float(ahead.held_out), where)


def _figures_of_tokens(
    config: RunConfig, ahead: Course, tokens: Tokens, measurements: int, each: int
) -> tuple[Figure, Figure, Figure]:
    """Tokens trained on, scored and evaluated in the whole run."""
    passes = sum(ahead.steps) / each if each else 0.0
    trained = passes * ahead.budget
    scored = sum(ahead.scored)
    measured = math.nan if ahead.held_out is None else float(ahead.held_out * measurements)
    return (
        _times(trained, tokens.trained, tokens.source),
        _times(scored, tokens.scored, tokens.source),
        _times(
            measured,
            tokens.measured,
            _held_out(config, ahead).source if ahead.held_out is None else tokens.source,
        ),
    )


def _times(samples: float, each: float, source: str) -> Figure:
    """Tokens of so many samples; 0 where there are none, however long."""
    if samples == 0:
        return Figure(0.0, "nothing is read for this")
    return Figure(samples * each, source)


def _seconds(tokens: Figure, speed: float, source: str) -> Figure:
    if tokens.value == 0:
        return Figure(0.0, tokens.source)
    if not tokens.known:
        return tokens
    if not math.isfinite(speed):
        return Figure(NAN, source)
    return Figure(tokens.value / speed, f"{source}: {speed:,.0f} tokens a second; {tokens.source}")


def _sum(parts: list[Figure]) -> Figure:
    unknown = next((part for part in parts if not part.known), None)
    if unknown is not None:
        return unknown
    source = next((part.source for part in parts if part.value), parts[0].source)
    return Figure(sum(part.value for part in parts), f"training, scoring and measuring; {source}")


def _memory(config: RunConfig, tokens: Tokens) -> dict[str, Figure]:
    """What the model's files and this machine say."""
    device = machine.training_device()
    there = Figure(device.bytes / GIB, device.name)
    names = ("parameters", "trained", "weights", "gradients", "optimizer", "activations", "memory")
    try:
        whole = model_files.full_path(config.model)
        shape = model_shape.shape_of(Path(whole)) if Path(whole).is_dir() else None
        why = (
            f"{whole} is not a local folder, so its size is unknown"
            if not Path(whole).is_dir()
            else "its config.json does not give its sizes under the usual names"
        )
    except ModelError as error:
        shape, why = None, str(error)
    if shape is None:
        return {**dict.fromkeys(names, Figure(NAN, why)), "memory_there": there}
    cut = min(config.max_length, shape.positions or config.max_length)
    longest = min(cut, tokens.longest) if tokens.longest else cut
    need = memory.needed(shape, config, sixteen_bit=checks.is_sixteen_bit(config, device), longest=longest)
    exact = "from the headers of the model's files"
    batch = f"an estimate for batches of {need.tokens:,} tokens"
    source = f"{exact}; activations are {batch}, CUDA and libraries add to that"
    values = {
        "parameters": Figure(float(shape.parameters), exact),
        "trained": Figure(float(need.trained), "LoRA adapters" if config.lora_rank else exact),
    }
    for name in ("weights", "gradients", "optimizer"):
        values[name] = Figure(getattr(need, name) / GIB, exact)
    values["activations"] = Figure(need.activations / GIB, batch)
    values["memory"] = Figure(need.total / GIB, source)
    return {**values, "memory_there": there}
