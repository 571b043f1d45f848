"""What to know before a launch: samples that overlap with evaluation data, or with the run's own held-out file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend import findings, store
from backend.config import RunConfig
from backend.errors import StudioError
from backend.jobs import run_launch
from backend.preflight.checks import Problem
from backend.records import Pool
from backend.store.shelf import keep_last

MOST_BYTES = (
    50_000_000  # of a held-out file that is read for this; larger ones take longer than a person waits for
)


def overlap_problems(home: Path, config: RunConfig, pool: Pool, *, held_out: bool = True) -> list[Problem]:
    """A warning for each of the evaluation data that the pool was compared with, and for the held-out file, where samples
    overlap that the run does not exclude.

    held_out : also read the run's held-out file (once for as long as it stays as it is) and look for the same texts; not where it
        is a share of the pool, or 'demo', which is not of this pool.
    """
    away = [pool.row_of[sample] for sample in config.excluded if sample in pool.row_of]
    problems = []
    for against, overlaps in store.load_overlaps(home, pool.id):
        rows = np.setdiff1d(overlaps.all_rows, away)
        if len(rows):
            problems.append(Problem("excluded", _told(overlaps.all_rows, rows, against.name), False))
    if held_out and not run_launch.is_share(config.held_out) and config.held_out != "demo":
        try:
            rows = same_as_held_out(pool, config)
        except StudioError:
            return problems  # that it cannot be read is said where it is read for the run
        left = np.setdiff1d(rows, away)
        if len(left):
            problems.append(Problem("held_out", _told_held_out(len(left), Path(config.held_out).name), False))
    return problems


def same_as_held_out(pool: Pool, config: RunConfig) -> np.ndarray:
    """(k,) int64: samples with the prompt or response of a held-out sample; none where the file is missing or very large.

    Raises
    ------
    StudioError : the file cannot be read.
    """
    path = Path(config.held_out)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return np.zeros(0, dtype=np.int64)
    stat = path.stat()
    mapping = tuple(sorted(config.mapping.items()))
    return _same(_ById(pool), str(path), mapping, (stat.st_mtime_ns, stat.st_size))


class _ById:
    """A pool that a cache tells by its id."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def __hash__(self) -> int:
        return hash(self.pool.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.pool.id == self.pool.id


@keep_last(4)
def _same(of: _ById, held_out: str, mapping: Sequence[tuple[str, str]], at: tuple[int, int]) -> np.ndarray:
    """at : the file's time of last change and size."""
    pool = of.pool
    rows = run_launch.load_held_out(RunConfig(held_out=held_out, mapping=dict(mapping)))
    texts = [(findings.prompt_texts(one, system=False), findings.response_texts(one)) for one in (pool, rows)]
    return findings.same_samples(*texts[0], *texts[1])


def _told(all_rows: np.ndarray, left: np.ndarray, name: str) -> str:
    """The warning about evaluation data. (A form takes single words before the first colon for names of its settings.)"""
    words = f"{_many(len(all_rows))} {'overlaps' if len(all_rows) == 1 else 'overlap'} with the evaluation data in {name}"
    if len(left) < len(all_rows):
        words += f", and {len(left):,} of them {'is' if len(left) == 1 else 'are'} not excluded"
    return (
        f"{words}: trained on them, it would look better on these data than it is. To exclude them, open “Overlap with evaluation "
        "data” on Data, or give what `health POOL --list overlap --ids` prints to --exclude @FILE"
    )


def _told_held_out(count: int, name: str) -> str:
    return (
        f"{_many(count)} {'has' if count == 1 else 'have'} the same prompt or response as the held-out data in {name}: the held-out "
        f"loss would look better than it is. To exclude them, compare with {name} on Data, or give what "
        f"`health POOL --against {name} --list overlap --ids` prints to --exclude @FILE"
    )


def _many(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"
