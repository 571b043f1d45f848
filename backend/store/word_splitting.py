"""How a pool's responses are cut into words: what somebody chose for it, and what would fit its scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast, get_args

from backend.config import Words
from backend.data.scripts import unspaced_share
from backend.errors import PoolError
from backend.records import Pool
from backend.store import database
from backend.store.curation import raise_revision
from backend.store.files import write_json
from backend.store.paths import pool_folder, root_of


def pool_words(home: Path, pool_id: str) -> Words:
    """The cutting that was chosen for a pool, from which everything on it starts; `paper` where nobody chose."""
    chosen = _read(pool_folder(home, root_of(home, pool_id)) / "words.json").get("words", "paper")
    if chosen not in get_args(Words):
        raise PoolError(f"words of pool {pool_id} are {chosen!r}; allowed: {', '.join(get_args(Words))}")
    return cast(Words, chosen)


def set_pool_words(home: Path, pool_id: str, words: Words) -> None:
    """Choose the cutting for a pool; whoever watches `curation_revision` hears of it.

    Raises
    ------
    PoolError : there is no such cutting.
    """
    if words not in get_args(Words):
        raise PoolError(f"words is {words!r}; allowed: {', '.join(get_args(Words))}")
    pool_id = root_of(home, pool_id)
    if words != pool_words(home, pool_id):
        write_json(pool_folder(home, pool_id) / "words.json", {"words": words})
    # also where it was chosen before: whoever did may have been ended between the two
    with database.writing(home) as connection:
        raise_revision(connection, pool_id)


def pool_unspaced_share(home: Path, pool: Pool) -> float:
    """Share of the letters of a stored pool's responses that are of scripts without spaces; counted once and kept."""
    path = pool_folder(home, pool.id) / "scripts.json"
    known = _read(path).get("unspaced")
    if isinstance(known, float):
        return known
    share = unspaced_share(pool.responses())
    if not database.is_read_only(home):
        write_json(path, {"unspaced": share})
    return share


def _read(path: Path) -> dict[str, object]:
    """What such a file holds; nothing where there is none.

    Raises
    ------
    PoolError : it cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise PoolError(f"{path} cannot be read ({error}); delete it to choose again") from error
    if not isinstance(found, dict):
        raise PoolError(f"{path} cannot be read (it is no JSON object); delete it to choose again")
    return found
