"""What `tune --dry-run` prints: what would go wrong, and what the run would cost."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.cli import console
from backend.config import RunConfig
from backend.errors import ConfigError

if TYPE_CHECKING:
    from backend.analysis import Figure, PlanEstimate
    from backend.records import Pool

_TIMES = (
    ("training", "training_seconds"),
    ("scoring", "scoring_seconds"),
    ("held-out loss", "evaluating_seconds"),
)
_TOKENS = (
    ("trained on", "training_tokens"),
    ("read to score", "scoring_tokens"),
    ("held out", "evaluating_tokens"),
)
_MEMORY = ("weights", "gradients", "optimizer", "activations")


def dry_run(home: Path, config: RunConfig, pool: Pool, *, as_json: bool) -> None:
    """Print problems and the estimate of a run that is not started.

    Raises
    ------
    ConfigError : the run is certain to fail; said after everything was printed.
    """
    from backend import analysis
    from backend.analysis.plan_tokens import unscorable
    from backend.jobs.overlap_checks import overlap_problems

    problems = analysis.preflight(config, len(pool), home=home)
    unread = unscorable(home, config, pool.id)
    problems += [unread] if unread is not None else []
    problems += overlap_problems(home, config, pool)
    estimate = analysis.plan_estimate(home, config, pool.id, len(pool))
    if as_json:
        console.print_json(
            {
                "problems": [dataclasses.asdict(problem) for problem in problems],
                "estimate": dataclasses.asdict(estimate),
            }
        )
    else:
        for problem in problems:
            print(f"{'error' if problem.fatal else 'note'}: {problem.text}")
        for line in lines_of(estimate):
            print(line)
    fatal = [problem.field for problem in problems if problem.fatal]
    if fatal:
        raise ConfigError(f"this run would fail; change {', '.join(dict.fromkeys(fatal))}")


def lines_of(estimate: PlanEstimate) -> list[str]:
    """The estimate as text, one thing a line."""
    found = [
        f"selects {estimate.budget:,} of {estimate.candidates:,} samples for each of {estimate.epochs:,} epochs",
        f"{estimate.steps:,} optimizer steps, {estimate.steps_per_epoch:,} a whole epoch",
        f"{estimate.scored_first:,} samples scored at first, {estimate.scored_later:,} before each later epoch",
        f"held-out loss: {_said(estimate.held_out, '{:,.0f} samples')}, measured {estimate.evaluations:,} times",
    ]
    found += [f"tokens {name}: {_said(getattr(estimate, field), '{:,.0f}')}" for name, field in _TOKENS]
    found += [f"time for {name}: {_time(getattr(estimate, field))}" for name, field in _TIMES]
    found.append(f"time in all: {_time(estimate.seconds)}")
    found.append(
        f"parameters: {_said(estimate.parameters, '{:,.0f}')}; trained: {_said(estimate.trained, '{:,.0f}')}"
    )
    if estimate.memory.known:
        parts = ", ".join(f"{name} {getattr(estimate, name).value:.2f}" for name in _MEMORY)
        found.append(f"memory: {estimate.memory.value:.2f} GiB ({parts}); {estimate.memory.source}")
    else:
        found.append(f"memory: {_said(estimate.memory, '')}")
    found.append(f"memory measured before: {_said(estimate.memory_measured, '{:.2f} GiB')}")
    found.append(f"memory there: {_said(estimate.memory_there, '{:.1f} GiB')}")
    return found


def _said(figure: Figure, shape: str) -> str:
    value: Any = shape.format(figure.value) if figure.known else "unknown"
    return f"{value} ({figure.source})"


def _time(figure: Figure) -> str:
    return f"{console.duration(figure.value)} ({figure.source})" if figure.known else _said(figure, "")
