"""The method: score, select, train an epoch, score the top again, select again."""

from backend.iterate.held_out import split
from backend.iterate.run import Record, Reporter, run

__all__ = ["Record", "Reporter", "run", "split"]
