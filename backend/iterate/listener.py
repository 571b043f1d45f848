"""How a run speaks: one callable that takes every record, in order, and may stop the run by raising `Stopped`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.records import EpochRecord, Metrics, Progress

Record = Progress | Metrics | EpochRecord

# Long work elsewhere is a generator of records. Here the Trainer holds the loop and calls back, so a record is
# handed to a function instead; raising `Stopped` in it ends a scoring between two batches, and a training after its
# optimizer step.
Reporter = Callable[[Record], None]

# Asked with what an epoch would train on; returns the settings that somebody changed for that epoch, and may wait for
# them as long as it likes. It is asked again, with the reason, where what it returned is not possible.
Review = Callable[[EpochRecord, str], Mapping[str, Any]]
