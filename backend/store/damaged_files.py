"""Which files of the runs folder cannot be read, so that each is named wherever pools and runs are listed.

Looked at are the parts that tell at once: whether JSON is an object, and whether a table, an array or an index begins and
ends as it must. What lies in between shows when it is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import PoolError
from backend.store.paths import POOL_ID, RUN_ID
from backend.store.pools import checked_meta

_SQLITE = b"SQLite format 3\x00"
# made from the samples and made again when it is asked for; without the others a pool or run cannot be used
_DERIVED = (
    "map.parquet",
    "clusters.parquet",
    "near",
    "content.parquet",
    "lengths-",
    "ngrams",
    "search.sqlite",
    "scripts.json",
)
_NEEDED = {
    "config.json": "model",
    "pool.json": "id",
    "meta.json": "rows",
    "edits.json": "edits",
    "receipt.json": "run",
}
_OF_RUN = ("config.json", "pool.json", "edits.json", "environment.json", "receipt.json", "metrics.jsonl")
_OF_EPOCH = ("meta.json", "samples.parquet", "picks.parquet")


def damaged_files(home: Path) -> list[str]:
    """A sentence for each file of a pool or run that cannot be read, pools first; it begins with the file's place in `home`."""
    return [*damaged_pools(home), *damaged_runs(home)]


def damaged_pools(home: Path) -> list[str]:
    """What is wrong with stored pools, a sentence for each file."""
    found = []
    for folder in _folders(Path(home) / "pools", POOL_ID):
        said = [f"{where} is damaged ({why})" for where, why in _of_pool(Path(home), folder)]
        found += said
    return found


def damaged_runs(home: Path) -> list[str]:
    """What is wrong with runs, a sentence for each file."""
    return [
        f"{where} is damaged ({why}); the run cannot be read whole, other runs can"
        for folder in _folders(Path(home), RUN_ID)
        for where, why in _of_run(Path(home), folder)
    ]


def _of_pool(home: Path, folder: Path) -> Iterator[tuple[str, str]]:
    if not (folder / "meta.json").exists():
        return  # a pool is there when its meta.json is
    edited = (folder / "edits.json").exists()
    try:
        checked_meta(folder)
    except PoolError as error:
        yield _place(home, folder / "meta.json"), str(error)
    if not edited:
        why = _why(folder / "samples.parquet")
        if why:
            yield _place(home, folder / "samples.parquet"), f"{why}; load the pool's files again"
    for path in sorted(folder.iterdir()):
        derived = path.name.startswith(_DERIVED)
        if (derived or path.name in ("edits.json", "words.json")) and (why := _why(path)):
            advice = "delete it to make it again" if derived else "delete it to choose again"
            yield _place(home, path), f"{why}; {advice}"


def _of_run(home: Path, folder: Path) -> Iterator[tuple[str, str]]:
    for name in _OF_RUN:
        needed = name in ("config.json", "pool.json")
        if (needed or (folder / name).exists()) and (why := _why(folder / name)):
            yield _place(home, folder / name), why
    epochs = folder / "epochs"
    for epoch in sorted(epochs.iterdir()) if epochs.is_dir() else ():
        for name in _OF_EPOCH if epoch.name.isdecimal() else ():
            if why := _why(epoch / name):
                yield _place(home, epoch / name), why


def _folders(place: Path, pattern: re.Pattern[str]) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if pattern.fullmatch(path.name) and path.is_dir())


def _place(home: Path, path: Path) -> str:
    return str(path.relative_to(home))


def _why(path: Path) -> str:
    """Why a file cannot be read, as far as its beginning and end tell; "" where it can."""
    try:
        if path.suffix == ".json":
            value = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(value, dict):
                return "it is no JSON object"
            needed = _NEEDED.get(path.name, "")
            if needed and needed not in value:
                return f'it has no "{needed}"'
        elif path.suffix == ".parquet":
            pq.read_schema(path)
        elif path.suffix == ".npz":
            with zipfile.ZipFile(path) as file:
                file.namelist()
        elif path.suffix == ".jsonl":
            with open(path, "rb") as lines:
                json.loads(lines.readline() or b"{}")
        elif path.suffix == ".sqlite":
            with open(path, "rb") as raw:
                if raw.read(len(_SQLITE)) != _SQLITE:
                    return "it is no database"
    except FileNotFoundError:
        return "it is missing"
    except (OSError, ValueError, pa.ArrowException, zipfile.BadZipFile) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""
