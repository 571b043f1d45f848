"""Everything that writes into a runs folder, one call each: what a process dies in (see `deaths`)."""

from __future__ import annotations

import dataclasses
import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from backend import data, diversity, store
from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.picks_export import picks_of_run
from backend.analysis.receipt import write_receipt
from backend.config import SelectionSettings
from backend.findings import ContentFindings, Lengths, NearPairs
from backend.findings.contamination import Overlaps
from backend.jobs import lifecycle, run_launch
from backend.records import Clusters, Metrics, Pool, Scores
from backend.store import PoolMap, evaluations, foreign_scores, imported_scores
from tools.soak.good_files import as_lines, rows_of

Ids = tuple[str, str]
__all__ = ["OPERATIONS", "Operation", "Place", "diversity"]  # read by the process that the others are copies of


@dataclass(frozen=True)
class Place:
    """A runs folder with two pools and a run on each, and a folder beside it for what is exported."""

    home: Path
    first: Ids
    second: Ids

    @property
    def out(self) -> Path:
        """Where files go that leave the studio."""
        return self.home.parent / "out"

    def pool(self) -> Pool:
        """The first pool."""
        return store.load_pool_from_store(self.home, self.first[0])

    def ids(self) -> list[str]:
        """The ids of its samples."""
        return [str(one) for one in self.pool().ids]


Act = Callable[[Place], Any]


@dataclass(frozen=True)
class Operation:
    """Something that writes. before : what is done in peace before it."""

    do: Act
    before: Act | None = None


def perform(name: str, place: Place, *, before: bool = False) -> None:
    """Do an operation, or what comes before it; a job that is started does nothing."""
    lifecycle.spawn = lambda command, log, *, threads=0: SimpleNamespace(pid=os.getpid())  # type: ignore[assignment, misc]
    logging.disable(logging.CRITICAL)
    operation = OPERATIONS[name]
    if not before:
        operation.do(place)
    elif operation.before:
        operation.before(place)


def _new_pool(place: Place, *, column: bool = False) -> Pool:
    rows = rows_of(random.Random("third"), 12, "alpaca")
    path = place.home.parent / "third.jsonl"
    path.write_bytes(as_lines([{**row, "worth": at / 7} for at, row in enumerate(rows)] if column else rows))
    return data.load_pool([path])


def _save_pool(place: Place, *, column: bool = False) -> None:
    store.save_pool(place.home, _new_pool(place, column=column), inputs=["third.jsonl"])


def _map(place: Place, seed: int = 1) -> None:
    n = len(place.pool())
    rng = np.random.default_rng(seed)
    store.save_map(place.home, place.first[0], PoolMap(rng.random((n, 2)).astype(np.float32), "again", {"all": 2.0}))
    terms = [[("c", 1.0)], [("d", 1.0)]]
    xy = rng.random((2, 2)).astype(np.float32)
    store.save_clusters(place.home, place.first[0], Clusters(np.zeros(n, np.int16), ["c", "d"], xy, terms, "again"))


def _findings(place: Place) -> None:
    pool_id, n = place.first[0], len(place.pool())
    pairs = np.array([2], np.int32), np.array([3], np.int32), np.array([0.8], np.float32)
    store.save_near(place.home, pool_id, NearPairs(*pairs, 0.5))
    found = np.array([1], np.int32), np.array(["loop"], object), np.array(["b b b"], object)
    store.save_content(place.home, pool_id, ContentFindings(*found))
    tokens = np.full(n, 8, np.int32)
    store.save_lengths(place.home, pool_id, Lengths(tokens, tokens, np.full(n, "", object), "demo", 512, "", 512))
    none = np.zeros(0, np.int32), *(np.zeros(0, object),) * 2, np.zeros(0, np.int32), np.zeros(0, np.float32)
    overlaps = Overlaps(*none, np.zeros(0, np.int32), np.zeros(0, object), np.arange(2))
    store.save_overlaps(place.home, pool_id, store.Against("0" * 16, "held.jsonl", "held.jsonl", 3), overlaps)


def _build_search(place: Place) -> None:
    store.build_search(place.home, store.load_pool_from_store(place.home, _new_pool(place).id))


def _ngrams(place: Place) -> None:
    store.ngram_counts(place.home, _new_pool(place))


def _keep_losses(place: Place, *, values: float = 1.0) -> None:
    keys = np.array([f"{number:016d}" for number in range(30)], dtype="S16")
    with store.LossWriter(store.kept_folder(place.home, {"files": "x", "max_length": 9})) as writer:
        writer.add(keys[:20], np.full(20, values))
        writer.flush()
        writer.add(keys[20:], np.full(10, values))
        writer.replace_older()


def _epoch(place: Place, epoch: int) -> None:
    record = store.read_epoch(place.home, place.first[1], 0)
    scores = dataclasses.replace(record.scores, complexity=record.scores.complexity * np.float32(0.9))
    store.write_epoch(place.home, place.first[1], dataclasses.replace(record, epoch=epoch, scores=scores))


def _metrics(place: Place) -> None:
    store.append_metrics(place.home, place.first[1], Metrics(9, 3.0, loss=1.5))


def _half_a_line(place: Place) -> None:
    path = store.run_folder(place.home, place.first[1]) / "metrics.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"step": 8, "lo')


def _edit(place: Place, count: int, text: str = "tea and a copper window") -> None:
    store.set_responses(place.home, place.first[0], dict.fromkeys(place.ids()[:count], text), "Ada")


def _edited(place: Place, times: int = 1) -> None:
    for number in range(times):
        _edit(place, 2 + number)
        store.edited_pool_id(place.home, place.first[0])


def _read_edited(place: Place) -> None:
    store.edited_pool(place.home, place.first[0])


def _import(place: Place) -> None:
    pool, path = place.pool(), place.home.parent / "scores.jsonl"
    lines: list[dict[str, Any]] = [{"id": one, "complexity": 0.5 + at / 100} for at, one in enumerate(place.ids())]
    path.write_bytes(as_lines(lines))
    found = foreign_scores.read_foreign_scores([str(path)], pool)
    imported_scores.keep_imported(place.home, pool, found, name="theirs", model="m", who="Ada")


def _export(place: Place, name: str, epoch: int = 1, **options: Any) -> None:
    place.out.mkdir(exist_ok=True)
    picks = picks_of_run(place.home, place.first[1], epoch)
    made = export_picks(place.out / name, picks, ExportOptions(**options))
    store.note_export(place.home, place.first[1], epoch, rows=made.samples, file=name, who="Ada")


def _launch(place: Place) -> None:
    config = store.read_config(place.home, place.first[1])
    config = dataclasses.replace(config, model="demo", max_length=512)
    losses = np.full(len(place.pool()), 0.5, np.float32)
    given = dataclasses.replace(Scores.unknown(len(losses)), loss_cond=losses, loss_prior=losses)
    run_launch.launch(place.home, config, pool=place.first[0], given=(given, {"files": "x"}))


def _evaluate(place: Place) -> None:
    plan = evaluations.Plan("run", "m", "", "", "auto", ("arc_easy",), None, None, 1, False, "", "")
    evaluations.create_evaluation(place.home, place.first[1], plan)


def _ask_review(place: Place) -> None:
    store.set_state(place.home, place.first[1], "running")
    store.ask_review(place.home, place.first[1], store.read_epoch(place.home, place.first[1], 0), until=None)


def _compare(place: Place) -> None:
    made = store.create_comparison(place.home, "both", who="Ada")
    store.add_to_comparison(place.home, made, [place.first[1], place.second[1]])


def _deleted(place: Place) -> None:
    store.delete_run(place.home, place.first[1], who="Ada")


def _hash_files(place: Place) -> None:
    path = place.home.parent / "model.bin"
    path.write_bytes(b"weights")
    os.utime(path, (1, 1))
    store.content_hashes(store.known_files(place.home), [path])


def _mark(place: Place, kind: Any = "pinned", count: int = 3) -> None:
    store.set_mark(place.home, place.first[0], place.ids()[:count], kind, "Ada")


OPERATIONS: dict[str, Operation] = {
    "pool": Operation(_save_pool),
    "pool, another column": Operation(lambda at: _save_pool(at, column=True), _save_pool),
    "pool, written over": Operation(_save_pool, lambda at: (_save_pool(at), (store.pool_folder(at.home, _new_pool(at).id) / "samples.parquet").write_bytes(b"PAR1"))),
    "n-grams": Operation(_ngrams, _save_pool),
    "search index": Operation(_build_search, _save_pool),
    "map and clusters": Operation(_map),
    "near, content, lengths, overlaps": Operation(_findings),
    "cutting into words": Operation(lambda at: store.set_pool_words(at.home, at.first[0], "unicode"), lambda at: store.set_pool_words(at.home, at.first[0], "paper")),
    "rows of an outline": Operation(lambda at: store.save_rows(at.home, at.first[0], np.arange(7))),
    "kept scores": Operation(_keep_losses),
    "kept scores, anew": Operation(lambda at: _keep_losses(at, values=2.0), _keep_losses),
    "imported scores": Operation(_import),
    "imported scores, again": Operation(_import, _import),
    "hashes of a model": Operation(_hash_files),
    "epoch": Operation(lambda at: _epoch(at, 2)),
    "epoch, decided again": Operation(lambda at: _epoch(at, 1)),
    "epochs forgotten": Operation(lambda at: store.remove_epochs(at.home, at.first[1], after=-1)),
    "metrics": Operation(_metrics),
    "metrics after half a line": Operation(_metrics, _half_a_line),
    "metrics forgotten": Operation(lambda at: store.forget_metrics(at.home, at.first[1], after=1)),
    "receipt": Operation(lambda at: write_receipt(at.home, at.first[1])),
    "marks": Operation(_mark),
    "marks, others": Operation(lambda at: _mark(at, "excluded", 5), _mark),
    "note": Operation(lambda at: store.set_note(at.home, at.first[0], at.ids()[:1], "look", "Ada")),
    "edit": Operation(lambda at: _edit(at, 2)),
    "undo": Operation(lambda at: store.undo(at.home, at.first[0], "Ada"), _mark),
    "redo": Operation(lambda at: store.redo(at.home, at.first[0], "Ada"), lambda at: (_mark(at), store.undo(at.home, at.first[0], "Ada"))),
    "edited pool": Operation(_read_edited, lambda at: _edit(at, 2)),
    "edited pool, next": Operation(_read_edited, lambda at: (_edited(at), _edit(at, 5, "seven rivers"))),
    "edited pool, old ones go": Operation(_read_edited, lambda at: (_edited(at, 8), _edit(at, 12, "seven rivers"))),
    "saved settings": Operation(lambda at: store.save_settings(at.home, at.first[0], "mine", dataclasses.asdict(SelectionSettings()), scores="x", who="Ada")),
    "name and tags of a run": Operation(lambda at: store.label_run(at.home, at.first[1], name="other", tags=["t"], notes="n")),
    "comparison": Operation(_compare),
    "run": Operation(_launch),
    "run, again": Operation(lambda at: run_launch.run_again(at.home, at.first[1])),
    "run with edits": Operation(lambda at: run_launch.launch(at.home, dataclasses.replace(store.read_config(at.home, at.first[1]), model="demo", max_length=512), pool=store.edited_pool(at.home, at.first[0])), lambda at: _edit(at, 2)),
    "evaluation": Operation(_evaluate),
    "review": Operation(_ask_review),
    "draft of a review": Operation(lambda at: store.save_draft(at.home, at.first[1], 0, {"decay": 0.2}, mark_pool=True, who="Ada")),
    "answer to a review": Operation(lambda at: store.answer_review(at.home, at.first[1], 0, {"decay": 0.2}, who="Ada"), _ask_review),
    "export of a file": Operation(lambda at: _export(at, "picks.jsonl", recipe=True)),
    "export over a file": Operation(lambda at: _export(at, "picks.parquet", recipe=True), lambda at: _export(at, "picks.parquet", 0, recipe=True)),
    "export of a folder": Operation(lambda at: _export(at, "folder")),
    "export over a folder": Operation(lambda at: _export(at, "folder", scores=True), lambda at: _export(at, "folder", 0, kind="json")),
    "deletion of a run": Operation(_deleted),
    "return of a run": Operation(lambda at: store.restore_run(at.home, at.first[1]), _deleted),
    "erasure of a run": Operation(lambda at: store.erase_run(at.home, at.first[1]), _deleted),
}  # fmt: skip
"""What is done, by its name."""

