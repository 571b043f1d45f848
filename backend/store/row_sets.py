"""Sets of a pool's rows under a short key, so that an address can name what was drawn around on a map."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import numpy as np

from backend.errors import PoolError
from backend.store.files import replacing
from backend.store.paths import pool_folder, root_of
from backend.store.pools import pool_info

KEY = re.compile(r"[0-9a-f]{16}")


def save_rows(home: Path, pool_id: str, rows: np.ndarray) -> str:
    """Keep a set of rows; the same rows, in whatever order, have the same key.

    rows : (m,) int, each from 0 to the pool's size - 1.

    Raises
    ------
    PoolError : there is no such pool, or it has no such row.
    """
    n = pool_info(home, pool_id).rows
    rows = np.asarray(rows, dtype=np.int64)
    outside = rows[(rows < 0) | (rows >= n)]
    if len(outside):
        raise PoolError(f"row {outside[0]} is not in pool {pool_id} (it has rows 0 to {n - 1})")
    held = np.zeros(n, dtype=bool)
    held[rows] = True
    bits = np.packbits(held, bitorder="little").tobytes()
    key = sha256(bits).hexdigest()[:16]
    path = _path(home, pool_id, key)
    if not path.is_file():
        with replacing(path) as temporary:
            temporary.write_bytes(bits)
    return key


def load_rows(home: Path, pool_id: str, key: str) -> np.ndarray:
    """(m,) int64, ascending: the rows that were saved under a key.

    Raises
    ------
    PoolError : nothing was saved under it for this pool.
    """
    n = pool_info(home, pool_id).rows
    try:
        bits = _path(home, pool_id, key).read_bytes()
    except FileNotFoundError:
        raise PoolError(f"no rows of pool {pool_id} were saved under {key}") from None
    if len(bits) != -(-n // 8):
        raise PoolError(f"what was saved under {key} does not fit pool {pool_id} ({n:,} rows)")
    held = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=n, bitorder="little")
    return np.flatnonzero(held).astype(np.int64)


def _path(home: Path, pool_id: str, key: str) -> Path:
    """Where a set of rows lies; a key comes from an address that a visitor typed."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise PoolError(f"{key!r} is not a key of saved rows (expected 16 digits 0-9 a-f)")
    return pool_folder(home, root_of(home, pool_id)) / "rows" / f"{key}.bits"
