"""What a sample and a pool are called: hashes of their normalised content, whatever file it came from.

A sample's id is 16 hex digits of BLAKE2b over its turns and response, and how many equal samples stand before it:
"3f2a8c01d4e5b697-0", then "...-1". The order of the file does not change the set of ids, and only equal samples
can swap theirs. A pool's id is 16 hex digits of SHA-256 over turns, response, source and, where a sample has one,
structure in order.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

HEX_DIGITS = 16


class Identity:
    """Takes a pool's normalised batches in order."""

    def __init__(self) -> None:
        self._pool = hashlib.sha256()
        self._digests: list[np.ndarray] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Hash the samples of one batch (columns turns, response, source, structure)."""
        turns = batch.column("turns")
        flat = turns.flatten()
        roles = flat.field("role").cast(pa.binary()).to_pylist()
        contents = flat.field("content").cast(pa.binary()).to_pylist()
        responses = batch.column("response").cast(pa.binary()).to_pylist()
        sources = batch.column("source").cast(pa.binary()).to_pylist()
        structures = batch.column("structure").cast(pa.binary()).to_pylist()
        digests = bytearray()
        at = 0
        for count, response, source, structure in zip(
            turns.value_lengths().to_pylist(), responses, sources, structures, strict=True
        ):
            # every text is preceded by its length, so that no two samples spell the same bytes
            parts: list[bytes] = []
            for role, content in zip(roles[at : at + count], contents[at : at + count], strict=True):
                parts += (role, b"%d:" % len(content), content)
            at += count
            parts += (b"=%d:" % len(response), response)
            sample = b"".join(parts)
            digests += hashlib.blake2b(sample, digest_size=HEX_DIGITS // 2).digest()
            self._pool.update(b"%d:%s%d:%s" % (len(sample), sample, len(source), source))
            if structure is not None:
                self._pool.update(b"+%d:%s" % (len(structure), structure))
        self._digests.append(np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64))

    def pool_id(self) -> str:
        """The pool's id."""
        return self._pool.hexdigest()[:HEX_DIGITS]

    def sample_ids(self) -> pa.Array:
        """(n,) string: the samples' ids."""
        digests = np.concatenate([*self._digests, np.zeros(0, dtype=np.uint64)])
        pairs = zip(digests.tolist(), occurrences(digests).tolist(), strict=True)
        return pa.array([f"{digest:0{HEX_DIGITS}x}-{count}" for digest, count in pairs], pa.string())


def content_ids(samples: pa.Table) -> tuple[str, pa.Array]:
    """The id of a pool and its n sample ids, worked out again from the samples themselves.

    samples : with the columns turns, response, source and, where a sample has one, structure.
    """
    identity = Identity()
    for batch in samples.to_batches():
        columns = {name: batch.column(name) for name in ("turns", "response")}
        columns["source"] = batch.column("source").cast(pa.string())
        there = "structure" in batch.schema.names
        columns["structure"] = batch.column("structure") if there else pa.nulls(len(batch), pa.string())
        identity.add(pa.RecordBatch.from_pydict(columns))
    return identity.pool_id(), identity.sample_ids()


def occurrences(values: np.ndarray) -> np.ndarray:
    """(n,) int64: how many equal values stand before each."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if n else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(n), 0))
    counts = np.empty(n, dtype=np.int64)
    counts[order] = np.arange(n) - first
    return counts
