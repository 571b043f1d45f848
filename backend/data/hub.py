"""Datasets of the Hugging Face hub: "owner/name", "owner/name:split" or "owner/name:configuration:split".

"owner/name@revision" is the dataset as it was at a branch, tag or commit.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from backend.data.batch import Source
from backend.errors import PoolError

_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(@\w[\w./-]*)?(:[\w][\w.-]*){0,2}")


def is_id(text: str) -> bool:
    """Whether a text has the form of a hub dataset id."""
    return _ID.fullmatch(text) is not None


def fetch(given: str) -> Source:
    """The dataset's rows, memory-mapped from the hub's cache; "train", or the only split, where none is named.

    Raises
    ------
    PoolError : there is no network, no such dataset, or no such split; a mistyped path is named as a possibility.
    """
    # slow to import, and only here
    import datasets
    import httpx

    dataset, *rest = given.split(":")
    name, _, revision = dataset.partition("@")
    split = rest[-1] if rest else None
    config = rest[0] if len(rest) == 2 else None
    try:
        at: dict[str, Any] = {"revision": revision} if revision else {}
        _check_reachable(name, **at)
        loaded = datasets.load_dataset(name, config, **at)
    except (ConnectionError, httpx.TransportError) as error:
        raise PoolError(
            f"{_readings(given)} The hub could not be reached to look for it: this needs a network. Without one, "
            "download the dataset's files on another machine, copy them here, and give their path."
        ) from error
    except (OSError, ValueError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().split("\n")[0]
        raise PoolError(f"{_readings(given)} The hub says: {reason}") from error
    chosen = _split(given, loaded, split)
    table = chosen.data.table
    return Source(given, name.split("/")[1], max(1, table.nbytes), table=table)


def _readings(given: str) -> str:
    return (
        f"{given}: read as a path, there is no such file or folder ({Path(given).absolute()}); "
        "read as a dataset id of the Hugging Face hub, it could not be loaded."
    )


def _check_reachable(name: str, **at: Any) -> None:
    """Ask the hub once, without the library's half minute of retries, unless the dataset is in the cache."""
    import datasets
    from huggingface_hub import HfApi

    cached = Path(datasets.config.HF_DATASETS_CACHE) / name.replace("/", "___")
    if cached.exists() or (Path(datasets.config.HF_DATASETS_CACHE) / cached.name.lower()).exists():
        return
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise ConnectionError("HF_HUB_OFFLINE is set")
    HfApi().dataset_info(name, timeout=15, **at)


def _split(given: str, loaded: Any, split: str | None) -> Any:
    names = list(loaded)
    if split is None:
        split = "train" if "train" in names else names[0] if len(names) == 1 else None
    if split is None or split not in names:
        wanted = f"split {split!r} is not there" if split else "which split?"
        raise PoolError(f'{given}: {wanted} (found: {", ".join(names)}; write "owner/name:split")')
    return loaded[split]
