"""The method: score, select, train an epoch, score the top again, select again."""

from backend.iterate.resume import Start, passed_over, start_of
from backend.iterate.run import Record, Reporter, run
from backend.selection.held_out import split

__all__ = ["Record", "Reporter", "Start", "passed_over", "run", "split", "start_of"]
