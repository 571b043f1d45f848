"""Losses that a run is given when it is made, because they are known of the same samples under the same model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import RunError
from backend.records import Scores
from backend.store.files import replacing
from backend.store.paths import existing_run_folder

FILE = "given_losses.parquet"
_DEPENDS_ON = b"depends_on"


@dataclass(frozen=True)
class GivenLosses:
    """What a run was given.

    losses : (2, n) float64, nats per token with and without the prompt, NaN where a sample's are not known.
    at : when they were given, in seconds since 1970 (UTC).
    depends_on : what they were made with, as `complexity.scores_depend_on` says it; None where it is known to be the same.
    """

    losses: np.ndarray
    at: float
    depends_on: Mapping[str, Any] | None


def give_losses(
    home: Path, run_id: str, scores: Scores, *, depends_on: Mapping[str, Any] | None = None
) -> None:
    """Keep the losses of a run's samples in its folder: those of `scores` that are known.

    depends_on : what they were made with; the run fails where it would make them with anything else.
    """
    write_losses(_path(home, run_id).parent, scores, depends_on=depends_on)


def write_losses(folder: Path, scores: Scores, *, depends_on: Mapping[str, Any] | None = None) -> None:
    """As `give_losses`, into a run's folder that is still being made."""
    table = pa.table({"loss_cond": scores.loss_cond, "loss_prior": scores.loss_prior})
    if depends_on is not None:
        table = table.replace_schema_metadata({_DEPENDS_ON: json.dumps(dict(depends_on))})
    with replacing(folder / FILE) as temporary:
        pq.write_table(table, temporary)


def given_losses(home: Path, run_id: str) -> GivenLosses | None:
    """The losses that a run was given; None where it was given none.

    Raises
    ------
    RunError : the file cannot be read.
    """
    path = _path(home, run_id)
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        columns = [table[name].to_numpy().astype(np.float64) for name in ("loss_cond", "loss_prior")]
        said = (table.schema.metadata or {}).get(_DEPENDS_ON)
        return GivenLosses(
            np.stack(columns), path.stat().st_mtime, None if said is None else json.loads(said)
        )
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise RunError(f"{path} cannot be read ({error}); delete it to have every sample scored") from error


def _path(home: Path, run_id: str) -> Path:
    return existing_run_folder(home, run_id) / FILE
