"""Losses of models as they are before any training, kept so that no sequence is read twice.

    home/scores/files.json                      hashes of models' files, see `file_hashes`
    home/scores/<what they depend on>/          meta.json: the same for a person
    home/scores/<...>/<nanoseconds>-<pid>-<six digits>.parquet      what one scoring has read: key, loss

A scoring writes to a file of its own, all of it anew each time, so many may write and read at once; of two losses of
one sequence the later file's holds. The folder, or any part of it, may be deleted at any time: what is missing is read
again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.store.files import replacing, write_json

KEY_BYTES = 16
FLUSH_SECONDS = 20.0  # what a process that is killed loses at most, and a batch

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundLosses:
    """What is known of some sequences.

    losses : (m,) float64, nats per response token, 0 where not known. there : (m,) bool, whether it is known.
    at : (m,) float64, seconds since 1970 (UTC), when the scoring that read it began; NaN where not known.
    """

    losses: np.ndarray
    there: np.ndarray
    at: np.ndarray


def kept_folder(home: Path, depends_on: Mapping[str, Any]) -> Path:
    """The folder of the losses that depend on all this, and on the sequence alone besides; it says so in a meta.json."""
    text = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    folder = Path(home) / "scores" / hashlib.sha256(text.encode()).hexdigest()[:32]
    if not (folder / "meta.json").is_file():
        write_json(folder / "meta.json", dict(depends_on))
    return folder


def known_files(home: Path) -> Path:
    """Where the hashes of models' files are remembered."""
    return Path(home) / "scores" / "files.json"


def find_losses(folder: Path, keys: np.ndarray, *, since: float = 0.0) -> FoundLosses:
    """The kept losses of these sequences.

    keys : (m,) S16. since : seconds since 1970 (UTC); losses whose scoring began earlier are ignored.
    """
    wanted, inverse = np.unique(keys, return_inverse=True)
    losses, at = np.zeros(len(wanted)), np.full(len(wanted), np.nan)
    for path in _files(folder):
        begun = _begun(path) / 1e9
        if begun < since or not len(wanted):
            continue
        table = _read(path)
        if table is None:
            continue
        held, values = table
        places = np.minimum(np.searchsorted(wanted, held), len(wanted) - 1)
        same = wanted[places] == held
        losses[places[same]] = values[same]
        at[places[same]] = begun
    return FoundLosses(losses[inverse], np.isfinite(at[inverse]), at[inverse])


class LossWriter:
    """Keeps what one process reads, as it goes. Used as a context: at its end, however it comes, all is written."""

    def __init__(self, folder: Path) -> None:
        now = time.time_ns()
        self.path = Path(folder) / f"{now}-{os.getpid()}-{secrets.token_hex(3)}.parquet"
        self._keys: list[np.ndarray] = []
        self._losses: list[np.ndarray] = []
        self._unwritten = False
        self._written = time.monotonic()

    def __enter__(self) -> LossWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(self, keys: np.ndarray, losses: np.ndarray) -> None:
        """Keep the losses (k,) float64 of the sequences with these keys (k,) S16."""
        self._keys.append(keys)
        self._losses.append(losses)
        self._unwritten = True
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write down what was added."""
        if not self._unwritten:
            return
        self._keys = [np.concatenate(self._keys)]
        self._losses = [np.concatenate(self._losses)]
        table = pa.table({"key": _to_arrow(self._keys[0]), "loss": self._losses[0]})
        with replacing(self.path) as temporary:
            pq.write_table(table, temporary, compression="zstd", use_dictionary=False)
        self._unwritten, self._written = False, time.monotonic()

    def replace_older(self) -> None:
        """Write, and delete the earlier files of which every loss has been read again since."""
        self.flush()
        if not self._keys:
            return
        own = np.unique(self._keys[0])
        for path in _files(self.path.parent):
            held = _read(path) if _begun(path) < _begun(self.path) else None
            if held is not None and np.isin(held[0], own).all():
                path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """The files of losses in a folder, the oldest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.glob("[0-9]*.parquet")), key=_begun)


def _begun(path: Path) -> int:
    """When the scoring that wrote a file began, in nanoseconds since 1970."""
    return int(path.name.partition("-")[0])


def _read(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """(k,) S16 keys and (k,) float64 losses; None where the file is gone or damaged."""
    try:
        table = pq.read_table(path)
        keys = np.frombuffer(b"".join(table["key"].to_pylist()), dtype=f"S{KEY_BYTES}")
        return keys, table["loss"].to_numpy()
    except FileNotFoundError:  # replaced by a later scoring
        return None
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        logger.warning("%s cannot be read (%s): its losses are computed again", path, error)
        return None


def _to_arrow(keys: np.ndarray) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(keys).tobytes())
    return pa.Array.from_buffers(pa.binary(KEY_BYTES), len(keys), [None, data])
