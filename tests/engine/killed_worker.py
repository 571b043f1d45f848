"""A worker that is killed at a moment of the test's choice: `killed_worker.py MOMENT HOME RUN ...`.

MOMENT is "stage:epoch:done", the report after which the process is gone, or "publish:STEP:before" or "publish:STEP:after",
the renaming of that step's checkpoint.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from backend.jobs import worker
from backend.jobs.reporting import Reporting
from backend.records import Progress


def gone() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_report(stage: str, epoch: int, done: int) -> None:
    """End with the first report of this stage that is as far."""
    told = Reporting.__call__

    def tell(self: Reporting, record: Any) -> None:
        told(self, record)
        here = isinstance(record, Progress) and (record.stage, record.epoch) == (stage, epoch)
        if here and record.done >= done:
            gone()

    Reporting.__call__ = tell  # type: ignore[method-assign]


def at_checkpoint(step: int, *, before: bool) -> None:
    """End before a checkpoint gets its place, or when it has it and the one before it is still there."""
    replace = os.replace

    def watched(source: Any, target: Any) -> None:
        there = Path(target).name == f"checkpoint-{step}"
        if there and before:
            gone()
        replace(source, target)
        if there:
            gone()

    os.replace = watched  # type: ignore[assignment]


def main() -> None:
    moment, *words = sys.argv[1:]
    kind, *rest = moment.split(":")
    if kind == "publish":
        at_checkpoint(int(rest[0]), before=rest[1] == "before")
    else:
        at_report(kind, int(rest[0]), int(rest[1]))
    sys.exit(worker.main(words))


if __name__ == "__main__":
    main()
