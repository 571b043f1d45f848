"""How a run speaks: one callable that takes every record, in order, and may stop the run by raising `Stopped`."""

from __future__ import annotations

from collections.abc import Callable

from backend.records import EpochRecord, Metrics, Progress

Record = Progress | Metrics | EpochRecord

# Long work elsewhere is a generator of records. Here the Trainer holds the loop and calls back, so a record is
# handed to a function instead; raising `Stopped` in it leaves the Trainer between two forward passes.
Reporter = Callable[[Record], None]
