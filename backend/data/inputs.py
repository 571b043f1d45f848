"""What a person typed (files, folders, a hub id, "demo") to the sources that are read."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

from backend.data import demo, hub
from backend.data.batch import (
    COMPRESSED_SUFFIXES,
    READABLE,
    TABLE_SUFFIXES,
    TEXT_SUFFIXES,
    Source,
    suffix_of,
)
from backend.errors import PoolError

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
# written beside a dataset by the datasets library: about the data, not data
_SIDECARS = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}


def find_sources(inputs: Sequence[str | Path], *, roots: Sequence[Path] | None = None) -> list[Source]:
    """The files behind the inputs, each once, in the order given; a folder's files sorted by path.

    Raises
    ------
    PoolError : an input is missing, of an unknown kind, or outside the roots.
    """
    if not inputs:
        raise PoolError(f'no input: give files or folders ({READABLE}), a hub dataset id, or "demo"')
    found: list[tuple[Path, str | None]] = []  # resolved path, split
    sources: list[Source] = []
    for given in map(str, inputs):
        if given == "demo":
            if not demo.POOL.is_file():
                raise PoolError(f"demo: the embedded pool is missing ({demo.POOL})")
            sources.append(Source("demo", "demo", demo.POOL.stat().st_size, path=demo.POOL))
            continue
        document, split = split_of(given)
        path = _resolve(document, roots)
        if path is None:
            sources.append(hub.fetch(given))
            continue
        for file, name in _files(path, document, roots):
            if (file, split) not in found:
                found.append((file, split))
                name = name if split is None else f"{name}:{split}"
                sources.append(Source(name, stem_of(file), file.stat().st_size, path=file, split=split))
    return _distinct(sources)


def split_of(given: str) -> tuple[str, str | None]:
    """("pool.json", "test") of "pool.json:test", a key of a JSON document; (given, None) of anything else."""
    document, _, split = given.rpartition(":")
    path = Path(document)
    if not split or "/" in split or suffix_of(path) != ".json" or os.path.exists(given):
        return given, None
    return document, split


def absolute(given: str) -> str:
    """An input with its path made absolute, where it is one that exists; a hub id or "demo" as it is."""
    document, split = split_of(given)
    if document in ("", "demo") or not Path(document).exists():
        return given
    return str(Path(document).resolve()) + (f":{split}" if split is not None else "")


def name_of(inputs: Sequence[str | Path], sources: Sequence[Source]) -> str:
    """What to call a pool of these inputs."""
    first = sources[0].stem if len(sources) == 1 else _last_part(str(inputs[0]))
    others = len(inputs) - 1
    return first if not others else f"{first} and {others} more"


def stem_of(path: Path) -> str:
    """A file's name without suffix, compression and shard number: "pool" of "pool-00000-of-00002.jsonl.gz"."""
    name = path.name
    if len(path.suffixes) > 1 and path.suffixes[-1].lower() in COMPRESSED_SUFFIXES:
        name = name[: -len(path.suffixes[-1])]
    return _SHARD.sub("", Path(name).stem)


def _last_part(given: str) -> str:
    return given if hub.is_id(given) and not Path(given).exists() else Path(given).resolve().name


def _resolve(given: str, roots: Sequence[Path] | None) -> Path | None:
    """The existing path that an input names; None where it can only be a hub id."""
    if not given.strip() or "\0" in given:
        raise PoolError("an input is empty: give a file, a folder, a hub dataset id, or 'demo'")
    path = Path(given).expanduser()
    tries = [path] if path.is_absolute() or roots is None else [path, *(root / path for root in roots)]
    outside = False
    for candidate in tries:
        try:
            resolved = candidate.resolve()
            if not _inside(resolved, roots):
                outside = True
                # the hub's library would take a folder of that name for the dataset
                if hub.is_id(given) and resolved.exists():
                    raise _outside(given, roots)
            elif resolved.exists():
                return resolved
        except (OSError, RuntimeError) as error:  # a name too long, a loop of links
            raise PoolError(f"{given}: not a path ({error})") from error
    if hub.is_id(given) and suffix_of(path) not in (*TEXT_SUFFIXES, *TABLE_SUFFIXES):
        return None
    if outside and len(tries) == 1:
        raise _outside(given, roots)
    where = str(tries[0].absolute()) if roots is None else _list(roots)
    raise PoolError(
        f"{given}: no such file or folder (looked in {where}), and not a hub dataset id, "
        'which reads "owner/name" or "owner/name:split"'
    )


def _files(path: Path, given: str, roots: Sequence[Path] | None) -> list[tuple[Path, str]]:
    if path.is_file():
        if suffix_of(path) not in (*TEXT_SUFFIXES, *TABLE_SUFFIXES):
            raise PoolError(
                f'{given}: the name ends in "{path.suffix}"; files that can be read: {READABLE} '
                f"({' '.join((*TEXT_SUFFIXES, *TABLE_SUFFIXES))})"
            )
        return [(path, path.name)]
    if not path.is_dir():
        raise PoolError(f"{given}: neither a file nor a folder")
    files = []
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path)
        if any(part.startswith(".") for part in inner.parts) or file.name in _SIDECARS:
            continue
        if suffix_of(file) in (*TEXT_SUFFIXES, *TABLE_SUFFIXES) and file.is_file():
            if not _inside(file.resolve(), roots):
                raise _outside(f"{given}/{inner}", roots)
            files.append((file.resolve(), str(inner)))
    if not files:
        raise PoolError(f"{given}: the folder holds no file that can be read ({READABLE})")
    return files


def _inside(path: Path, roots: Sequence[Path] | None) -> bool:
    return roots is None or any(path.is_relative_to(root.resolve()) for root in roots)


def _outside(given: str, roots: Sequence[Path] | None) -> PoolError:
    return PoolError(f"{given}: outside the folders that may be read ({_list(roots)})")


def _list(roots: Sequence[Path] | None) -> str:
    return ", ".join(str(root) for root in roots or ()) or "none"


def _distinct(sources: list[Source]) -> list[Source]:
    """Two files of the same name report as their whole paths."""
    names = [source.name for source in sources]
    return [
        dataclasses.replace(source, name=source.key)
        if source.path is not None and names.count(source.name) > 1
        else source
        for source in sources
    ]
