"""Stored pools: the normalised samples under their content's hash, with what is computed once per pool."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.config import Words
from backend.data.own_columns import content_hash, fields_of, struct_of
from backend.data.response_edits import with_edits
from backend.errors import PoolError
from backend.records import Pool, RejectedRow, RowsRead
from backend.store.database import is_read_only
from backend.store.files import replacing, write_json
from backend.store.maps import bring_shipped_map
from backend.store.paths import POOL_ID, pool_folder, root_of
from backend.store.shelf import keep_last

if TYPE_CHECKING:
    from backend.diversity import NgramCounts

_LOG = logging.getLogger(__name__)
POOL_SCHEMA = 1
# Arrow cannot read a group back whose conversations hold more than 2 GiB of text, and its usual million rows may
GROUP_ROWS = 4096


class NewerVersion(PoolError):
    """A stored pool is of a newer version of the studio: it is no damage, and nothing may be written over it."""


@dataclass(frozen=True)
class PoolInfo:
    """What is known about a stored pool without opening its samples.

    sources : number of samples by source.
    inputs : what it was read from, as it was named then.
    rejected : number of rows that could not be read.
    about : what was done to the rows that it was read from; None where that is not known (an older pool).
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
    about: RowsRead | None = None


def save_pool(home: Path, pool: Pool, *, inputs: Sequence[str] = (), listed: bool = True) -> None:
    """Store a pool under its id; one that is there already, by the same name and files, is left as it is, and one that is
    damaged is written anew.

    inputs : what a person named to get this pool (files, folders, a hub id, "demo").
    listed : False for samples that are only measured on; they do not show up among the pools.
    An edited pool keeps its edits only: the pool that was read has to be stored before.
    """
    folder = pool_folder(home, pool.id)
    if pool.base:
        return _save_edited(home, pool)
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
        "about": pool.about and {**asdict(pool.about), "reasons": [list(one) for one in pool.about.reasons], "notes": list(pool.about.notes)},
    }  # fmt: skip
    old = _usable_meta(folder)
    table = pool.table
    if old is not None and old.get("own"):
        table = _with_own_of_before(folder, table, old["own"])
    own = own_kinds(table)
    if own:
        meta["own"] = own
        meta["own_hash"] = content_hash(table["own"])
    if old is not None:
        meta["listed"] = listed or old["listed"]
        meta["inputs"] = meta["inputs"] or old["inputs"]
        meta["about"] = meta["about"] or old.get("about")
        if all(old.get(key) == value for key, value in meta.items()):
            return
    meta["created"] = old["created"] if old else time.time()
    with replacing(folder / "samples.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd", row_group_size=GROUP_ROWS)
    bring_shipped_map(folder, pool)
    write_json(folder / "meta.json", meta)  # last: a pool is there when its meta.json is


def _usable_meta(folder: Path) -> dict[str, Any] | None:
    """What is known of the pool that is stored in a folder; None where it is not there, or damaged."""
    try:
        meta = checked_meta(folder)
        if (
            meta is not None
            and "base" not in meta
            and pq.read_metadata(folder / "samples.parquet").num_rows != meta["rows"]
        ):
            raise PoolError(f"{folder / 'samples.parquet'} holds another number of rows than was written")
    except NewerVersion:
        raise
    except (PoolError, OSError, pa.ArrowException) as error:
        _LOG.warning("stored anew: %s", error)
        for path in (folder / "meta.json", folder / "samples.parquet"):
            if path.is_dir():  # no file takes the place of a folder
                shutil.rmtree(path)
        return None
    return meta


def _with_own_of_before(folder: Path, table: pa.Table, before: dict[str, str]) -> pa.Table:
    """The samples with columns of the stored pool that these files do not have; a column of both is taken from the files."""
    fields = fields_of(table["own"]) if "own" in table.column_names else {}
    missing = [name for name in before if name not in fields]
    if not missing:
        return table
    stored = fields_of(pq.read_table(folder / "samples.parquet", columns=["own"])["own"])
    fields |= {name: stored[name] for name in missing if name in stored}
    bare = table.drop_columns(["own"]) if "own" in table.column_names else table
    return bare.append_column("own", struct_of(fields))


def own_kinds(table: pa.Table) -> dict[str, str]:
    """The columns beside the samples and their Arrow types."""
    if "own" not in table.column_names:
        return {}
    kind = table.schema.field("own").type
    return {kind.field(at).name: str(kind.field(at).type) for at in range(kind.num_fields)}


def column_hash(home: Path, pool_id: str, name: str) -> str:
    """16 hex digits of the values in one of a stored pool's own columns; "" where it has no such column.

    Raises
    ------
    PoolError : there is no such pool.
    """
    pool = load_pool_from_store(home, pool_id)
    return content_hash(fields_of(pool.table["own"])[name]) if name in pool.own_columns else ""


def samples_written(home: Path, pool_id: str) -> int:
    """When a pool's samples were stored, in nanoseconds; 0 where there are none. They may get columns later."""
    try:
        return (pool_folder(home, pool_id) / "samples.parquet").stat().st_mtime_ns
    except OSError:
        return 0


def load_pool_from_store(home: Path, pool_id: str) -> Pool:
    """A stored pool.

    Raises
    ------
    PoolError : the id is not one, there is no such pool, or its files cannot be read.
    """
    folder = pool_folder(home, pool_id)
    meta = checked_meta(folder)
    if meta is None:
        raise PoolError(f"pool {pool_id} not found in {home}")
    if "base" in meta:
        return with_edits(load_pool_from_store(home, meta["base"]), _read_edits(folder))
    try:
        table = pq.read_table(folder / "samples.parquet", memory_map=True)
        missing = {"id", "turns", "response", "source", "file", "row"} - set(table.column_names)
        if missing or len(table) != meta["rows"]:
            raise ValueError(
                f"{len(table):,} of {meta['rows']:,} rows, without {', '.join(missing) or 'nothing'}"
            )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PoolError(
            f"{folder / 'samples.parquet'} cannot be read ({error}); load the pool's files again"
        ) from error
    rejected = tuple(RejectedRow(**row) for row in meta["rejected"])
    return Pool(pool_id, meta["name"], table, rejected, _about(meta))


def sample_ids(home: Path, pool_id: str) -> np.ndarray:
    """(n,) object: the sample ids of a stored pool, without reading the samples."""
    return _id_column(samples_path(home, pool_id)).to_numpy(zero_copy_only=False)


def samples_path(home: Path, pool_id: str) -> Path:
    """The file of a pool's samples; of an edited pool that of the pool that was read, whose ids and rows are the same."""
    return pool_folder(home, root_of(home, pool_id)) / "samples.parquet"


def stored_edits(home: Path, pool_id: str) -> dict[str, str]:
    """The edited responses of a stored pool by sample id; none of a pool as it was read."""
    folder = pool_folder(home, pool_id)
    return _read_edits(folder) if (folder / "edits.json").is_file() else {}


def is_stored(home: Path, pool_id: str) -> bool:
    """Whether this is the id of a stored pool that people see, or of one with edits of theirs."""
    if not POOL_ID.fullmatch(pool_id):
        return False
    meta = checked_meta(pool_folder(home, pool_id))
    return meta is not None and (meta["listed"] or "base" in meta)


def unknown_samples(home: Path, pool_id: str, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted sample ids that a stored pool does not hold, in order. Made to be asked often."""
    path = samples_path(home, pool_id)
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise PoolError(f"pool {pool_id} not found in {home}") from error
    ids = _kept_id_column(path, changed)
    distinct = list(dict.fromkeys(wanted))
    if pc.sum(pc.is_in(ids, value_set=pa.array(distinct, ids.type))).as_py() == len(distinct):
        return []  # a pool holds an id once
    held = set(ids.to_pylist())
    return [sample for sample in distinct if sample not in held]


@keep_last(4)
def _kept_id_column(path: Path, changed: int) -> pa.ChunkedArray:
    """A pool's ids, read once for every time that its file changed."""
    return _id_column(path)


def _id_column(path: Path) -> pa.ChunkedArray:
    try:
        return pq.read_table(path, columns=["id"])["id"]
    except (OSError, LookupError, ValueError, pa.ArrowException) as error:
        raise PoolError(f"{path} cannot be read ({error}); load the pool's files again") from error


def list_pools(home: Path) -> list[PoolInfo]:
    """The stored pools that can be read, newest first."""
    infos = []
    for path in _folders(home):
        with contextlib.suppress(PoolError):  # `damaged_files` names it
            meta = checked_meta(path)
            if meta is not None and meta["listed"]:
                infos.append(_info(path, meta))
    return sorted(infos, key=lambda info: (-info.created, info.id))


def _folders(home: Path) -> list[Path]:
    folder = Path(home) / "pools"
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if POOL_ID.fullmatch(path.name)]


def pool_info(home: Path, pool_id: str) -> PoolInfo:
    """What is known about one stored pool."""
    folder = pool_folder(home, pool_id)
    meta = checked_meta(folder)
    if meta is None:
        raise PoolError(f"pool {pool_id} not found in {home}")
    return _info(folder, meta)


def ngrams_path(home: Path, pool_id: str, *, suffix: str = "", words: Words = "paper") -> Path:
    """The file of a pool's n-gram counts; text added to every response, or another cutting into words, makes other
    counts, hence another file."""
    mark = f"-{sha256(suffix.encode()).hexdigest()[:8]}" if suffix else ""
    mark += "" if words == "paper" else f"-{words}"
    return pool_folder(home, pool_id) / f"ngrams{mark}.npz"


def ngram_counts(home: Path, pool: Pool, *, suffix: str = "", words: Words = "paper") -> NgramCounts:
    """A pool's n-gram counts: read where they are stored, else counted and stored."""
    from backend import diversity  # compiled code: loaded where it is needed, not with every command

    path = ngrams_path(home, pool.id, suffix=suffix, words=words)
    if not diversity.is_stored(path):
        if is_read_only(home):
            return diversity.count_ngrams(pool.responses(), suffix=suffix, words=words)
        with replacing(path) as temporary:
            counts = diversity.count_ngrams(pool.responses(), suffix=suffix, words=words)
            diversity.save_counts(temporary, counts)
    return diversity.load_counts(path)


def _save_edited(home: Path, pool: Pool) -> None:
    """Store an edited pool: its edits, and what is known of the pool that was read."""
    folder = pool_folder(home, pool.id)
    meta = checked_meta(pool_folder(home, pool.base))
    if meta is None:
        raise PoolError(f"pool {pool.base} not found in {home}; store it before its edits")
    if checked_meta(folder) is not None:
        return
    save_edits(home, pool)
    own = {"id": pool.id, "base": pool.base, "listed": False, "created": time.time()}
    write_json(folder / "meta.json", {**meta, **own})


def save_edits(home: Path, pool: Pool) -> None:
    """Store the edits of an edited pool, which is not there before `save_pool` has stored the rest: for what comes first."""
    write_json(pool_folder(home, pool.id) / "edits.json", {"base": pool.base, "edits": dict(pool.edits)})


def _read_edits(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / "edits.json").read_text(encoding="utf-8"))["edits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{folder / 'edits.json'} cannot be read ({error})") from error


def checked_meta(folder: Path) -> dict[str, Any] | None:
    """A pool's meta.json, or None where the pool is not (wholly) there."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PoolError(f"{folder / 'meta.json'} cannot be read ({error})") from error
    if not isinstance(meta, dict):
        raise PoolError(f"{folder / 'meta.json'} is damaged: it is no JSON object")
    if isinstance(meta.get("schema"), int) and meta["schema"] > POOL_SCHEMA:
        raise NewerVersion(f"{folder} was written by a newer version of the studio (schema {meta['schema']})")
    try:
        _info(folder, meta)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PoolError(
            f"{folder / 'meta.json'} is damaged: it has no usable {error}; load the pool's files again"
        ) from error
    return meta


def _info(folder: Path, meta: dict[str, Any]) -> PoolInfo:
    about = _about(meta)
    counted = sum(count for _, count in about.reasons) if about is not None else 0
    return PoolInfo(
        id=meta["id"],
        name=meta["name"],
        rows=meta["rows"],
        sources=meta["sources"],
        inputs=tuple(meta["inputs"]),
        rejected=max(counted, len(meta["rejected"])),  # of very many, the first are listed
        about=about,
        created=meta["created"],
        has_labels=meta["has_labels"],
        has_map=(folder / "map.parquet").is_file(),
    )


def _about(meta: dict[str, Any]) -> RowsRead | None:
    """What was done to a pool's rows, as it was written down."""
    kept = meta.get("about")
    if not kept:
        return None
    reasons = tuple((str(reason), int(count)) for reason, count in kept["reasons"])
    return RowsRead(**{**kept, "reasons": reasons, "notes": tuple(kept["notes"])})


def _counts(pool: Pool) -> dict[str, int]:
    """Number of samples by source."""
    return {name: int((pool.source_codes == code).sum()) for code, name in enumerate(pool.sources)}
