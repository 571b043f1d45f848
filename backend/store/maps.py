"""Where a pool's samples lie on its map, and the clusters there: laid out once per pool, kept beside the pool."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.data import demo
from backend.records import Pool
from backend.store.files import named, replacing
from backend.store.paths import pool_folder, root_of

if TYPE_CHECKING:
    from backend.records import Clusters


@dataclass(frozen=True)
class PoolMap:
    """Where a pool's samples lie on its map.

    xy : (n, 2) float32, NaN where a response has no vector (none of its words is frequent enough, or it is empty).
    method : how they were laid out, in words.
    seconds : how long each step took.
    final : False for a first picture that is still to be replaced.
    """

    xy: np.ndarray
    method: str
    seconds: dict[str, float]
    final: bool = True

    @cached_property
    def placed(self) -> np.ndarray:
        """(n,) bool: has a place on the map."""
        return np.isfinite(self.xy).all(axis=1)


def save_map(home: Path, pool_id: str, pool_map: PoolMap) -> None:
    """Store a pool's map in place of the one it has; clusters of that one say nothing about this, and go."""
    folder = _folder(home, pool_id)
    clusters_path(home, pool_id).unlink(missing_ok=True)
    write_map(folder / "map.parquet", pool_map)


def load_map(home: Path, pool_id: str) -> PoolMap | None:
    """A pool's map, or None where nothing of it has been laid out yet."""
    path = _folder(home, pool_id) / "map.parquet"
    return read_map(path) if path.is_file() else None


def write_map(path: Path, pool_map: PoolMap, **columns: np.ndarray) -> None:
    """Write a map as Parquet: row, x, y, and what else is given by row."""
    xy = np.asarray(pool_map.xy, dtype=np.float32)
    table = pa.table({"row": np.arange(len(xy), dtype=np.int64), **columns, "x": xy[:, 0], "y": xy[:, 1]})
    table = table.replace_schema_metadata(
        {
            "method": pool_map.method,
            "seconds": json.dumps(pool_map.seconds),
            "final": json.dumps(pool_map.final),
        }
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_map(path: Path) -> PoolMap:
    """Read a map that `write_map` wrote.

    Raises
    ------
    PoolError : it is damaged.
    """
    with named(path):
        table = pq.read_table(path)
        meta = table.schema.metadata or {}
        xy = np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]).astype(np.float32)
        seconds = json.loads(meta.get(b"seconds", b"{}"))
        return PoolMap(xy, meta.get(b"method", b"").decode(), seconds, _is_final(meta))


def clusters_path(home: Path, pool_id: str) -> Path:
    """The file of the clusters of a pool's map; it need not exist."""
    return _folder(home, pool_id) / "clusters.parquet"


def save_clusters(home: Path, pool_id: str, clusters: Clusters) -> None:
    """Store the clusters of a pool's map: each row's in a column, what is known of each in the file's metadata."""
    codes = np.asarray(clusters.codes, dtype=np.int16)
    about = {
        "labels": list(clusters.labels),
        "xy": np.asarray(clusters.xy, dtype=np.float64).tolist(),
        "terms": [[[term, float(weight)] for term, weight in terms] for terms in clusters.terms],
        "method": clusters.method,
    }
    table = pa.table({"row": np.arange(len(codes), dtype=np.int64), "cluster": codes})
    table = table.replace_schema_metadata({"clusters": json.dumps(about, ensure_ascii=False)})
    with replacing(_folder(home, pool_id) / "clusters.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd")


def load_clusters(home: Path, pool_id: str) -> Clusters | None:
    """The clusters of a pool's map, or None where they have not been found yet."""
    # compiled code: loaded where it is needed, not with every command
    from backend.records import Clusters

    path = _folder(home, pool_id) / "clusters.parquet"
    if not path.is_file():
        return None
    with named(path):
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"clusters"])
        return Clusters(
            codes=table["cluster"].to_numpy(),
            labels=about["labels"],
            xy=np.array(about["xy"], dtype=np.float32).reshape(-1, 2),
            terms=[[(term, weight) for term, weight in terms] for terms in about["terms"]],
            method=about["method"],
        )


def has_whole_map(home: Path, pool_id: str) -> bool:
    """Whether a pool's map is there, not only its first picture, and its clusters are too."""
    folder = _folder(home, pool_id)
    path = folder / "map.parquet"
    if not path.is_file() or not (folder / "clusters.parquet").is_file():
        return False
    with named(path):
        return _is_final(pq.read_schema(path).metadata or {})


def bring_shipped_map(folder: Path, pool: Pool) -> None:
    """Take over the map that comes with the embedded pool, so that nobody has to wait for it."""
    if (folder / "map.parquet").exists() or not demo.MAP.is_file():
        return
    shipped = pq.read_table(demo.MAP, columns=["id"])["id"]
    if shipped.length() == len(pool) and shipped.combine_chunks().equals(pool.table["id"].combine_chunks()):
        with replacing(folder / "map.parquet") as temporary:
            shutil.copyfile(demo.MAP, temporary)


def _folder(home: Path, pool_id: str) -> Path:
    """Where a pool's map lies. An edited pool has the map of the pool that was read: a picture that stays where it is
    while somebody corrects what is on it."""
    return pool_folder(home, root_of(home, pool_id))


def _is_final(meta: dict[bytes, bytes]) -> bool:
    """Maps were once stored without a word on it: they were final."""
    return bool(json.loads(meta.get(b"final", b"true")))
