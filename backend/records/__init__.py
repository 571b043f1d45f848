"""What flows through the studio: frozen records that every layer may import.

Arrays are indexed by *row*: a sample's position in its pool, which never changes. An order of samples is an
array of rows, a score an array by row.
"""

from __future__ import annotations

from backend.records.clusters_record import Clusters
from backend.records.epoch_record import EpochRecord
from backend.records.pool_record import Conversation, Pool, RejectedRow, RowsRead, Turn
from backend.records.progress_record import JobState, Metrics, Progress, Stage
from backend.records.scores_record import EDITED, NOT_ASKED_FOR, NOT_IMPORTED, Scores, Taken
from backend.records.selection_record import Selection, Status

__all__ = [
    "EDITED",
    "NOT_ASKED_FOR",
    "NOT_IMPORTED",
    "Clusters",
    "Conversation",
    "EpochRecord",
    "JobState",
    "Metrics",
    "Pool",
    "Progress",
    "RejectedRow",
    "RowsRead",
    "Scores",
    "Selection",
    "Stage",
    "Status",
    "Taken",
    "Turn",
]
