"""Stored pools: the normalised samples under their content's hash, with what is computed once per pool."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.data import demo
from backend.errors import PoolError
from backend.records import Pool, RejectedRow
from backend.store.files import replacing, write_json
from backend.store.layout import POOL_ID, pool_folder

if TYPE_CHECKING:
    from backend.diversity import NgramCounts

POOL_SCHEMA = 1
# Arrow cannot read a group back whose conversations hold more than 2 GiB of text, and its usual million rows may
GROUP_ROWS = 4096


@dataclass(frozen=True)
class PoolInfo:
    """What is known about a stored pool without opening its samples.

    sources : number of samples by source.
    inputs : what it was read from, as it was named then.
    rejected : number of rows that could not be read.
    created : seconds since 1970 (UTC).
    """

    id: str
    name: str
    rows: int
    sources: dict[str, int]
    inputs: tuple[str, ...]
    rejected: int
    created: float
    has_labels: bool
    has_map: bool


def save_pool(home: Path, pool: Pool, *, inputs: Sequence[str] = (), listed: bool = True) -> None:
    """Store a pool under its id; one that is there already, by the same name and files, is left as it is.

    inputs : what a person named to get this pool (files, folders, a hub id, "demo").
    listed : False for samples that are only measured on; they do not show up among the pools.
    """
    folder = pool_folder(home, pool.id)
    labels = pool.labels
    meta: dict[str, Any] = {
        "schema": POOL_SCHEMA,
        "id": pool.id,
        "name": pool.name,
        "rows": len(pool),
        "sources": _counts(pool),
        "files": pc.unique(pool.table["file"].cast(pa.string())).to_pylist(),
        "inputs": list(inputs),
        "has_labels": labels is not None,
        "listed": listed,
        "rejected": [asdict(row) for row in pool.rejected],
    }
    old = _read_meta(folder)
    if old is not None:
        meta["listed"] = listed or old["listed"]
        meta["inputs"] = meta["inputs"] or old["inputs"]
        if all(old[key] == value for key, value in meta.items()):
            return
    meta["created"] = old["created"] if old else time.time()
    with replacing(folder / "samples.parquet") as temporary:
        pq.write_table(pool.table, temporary, compression="zstd", row_group_size=GROUP_ROWS)
    _bring_shipped_map(folder, pool)
    write_json(folder / "meta.json", meta)  # last: a pool is there when its meta.json is


def load_pool_from_store(home: Path, pool_id: str) -> Pool:
    """A stored pool.

    Raises
    ------
    PoolError : the id is not one, there is no such pool, or its files cannot be read.
    """
    folder = pool_folder(home, pool_id)
    meta = _read_meta(folder)
    if meta is None:
        raise PoolError(f"there is no pool {pool_id} in {home}")
    try:
        table = pq.read_table(folder / "samples.parquet", memory_map=True)
    except (OSError, pa.ArrowException) as error:
        raise PoolError(f"{folder / 'samples.parquet'} cannot be read ({error})") from error
    return Pool(pool_id, meta["name"], table, tuple(RejectedRow(**row) for row in meta["rejected"]))


def sample_ids(home: Path, pool_id: str) -> np.ndarray:
    """(n,) object: the sample ids of a stored pool, without reading the samples."""
    path = pool_folder(home, pool_id) / "samples.parquet"
    try:
        return pq.read_table(path, columns=["id"])["id"].to_numpy(zero_copy_only=False)
    except (OSError, pa.ArrowException) as error:
        raise PoolError(f"{path} cannot be read ({error})") from error


def list_pools(home: Path) -> list[PoolInfo]:
    """The stored pools, newest first."""
    folder = Path(home) / "pools"
    if not folder.is_dir():
        return []
    metas = [(path, _read_meta(path)) for path in folder.iterdir() if POOL_ID.fullmatch(path.name)]
    infos = [_info(path, meta) for path, meta in metas if meta is not None and meta["listed"]]
    return sorted(infos, key=lambda info: (-info.created, info.id))


def pool_info(home: Path, pool_id: str) -> PoolInfo:
    """What is known about one stored pool."""
    folder = pool_folder(home, pool_id)
    meta = _read_meta(folder)
    if meta is None:
        raise PoolError(f"there is no pool {pool_id} in {home}")
    return _info(folder, meta)


@dataclass(frozen=True)
class PoolMap:
    """Where a pool's samples lie on its map.

    xy : (n, 2) float32, NaN where a response has no vector (none of its words is frequent enough, or it is empty).
    method : how they were laid out, in words.
    seconds : how long each step took.
    """

    xy: np.ndarray
    method: str
    seconds: dict[str, float]

    @cached_property
    def placed(self) -> np.ndarray:
        """(n,) bool: has a place on the map."""
        return np.isfinite(self.xy).all(axis=1)


def save_map(home: Path, pool_id: str, pool_map: PoolMap) -> None:
    """Store a pool's map."""
    write_map(pool_folder(home, pool_id) / "map.parquet", pool_map)


def _bring_shipped_map(folder: Path, pool: Pool) -> None:
    """Take over the map that comes with the embedded pool, so that nobody has to wait for it."""
    if (folder / "map.parquet").exists() or not demo.MAP.is_file():
        return
    shipped = pq.read_table(demo.MAP, columns=["id"])["id"]
    if shipped.length() == len(pool) and shipped.combine_chunks().equals(pool.table["id"].combine_chunks()):
        with replacing(folder / "map.parquet") as temporary:
            shutil.copyfile(demo.MAP, temporary)


def load_map(home: Path, pool_id: str) -> PoolMap | None:
    """A pool's map, or None where it has not been laid out yet."""
    path = pool_folder(home, pool_id) / "map.parquet"
    return read_map(path) if path.is_file() else None


def write_map(path: Path, pool_map: PoolMap, **columns: np.ndarray) -> None:
    """Write a map as Parquet: row, x, y, and what else is given by row."""
    xy = np.asarray(pool_map.xy, dtype=np.float32)
    table = pa.table({"row": np.arange(len(xy), dtype=np.int64), **columns, "x": xy[:, 0], "y": xy[:, 1]})
    table = table.replace_schema_metadata(
        {"method": pool_map.method, "seconds": json.dumps(pool_map.seconds)}
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_map(path: Path) -> PoolMap:
    """Read a map that `write_map` wrote."""
    table = pq.read_table(path)
    meta = table.schema.metadata or {}
    xy = np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]).astype(np.float32)
    return PoolMap(xy, meta.get(b"method", b"").decode(), json.loads(meta.get(b"seconds", b"{}")))


def ngrams_path(home: Path, pool_id: str, *, suffix: str = "") -> Path:
    """The file of a pool's n-gram counts; text added to every response makes other counts, hence another file."""
    mark = f"-{sha256(suffix.encode()).hexdigest()[:8]}" if suffix else ""
    return pool_folder(home, pool_id) / f"ngrams{mark}.npz"


def ngram_counts(home: Path, pool: Pool, *, suffix: str = "") -> NgramCounts:
    """A pool's n-gram counts: read where they are stored, else counted and stored."""
    from backend import diversity  # compiled code: loaded where it is needed, not with every command

    path = ngrams_path(home, pool.id, suffix=suffix)
    if not diversity.is_stored(path):
        with replacing(path) as temporary:
            diversity.save_counts(temporary, diversity.count_ngrams(pool.responses(), suffix=suffix))
    return diversity.load_counts(path)


def _read_meta(folder: Path) -> dict[str, Any] | None:
    """A pool's meta.json, or None where the pool is not (wholly) there."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise PoolError(f"{folder / 'meta.json'} cannot be read ({error})") from error
    if meta["schema"] > POOL_SCHEMA:
        raise PoolError(f"{folder} was written by a newer version of the studio (schema {meta['schema']})")
    return meta


def _info(folder: Path, meta: dict[str, Any]) -> PoolInfo:
    return PoolInfo(
        id=meta["id"],
        name=meta["name"],
        rows=meta["rows"],
        sources=meta["sources"],
        inputs=tuple(meta["inputs"]),
        rejected=len(meta["rejected"]),
        created=meta["created"],
        has_labels=meta["has_labels"],
        has_map=(folder / "map.parquet").is_file(),
    )


def _counts(pool: Pool) -> dict[str, int]:
    """Number of samples by source."""
    return {name: int((pool.source_codes == code).sum()) for code, name in enumerate(pool.sources)}
