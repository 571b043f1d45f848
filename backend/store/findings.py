"""What is found once per pool and kept beside it: near-duplicate pairs, what its texts hold, and lengths under a model's tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.config import Words
from backend.findings import LOWEST, ContentFindings, Lengths, NearPairs
from backend.store.files import named, replacing
from backend.store.paths import pool_folder
from backend.store.search import has_search
from backend.store.word_splitting import pool_words

# grows when pairs are found in another way, so that stored ones are found anew
NEAR_VERSION = 1
# grows with the rules of `findings/content_rules`
CONTENT_VERSION = 1


@dataclass(frozen=True)
class LengthsKey:
    """Which lengths: of which model's tokenizer, cut where, after which system prompt."""

    model: str
    max_length: int
    system_prompt: str


def has_findings(home: Path, pool_id: str) -> bool:
    """Whether all that the work "findings" makes is there, under the cutting that was chosen for the pool.

    What was carried over to a pool when somebody edited it does not count: it is made anew.
    """
    return (
        has_search(home, pool_id)
        and has_content(home, pool_id)
        and load_near(home, pool_id, words=pool_words(home, pool_id), whole=True) is not None
    )


def save_near(
    home: Path, pool_id: str, pairs: NearPairs, *, words: Words = "paper", carried: bool = False
) -> None:
    """Store a pool's near-duplicate pairs under one cutting into words; see `has_findings` for `carried`."""
    table = pa.table({"a": pairs.a, "b": pairs.b, "similarity": pairs.similarity})
    about = {"version": NEAR_VERSION, "lowest": pairs.lowest, "carried": carried}
    _write(_near_path(home, pool_id, words), table, about)


def load_near(home: Path, pool_id: str, *, words: Words = "paper", whole: bool = False) -> NearPairs | None:
    """A pool's near-duplicate pairs under one cutting; None where they have not been looked for, or not down to today's lowest.

    whole : None also where they were only carried over to the pool when somebody edited it.
    """
    found = _read(_near_path(home, pool_id, words))
    if found is None:
        return None
    table, about = found
    with named(_near_path(home, pool_id, words)):
        if about["version"] != NEAR_VERSION or about["lowest"] > LOWEST:
            return None
        if whole and about.get("carried", False):
            return None
        a, b, similarity = (table[name].to_numpy() for name in ("a", "b", "similarity"))
        return NearPairs(a, b, similarity, about["lowest"])


def has_content(home: Path, pool_id: str) -> bool:
    """Whether all of a pool's texts have been read by today's rules."""
    path = _content_path(home, pool_id)
    with named(path):
        about = _about(pq.read_schema(path)) if path.is_file() else {}
    return about.get("version") == CONTENT_VERSION and not about.get("carried", False)


def save_content(home: Path, pool_id: str, content: ContentFindings, *, carried: bool = False) -> None:
    """Store what a pool's texts hold; see `has_findings` for `carried`."""
    kinds = pa.array(content.kinds, pa.string()).dictionary_encode()
    table = pa.table({"row": content.rows, "kind": kinds, "found": pa.array(content.found, pa.string())})
    _write(_content_path(home, pool_id), table, {"version": CONTENT_VERSION, "carried": carried})


def load_content(home: Path, pool_id: str) -> ContentFindings | None:
    """What a pool's texts hold; None where nobody has looked, or by other rules than today's."""
    found = _read(_content_path(home, pool_id))
    if found is None or found[1].get("version") != CONTENT_VERSION:
        return None
    with named(_content_path(home, pool_id)):
        rows = found[0]["row"].to_numpy()
        kinds, texts = (
            found[0][name].cast(pa.string()).to_numpy(zero_copy_only=False) for name in ("kind", "found")
        )
        return ContentFindings(rows, kinds, texts)


def save_lengths(home: Path, pool_id: str, lengths: Lengths) -> None:
    """Store a pool's lengths, beside those of other models and settings."""
    key = LengthsKey(lengths.model, lengths.max_length, lengths.system_prompt)
    table = pa.table(
        {
            "tokens": lengths.tokens,
            "response_tokens": lengths.response_tokens,
            "reason": pa.array(lengths.reason, pa.string()).dictionary_encode(),
        }
    )
    if lengths.changes is not None:
        table = table.append_column("changes", pa.array(lengths.changes, pa.uint8()))
    _write(_lengths_path(home, pool_id, key), table, {**key.__dict__, "limit": lengths.limit})


def load_lengths(
    home: Path, pool_id: str, *, model: str, max_length: int, system_prompt: str
) -> Lengths | None:
    """A pool's lengths under one model's tokenizer, or None where they have not been counted."""
    path = _lengths_path(home, pool_id, LengthsKey(model, max_length, system_prompt))
    found = _read(path)
    if found is None:
        return None
    table, about = found
    with named(path):
        return Lengths(
            table["tokens"].to_numpy(),
            table["response_tokens"].to_numpy(),
            table["reason"].cast(pa.string()).to_numpy(zero_copy_only=False),
            changes=table["changes"].to_numpy() if "changes" in table.column_names else None,
            **about,
        )


def stored_lengths(home: Path, pool_id: str) -> list[LengthsKey]:
    """Which lengths of a pool there are, the latest first."""
    paths = pool_folder(home, pool_id).glob("lengths-*.parquet")
    keys = []
    for path in sorted(paths, key=lambda path: (-path.stat().st_mtime, path.name)):
        with named(path):
            about = _about(pq.read_schema(path))
            about.pop("limit")
            keys.append(LengthsKey(**about))
    return keys


def _near_path(home: Path, pool_id: str, words: Words) -> Path:
    return pool_folder(home, pool_id) / ("near.parquet" if words == "paper" else f"near-{words}.parquet")


def _content_path(home: Path, pool_id: str) -> Path:
    return pool_folder(home, pool_id) / "content.parquet"


def _lengths_path(home: Path, pool_id: str, key: LengthsKey) -> Path:
    spelled = json.dumps([key.model, key.max_length, key.system_prompt])
    return pool_folder(home, pool_id) / f"lengths-{sha256(spelled.encode()).hexdigest()[:12]}.parquet"


def _write(path: Path, table: pa.Table, about: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata({"about": json.dumps(about)}), temporary, compression="zstd"
        )


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]] | None:
    """A table and what is said about it, or None where there is no such file."""
    if not path.is_file():
        return None
    with named(path):
        table = pq.read_table(path)
        return table, _about(table.schema)


def _about(schema: pa.Schema) -> dict[str, Any]:
    return json.loads((schema.metadata or {}).get(b"about", b"{}"))
