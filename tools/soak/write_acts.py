"""What writes into a runs folder, called as the app and the commands call it, with made-up values."""

from __future__ import annotations

import dataclasses
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import data, store
from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.picks_export import picks_of_run
from backend.findings import ContentFindings, Lengths, NearPairs
from backend.findings.contamination import Overlaps
from backend.jobs import run_launch
from backend.records import Clusters, Metrics, Pool, Scores
from backend.store import PoolMap, evaluations, foreign_scores, imported_scores
from tools.soak.good_files import as_lines, rows_of

Ids = tuple[str, str]


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


def new_pool(place: Place, *, column: bool = False) -> Pool:
    """A pool that is not stored yet; with one more column beside the samples where asked for."""
    rows = rows_of(random.Random("third"), 12, "alpaca")
    path = place.home.parent / "third.jsonl"
    path.write_bytes(as_lines([{**row, "worth": at / 7} for at, row in enumerate(rows)] if column else rows))
    return data.load_pool([path])


def save_pool(place: Place, *, column: bool = False) -> None:
    """Store it."""
    store.save_pool(place.home, new_pool(place, column=column), inputs=["third.jsonl"])


def damage_pool(place: Place) -> None:
    """Take the new pool's samples away, but for their first bytes."""
    (store.pool_folder(place.home, new_pool(place).id) / "samples.parquet").write_bytes(b"PAR1")


def lay_out(place: Place, seed: int = 1) -> None:
    """A new map, and its clusters."""
    n = len(place.pool())
    rng = np.random.default_rng(seed)
    store.save_map(
        place.home, place.first[0], PoolMap(rng.random((n, 2)).astype(np.float32), "again", {"all": 2.0})
    )
    terms = [[("c", 1.0)], [("d", 1.0)]]
    xy = rng.random((2, 2)).astype(np.float32)
    store.save_clusters(
        place.home, place.first[0], Clusters(np.zeros(n, np.int16), ["c", "d"], xy, terms, "again")
    )


def find(place: Place) -> None:
    """Everything else that is found once per pool."""
    pool_id, n = place.first[0], len(place.pool())
    pairs = np.array([2], np.int32), np.array([3], np.int32), np.array([0.8], np.float32)
    store.save_near(place.home, pool_id, NearPairs(*pairs, 0.5))
    found = np.array([1], np.int32), np.array(["loop"], object), np.array(["b b b"], object)
    store.save_content(place.home, pool_id, ContentFindings(*found))
    tokens = np.full(n, 8, np.int32)
    store.save_lengths(
        place.home, pool_id, Lengths(tokens, tokens, np.full(n, "", object), "demo", 512, "", 512)
    )
    none = np.zeros(0, np.int32), *(np.zeros(0, object),) * 2, np.zeros(0, np.int32), np.zeros(0, np.float32)
    overlaps = Overlaps(*none, np.zeros(0, np.int32), np.zeros(0, object), np.arange(2))
    store.save_overlaps(place.home, pool_id, store.Against("0" * 16, "held.jsonl", "held.jsonl", 3), overlaps)


def build_search(place: Place) -> None:
    """Index the new pool."""
    store.build_search(place.home, store.load_pool_from_store(place.home, new_pool(place).id))


def count_ngrams(place: Place) -> None:
    """Count its n-grams."""
    store.ngram_counts(place.home, new_pool(place))


def keep_losses(place: Place, *, values: float = 1.0) -> None:
    """Keep the losses of thirty sequences, in two pieces."""
    keys = np.array([f"{number:016d}" for number in range(30)], dtype="S16")
    with store.LossWriter(store.kept_folder(place.home, {"files": "x", "max_length": 9})) as writer:
        writer.add(keys[:20], np.full(20, values))
        writer.flush()
        writer.add(keys[20:], np.full(10, values))
        writer.replace_older()


def write_epoch(place: Place, epoch: int) -> None:
    """Write an epoch's record anew."""
    record = store.read_epoch(place.home, place.first[1], 0)
    scores = dataclasses.replace(record.scores, complexity=record.scores.complexity * np.float32(0.9))
    store.write_epoch(place.home, place.first[1], dataclasses.replace(record, epoch=epoch, scores=scores))


def write_metrics(place: Place) -> None:
    """Append a line."""
    store.append_metrics(place.home, place.first[1], Metrics(9, 3.0, loss=1.5))


def half_a_line(place: Place) -> None:
    """What a process leaves that is killed while it appends."""
    path = store.run_folder(place.home, place.first[1]) / "metrics.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"step": 8, "lo')


def edit(place: Place, count: int, text: str = "tea and a copper window") -> None:
    """Correct the first responses of the first pool."""
    store.set_responses(place.home, place.first[0], dict.fromkeys(place.ids()[:count], text), "Ada")


def edit_and_open(place: Place, times: int = 1) -> None:
    """Edit and open the edited pool, a few times."""
    for number in range(times):
        edit(place, 2 + number)
        store.edited_pool_id(place.home, place.first[0])


def open_edited(place: Place) -> None:
    """Open the pool with its edits, which stores it."""
    store.edited_pool(place.home, place.first[0])


def import_scores(place: Place) -> None:
    """Import scores of all samples."""
    pool, path = place.pool(), place.home.parent / "scores.jsonl"
    lines: list[dict[str, Any]] = [
        {"id": one, "complexity": 0.5 + at / 100} for at, one in enumerate(place.ids())
    ]
    path.write_bytes(as_lines(lines))
    found = foreign_scores.read_foreign_scores([str(path)], pool)
    imported_scores.keep_imported(place.home, pool, found, name="theirs", model="m", who="Ada")


def export(place: Place, name: str, epoch: int = 1, **options: Any) -> None:
    """Export an epoch, and write down that it was."""
    place.out.mkdir(exist_ok=True)
    picks = picks_of_run(place.home, place.first[1], epoch)
    made = export_picks(place.out / name, picks, ExportOptions(**options))
    store.note_export(place.home, place.first[1], epoch, rows=made.samples, file=name, who="Ada")


def launch(place: Place, *, edited: bool = False) -> None:
    """Queue a run that is given scores, or one on the pool with its edits."""
    config = store.read_config(place.home, place.first[1])
    config = dataclasses.replace(config, model="demo", max_length=512)
    if edited:
        run_launch.launch(place.home, config, pool=store.edited_pool(place.home, place.first[0]))
        return
    losses = np.full(len(place.pool()), 0.5, np.float32)
    given = dataclasses.replace(Scores.unknown(len(losses)), loss_cond=losses, loss_prior=losses)
    run_launch.launch(place.home, config, pool=place.first[0], given=(given, {"files": "x"}))


def evaluate(place: Place) -> None:
    """Queue an evaluation."""
    plan = evaluations.Plan("run", "m", "", "", "auto", ("arc_easy",), None, None, 1, False, "", "")
    evaluations.create_evaluation(place.home, place.first[1], plan)


def ask_review(place: Place) -> None:
    """Let a run that is at work wait for a review."""
    store.ask_review(place.home, place.first[1], store.read_epoch(place.home, place.first[1], 0), until=None)


def set_to_work(place: Place) -> None:
    """The first run, as one that is at work."""
    store.set_state(place.home, place.first[1], "running")


def delete(place: Place) -> None:
    """Delete the first run."""
    store.delete_run(place.home, place.first[1], who="Ada")


def remove_database(place: Place) -> None:
    """Leave the folder without a database, as a new one is."""
    for path in place.home.glob("studio.sqlite*"):
        path.unlink()


def hash_files(place: Place) -> None:
    """Remember the hash of a model's file."""
    path = place.home.parent / "model.bin"
    path.write_bytes(b"weights")
    os.utime(path, (1, 1))
    store.content_hashes(store.known_files(place.home), [path])


def mark(place: Place, kind: Any = "pinned", count: int = 3) -> None:
    """Mark the first samples."""
    store.set_mark(place.home, place.first[0], place.ids()[:count], kind, "Ada")
