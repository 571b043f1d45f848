"""N-gram counts on disk, so that a pool is counted once."""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pyarrow as pa

from backend.config import Words
from backend.diversity.groups import Groups
from backend.diversity.ngrams import NgramCounts
from backend.errors import PoolError

FORMAT = 2
ARRAYS = ("indptr", "indices", "tf", "terms", "solo_sum", "solo_squares", "solo_terms", "solo_tf")


def save_counts(path: Path | str, counts: NgramCounts) -> None:
    """Write counts as .npz under a temporary name, then rename: a reader sees all of it or nothing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = counts.vocabulary.cast(pa.large_string())
    _, offsets, letters = words.buffers() if len(words) else (None, None, None)
    begin = words.offset
    arrays = {name: getattr(counts, name) for name in ARRAYS}
    arrays |= {f"groups_{field.name}": getattr(counts.groups, field.name) for field in fields(Groups)}
    arrays["word_bounds"] = (
        np.frombuffer(offsets, dtype=np.int64)[begin : begin + len(words) + 1]
        if offsets
        else np.zeros(1, np.int64)
    )
    arrays["letters"] = np.frombuffer(letters, dtype=np.uint8) if letters else np.zeros(0, np.uint8)
    arrays["suffix"] = np.frombuffer(counts.suffix.encode(), dtype=np.uint8)
    arrays["words"] = np.frombuffer(counts.words.encode(), dtype=np.uint8)
    arrays["format"] = np.array(FORMAT)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def is_stored(path: Path | str) -> bool:
    """Whether counts are there in this version's format; counts of another version are to be made anew."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return "format" in stored and int(stored["format"]) == FORMAT
    except FileNotFoundError:
        return False
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return True  # broken: `load_counts` says so


def load_counts(path: Path | str) -> NgramCounts:
    """Read what `save_counts` wrote.

    Raises
    ------
    PoolError : the file is not there, is broken, or was written by another version.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            if "format" not in stored or int(stored["format"]) != FORMAT:
                raise PoolError(f"{path}: n-gram counts of another version; delete the file to count again")
            arrays = {name: stored[name] for name in ARRAYS}
            groups = Groups(*(stored[f"groups_{field.name}"] for field in fields(Groups)))
            bounds, letters = stored["word_bounds"], stored["letters"]
            suffix = stored["suffix"].tobytes().decode()
            # files from before there was a choice say nothing of it
            cut = stored["words"].tobytes().decode() if "words" in stored else "paper"
            if cut not in get_args(Words):
                raise ValueError(f"words are {cut!r}")
    except FileNotFoundError:
        raise PoolError(f"{path}: no n-gram counts here") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PoolError(
            f"{path}: not readable as n-gram counts ({error}); delete the file to count again"
        ) from error
    words = pa.Array.from_buffers(
        pa.large_string(), len(bounds) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(letters)]
    )
    return NgramCounts(**arrays, groups=groups, vocabulary=words, suffix=suffix, words=cast(Words, cut))
