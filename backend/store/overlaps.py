"""What a pool has in common with evaluation data, kept beside it: one file for each that it was compared with."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.config import Words
from backend.errors import PoolError
from backend.findings.contamination import Overlaps
from backend.store.files import replacing
from backend.store.paths import POOL_ID, pool_folder
from backend.store.shelf import keep_last
from backend.store.word_splitting import pool_words

# grows when overlaps are found in another way, so that stored ones are found anew
VERSION = 1
FILES = "overlaps-*.parquet"


@dataclass(frozen=True)
class Against:
    """Evaluation data that a pool was compared with.

    id : hash of its samples, so that the same data under another name are the same. name : of the file.
    given : as it was named. rows : samples in it. prompts_only : the column of prompts where it has no responses, else "".
    """

    id: str
    name: str
    given: str
    rows: int
    prompts_only: str = ""


def save_overlaps(
    home: Path, pool_id: str, against: Against, overlaps: Overlaps, *, words: Words = "paper"
) -> None:
    """Store what a pool has in common with some evaluation data, in place of what was known of these."""
    table = pa.table(
        {
            "row": overlaps.rows,
            "kind": pa.array(overlaps.kinds, pa.string()).dictionary_encode(),
            "part": pa.array(overlaps.parts, pa.string()).dictionary_encode(),
            "other": overlaps.others,
            "similarity": overlaps.similarity,
            "words": overlaps.words,
            "beside": pa.array(overlaps.beside, pa.string()),
        }
    )
    about = {
        "version": VERSION,
        "words": words,
        "common": overlaps.common.tolist(),
        "against": dataclasses.asdict(against),
    }
    with replacing(_path(home, pool_id, against.id)) as temporary:
        pq.write_table(
            table.replace_schema_metadata({"about": json.dumps(about)}), temporary, compression="zstd"
        )


def load_overlaps(home: Path, pool_id: str) -> list[tuple[Against, Overlaps]]:
    """All that a pool was compared with, by today's rules and its present cutting into words; by name."""
    words = pool_words(home, pool_id)
    found = [_read(path, path.stat().st_mtime_ns) for path in sorted(pool_folder(home, pool_id).glob(FILES))]
    known = [
        (against, overlaps) for against, overlaps, version, cut in found if (version, cut) == (VERSION, words)
    ]
    return sorted(known, key=lambda one: (one[0].name, one[0].id))


def forget_overlaps(home: Path, pool_id: str, against_id: str) -> None:
    """Forget that a pool was compared with some evaluation data; nothing where it was not."""
    _path(home, pool_id, against_id).unlink(missing_ok=True)


@keep_last(8)
def _read(path: Path, at: int) -> tuple[Against, Overlaps, int, str]:
    """What a file holds; at : its time of last change, in nanoseconds."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise PoolError(f"{path} cannot be read ({error}); delete it to make it again") from error
    about = json.loads((table.schema.metadata or {}).get(b"about", b"{}"))
    texts = {
        name: table[name].cast(pa.string()).to_numpy(zero_copy_only=False)
        for name in ("kind", "part", "beside")
    }
    overlaps = Overlaps(
        table["row"].to_numpy(),
        texts["kind"],
        texts["part"],
        table["other"].to_numpy(),
        table["similarity"].to_numpy(),
        table["words"].to_numpy(),
        texts["beside"],
        np.array(about["common"], dtype=np.int64),
    )
    return Against(**about["against"]), overlaps, about["version"], about["words"]


def _path(home: Path, pool_id: str, against_id: str) -> Path:
    if not POOL_ID.fullmatch(against_id):
        raise PoolError(f"{against_id!r} is not the id of evaluation data (expected 16 digits 0-9 a-f)")
    return pool_folder(home, pool_id) / f"overlaps-{against_id}.parquet"
