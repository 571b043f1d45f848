"""What a runs folder holds, part by part, as those see it who read it: to be compared with what it held before."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend import diversity, store
from backend.errors import StudioError
from backend.store.database import path_of
from backend.store.evaluations import evaluation_jobs, read_evaluation
from backend.store.imported_scores import imported_sets, load_imported
from backend.store.paths import POOL_ID, RUN_ID

CURATION = ("marks", "notes", "edits", "changes", "changed_samples", "revisions", "saved_settings")
OF_A_RUN = {
    "runs": "id",
    "jobs": "subject",
    "events": "run",
    "stages": "run",
    "reviews": "run",
    "exports": "run",
}
OF_A_PROCESS = ("pid", "process_started")
_ID = re.compile(r"c?\d{8}-\d{6}-[0-9a-f]{6}")
Content = dict[str, str]


def content_of(home: Path, known: set[str]) -> Content:
    """A text for each part of a runs folder. known : ids of runs and comparisons that it had before; a new one is "NEW"."""
    rows = _tables(home)
    found: dict[str, Any] = {
        "curation": {name: rows.get(name, []) for name in CURATION},
        "comparisons": rows.get("comparisons", []),
    }
    pools = home / "pools"
    for folder in sorted(pools.iterdir()) if pools.is_dir() else ():
        if POOL_ID.fullmatch(folder.name):
            found |= _pool(home, folder)
    listed = {row["id"] for row in rows.get("runs", ())}
    for run in sorted(listed | {path.name for path in home.iterdir() if RUN_ID.fullmatch(path.name)}):
        if run in listed:  # what nobody lists is no run
            found |= _run(home, run, rows)
    found |= _kept(home)
    new = sorted({one for one in _ID.findall(json.dumps(found, default=str)) if one not in known})
    return dict(_worded(found, home, new))


def ids_in(home: Path) -> set[str]:
    """The ids of the runs and comparisons that a runs folder lists."""
    rows = _tables(home)
    return {row["id"] for name in ("runs", "comparisons", "jobs") for row in rows.get(name, ())}


def _worded(found: dict[str, Any], home: Path, new: list[str]) -> list[tuple[str, str]]:
    lines = []
    for key, value in found.items():
        text = f"{key}\0{value if isinstance(value, str) else json.dumps(value, default=str)}".replace(
            str(home), "HOME"
        )
        for one in new:
            text = text.replace(one, "NEW")
        name, _, rest = text.partition("\0")
        lines.append((name, rest))
    return lines


def _asked(ask: Callable[[], Any]) -> Any:
    """An answer, or the sentence in its place."""
    try:
        return ask()
    except StudioError as error:
        return f"said: {error}"


def _pool(home: Path, folder: Path) -> dict[str, Any]:
    pool_id = folder.name
    if not (folder / "meta.json").exists():
        return {}
    pool = _asked(lambda: store.load_pool_from_store(home, pool_id))
    if isinstance(pool, str):
        return {f"pool {pool_id}": pool}
    head = {
        "info": store.pool_info(home, pool_id),
        "listed": pool_id in [one.id for one in store.list_pools(home)],
        "table": _hash(pool.table.to_pylist()),
        "edits": dict(pool.edits),
    }
    parts: dict[str, Callable[[], Any]] = {
        "map": lambda: store.load_map(home, pool_id),
        "clusters": lambda: store.load_clusters(home, pool_id),
        "near": lambda: {words: store.load_near(home, pool_id, words=words) for words in ("paper", "unicode")},
        "content": lambda: store.load_content(home, pool_id),
        "findings": lambda: store.has_findings(home, pool_id),
        "lengths": lambda: [store.load_lengths(home, pool_id, **key.__dict__) for key in store.stored_lengths(home, pool_id)],
        "overlaps": lambda: store.load_overlaps(home, pool_id),
        "words": lambda: store.pool_words(home, pool_id),
        "n-grams": lambda: {path.name: _counts(path) for path in folder.glob("ngrams*.npz")},
        "index": lambda: store.has_search(home, pool_id) and store.search(home, pool_id, "tea OR a*"),
        "rows": lambda: {path.name: store.load_rows(home, pool_id, path.stem) for path in folder.glob("rows/[0-9a-f]*.bits")},
        "imported": lambda: [(one, load_imported(home, pool, one.key)) for one in imported_sets(home, pool_id)],
    }  # fmt: skip
    found = {f"pool {pool_id}": _plain(head)}
    return found | {f"pool {pool_id}: {name}": _plain(_asked(ask)) for name, ask in parts.items()}


def _run(home: Path, run: str, rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    own = {name: [row for row in rows.get(name, ()) if row[key] == run] for name, key in OF_A_RUN.items()}
    head = {
        "runs": own["runs"],
        "config": _asked(lambda: store.read_config(home, run)),
        "pool": _asked(lambda: store.read_run_pool(home, run)),
        "given": _asked(lambda: _given(home, run)),
        "epochs": _asked(lambda: _gaps(store.epochs(home, run))),
        "edits": _json(home / run / "edits.json"),
    }
    found: dict[str, Any] = {f"run {run}": _plain(head)}
    found |= {f"run {run}: {name}": values for name, values in own.items() if name != "runs"}
    deleted = any(row["deleted"] for row in own["runs"])
    if deleted:  # it is put aside, with all that it has
        files = sorted(_files(home, run))  # none where somebody began to erase it
        return {f"run {run}": {"runs": own["runs"]}, **({f"run {run}: aside": _hash(files)} if files else {})}
    for epoch in _asked(lambda: store.epochs(home, run)):
        found[f"run {run}: epoch {epoch}"] = _plain(_asked(lambda epoch=epoch: _record(home, run, epoch)))  # type: ignore[misc]
    found[f"run {run}: metrics"] = _plain(_asked(lambda: store.read_metrics(home, run)))
    found[f"run {run}: receipt"] = _json(home / run / "receipt.json")
    if (home / run / "reviews" / "0").exists():
        found[f"run {run}: proposal"] = _plain(_asked(lambda: store.read_proposal(home, run, 0)))
    found[f"run {run}: draft"] = _plain(_asked(lambda: store.read_draft(home, run, 0)))
    found[f"run {run}: evaluations"] = _plain(
        _asked(lambda: [read_evaluation(home, run, job.id) for job in evaluation_jobs(home, run)])
    )
    return found


def _given(home: Path, run: str) -> Any:
    given = store.given_losses(home, run)
    return given and [given.losses, given.depends_on]


def _gaps(epochs: list[int]) -> list[int]:
    """The epochs that are missing before others."""
    return sorted(set(range(max(epochs, default=-1) + 1)) - set(epochs))


def _record(home: Path, run: str, epoch: int) -> Any:
    record = store.read_epoch(home, run, epoch)
    return record, record.selection.terms, store.read_picks(home, run, epoch)


def _files(home: Path, run: str) -> list[str]:
    """The files of a run, wherever its folder lies."""
    folders = [home / run, home / "deleted" / run]
    return [
        str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*") if path.is_file()
    ]


def _kept(home: Path) -> dict[str, Any]:
    """What is known of sequences, ten at a time: each process adds some, and none is lost."""
    found: dict[str, Any] = {}
    for folder in sorted(path.parent for path in home.glob("scores/*/meta.json")):
        for begin in range(0, 40, 10):
            keys = np.array([f"{number:016d}" for number in range(begin, begin + 10)], dtype="S16")
            losses = store.find_losses(folder, keys)
            if losses.there.any():
                found[f"scores {folder.name}: from {begin}"] = _plain(losses.losses)
    return found


def _tables(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table of the database; of a job not which process it has."""
    if not path_of(home).is_file():
        return {}
    with closing(sqlite3.connect(path_of(home))) as connection:
        connection.row_factory = sqlite3.Row
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {
            name: sorted(
                (
                    {key: row[key] for key in dict(row) if key not in OF_A_PROCESS}
                    for row in connection.execute(f"SELECT * FROM {name}")
                ),
                key=lambda row: json.dumps(row, default=str),
            )
            for name in names
            if not name.startswith("sqlite_")
        }


def _json(path: Path) -> str:
    """What a JSON file says, but for the times in it."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", text)


def _counts(path: Path) -> str:
    counts = diversity.load_counts(path)
    return _hash(_plain(counts))


def _plain(value: Any) -> Any:
    """A value as JSON: of an array its hash, of a record its fields."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape} {_hash(value.tolist())}"
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        names = [name for name in value.__dataclass_fields__ if name not in OF_A_PROCESS]
        return {name: _plain(getattr(value, name)) for name in names if not callable(getattr(value, name))}
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        return _hash(value.to_pylist())
    if hasattr(value, "__dict__"):
        return _plain({name: one for name, one in vars(value).items() if not callable(one)})
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, default=str).encode()).hexdigest()[:16]
