"""A pool of samples, and what was done to the rows that it was read from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Turn(TypedDict):
    """One turn of a conversation. `role` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True)
class Conversation:
    """One sample as it is given to a chat template.

    turns, response : the turns before the last assistant turn and that turn, as text alone: reasoning stands in
        `<think>` before an answer, tool calls as JSON, the tools in the system turn. What a template without a notion
        of reasoning or tools is given, what is searched, and what n-grams are counted of.
    messages : where the sample has reasoning, tools or tool calls, all its turns with the response as the last, each
        {role, content, and where there are any reasoning_content, tool_calls, tool_call_id, name}; None where plain.
    tools : the tools it may call, as JSON schemas; None where it brings none.
    """

    turns: list[Turn]
    response: str
    messages: list[dict[str, Any]] | None = None
    tools: list[Any] | None = None


@dataclass(frozen=True)
class RejectedRow:
    """A row of an input file that could not become a sample, and why."""

    file: str
    row: int
    reason: str


@dataclass(frozen=True)
class RowsRead:
    """What was done to the rows that a pool was read from.

    rows : rows in all. reasons : (reason, rows) of those left out, what differs from row to row taken out of the
        reason; the most frequent first.
    chosen : samples whose response is the chosen one of two answers. bad : samples that are marked as bad.
    mapping : what a person said about columns and speakers, see `backend.data.mapping`.
    notes : what else was left aside, a sentence each.
    """

    rows: int
    reasons: tuple[tuple[str, int], ...] = ()
    chosen: int = 0
    bad: int = 0
    mapping: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it: "300 rows: 106 read, 194 left out because ..., chosen answers used, rejected ones left out."."""
        left_out = sum(count for _, count in self.reasons)
        parts = [f"{self.rows - left_out:,} read" if left_out else "all read"]
        if len(self.reasons) == 1:
            parts.append(f"{left_out:,} left out because {self.reasons[0][0]}")
        elif self.reasons:
            named = [f"{count:,} because {reason}" for reason, count in self.reasons[:3]]
            rest = left_out - sum(count for _, count in self.reasons[:3])
            named += [f"{rest:,} for other reasons"] if rest else []
            parts.append(f"{left_out:,} left out ({'; '.join(named)})")
        if self.chosen:
            parts.append("chosen answers used, rejected ones left out")
        if self.bad:
            parts.append(f"{self.bad:,} kept that {'is' if self.bad == 1 else 'are'} marked as bad")
        said = f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}: {', '.join(parts)}."
        if self.mapping:
            said += f" Read as {', '.join(f'{key}={value}' for key, value in sorted(self.mapping.items()))}."
        return " ".join([said, *self.notes])


@dataclass(frozen=True)
class Pool:
    """Samples to choose from, in the order in which they were read.

    Parameters
    ----------
    id : hash of the normalised samples; two pools with the same id hold the same samples.
    name : what a person calls it (a file's name, a hub id, "demo").
    table : Arrow table of n rows with the columns
        id : string, hash of the sample's content plus its occurrence ("3f2a...-0", "3f2a...-1", ...)
        turns : list<struct<role, content>>, every turn before the last assistant turn
        response : string, the last assistant turn
        source : dictionary<string>, where the sample says it comes from
        file : dictionary<string>, the file it was read from
        row : int64, its row in that file (from 0)
        label : string or null, a note for evaluation that no part of the method reads
        structure : string or null, JSON {"messages": [...], "tools": [...]}, see `Conversation`; only in pools of
            which a sample has reasoning, tools or tool calls
        own : struct or null, columns of the files that reading them did not use; only where there are any
    rejected : rows that could not be read, the first of them where they are very many.
    about : what was done to the rows it was read from; None where that is not known.
    base : id of the pool that was read, where people have edited responses since; "" where nothing is edited.
    edits : the edited responses by sample id; the table holds them too. Ids of samples stay what they were.
    """

    id: str
    name: str
    table: pa.Table
    rejected: tuple[RejectedRow, ...] = ()
    about: RowsRead | None = None
    base: str = ""
    edits: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def root(self) -> str:
        """Id of the pool as it was read: what marks, notes, edits and the map are kept under."""
        return self.base or self.id

    @property
    def left_out(self) -> int:
        """How many rows could not be read; of very many, `rejected` lists the first."""
        counted = sum(count for _, count in self.about.reasons) if self.about is not None else 0
        return max(counted, len(self.rejected))

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) object: the samples' ids."""
        return self.table["id"].to_numpy(zero_copy_only=False)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row by sample id."""
        return {sample_id: row for row, sample_id in enumerate(self.ids)}

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources' names, sorted; `source_codes` points into it."""
        return tuple(sorted(set(self.table["source"].cast(pa.string()).to_pylist())))

    @cached_property
    def source_codes(self) -> np.ndarray:
        """(n,) int32: index of each sample's source in `sources`."""
        names = np.asarray(self.sources, dtype=object)
        values = self.table["source"].cast(pa.string()).to_numpy(zero_copy_only=False)
        return np.searchsorted(names, values).astype(np.int32)

    @cached_property
    def labels(self) -> np.ndarray | None:
        """(n,) object of str or None where the pool brings evaluation labels, else None."""
        if "label" not in self.table.column_names or self.table["label"].null_count == len(self):
            return None
        return self.table["label"].to_numpy(zero_copy_only=False)

    @cached_property
    def own_columns(self) -> dict[str, Literal["number", "text"]]:
        """Columns of the files that reading them did not use, and what each holds; true and false are text."""
        if "own" not in self.table.column_names:
            return {}
        kind = self.table.schema.field("own").type
        fields = [kind.field(at) for at in range(kind.num_fields)]
        numbers = [pa.types.is_integer(one.type) or pa.types.is_floating(one.type) for one in fields]
        return {one.name: "number" if number else "text" for one, number in zip(fields, numbers)}

    def own(self, name: str) -> np.ndarray:
        """One of `own_columns`: (n,) float64, NaN where a sample has no value, or (n,) object of str or None."""
        if name not in self._own_kept:
            column = pc.struct_field(self.table["own"], [list(self.own_columns).index(name)])
            goal = pa.float64() if self.own_columns[name] == "number" else pa.string()
            self._own_kept[name] = column.cast(goal, safe=False).to_numpy(zero_copy_only=False)
        return self._own_kept[name]

    def own_counts(self, name: str) -> dict[str, int]:
        """How many samples have each value of an own column with text, the most frequent first; "" for none."""
        if name not in self._own_counts:
            counts = Counter("" if value is None else value for value in self.own(name))
            self._own_counts[name] = dict(counts.most_common())
        return self._own_counts[name]

    @cached_property
    def _own_counts(self) -> dict[str, dict[str, int]]:
        return {}

    @cached_property
    def _own_kept(self) -> dict[str, np.ndarray]:
        return {}

    def responses(self) -> pa.ChunkedArray:
        """The n responses as an Arrow column (no Python objects until somebody asks for one)."""
        return self.table["response"]

    def take(self, rows: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Some columns of these rows ((k,) int64, any order, repeats allowed), in this order.

        Only the chunks that hold the rows are read. Arrow's own `take` first joins every chunk of a column: that
        is a copy of the whole pool each time, and an error where its texts are more than 2 GiB.
        """
        parts = self.table.select(list(columns)).to_batches()
        ends = np.cumsum([part.num_rows for part in parts], dtype=np.int64)
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a pool of {len(self)}")
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        home = np.searchsorted(ends, ascending, side="right")
        taken = []
        for at in np.unique(home).tolist():
            start = int(ends[at]) - parts[at].num_rows
            taken.append(parts[at].take(pa.array(ascending[home == at] - start)))
        found = pa.Table.from_batches(taken, schema=self.table.select(list(columns)).schema)
        if np.array_equal(order, np.arange(len(order))):
            return found
        return found.take(pa.array(np.argsort(order, kind="stable")))

    def conversations(self, rows: np.ndarray) -> list[Conversation]:
        """These rows ((k,) int64, any order) with the structure that chat templates are given."""
        columns = [name for name in ("turns", "response", "structure") if name in self.table.column_names]
        found = []
        for sample in self.take(rows, columns).to_pylist():
            kept = json.loads(sample.get("structure") or "{}")
            found.append(
                Conversation(sample["turns"], sample["response"], kept.get("messages"), kept.get("tools"))
            )
        return found

    def turns(self, row: int) -> list[Turn]:
        """The turns before the response of one sample."""
        return self.table["turns"][row].as_py()

    def response(self, row: int) -> str:
        """The response of one sample."""
        return self.table["response"][row].as_py()
