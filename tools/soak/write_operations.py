"""Everything that writes into a runs folder, by its name: what a process dies in (see `deaths`)."""

from __future__ import annotations

import dataclasses
import logging
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend import diversity, store
from backend.analysis.receipt import write_receipt
from backend.config import SelectionSettings
from backend.jobs import lifecycle, run_launch
from tools.soak.write_acts import (
    Place,
    ask_review,
    build_search,
    count_ngrams,
    damage_pool,
    delete,
    edit,
    edit_and_open,
    evaluate,
    export,
    find,
    half_a_line,
    hash_files,
    import_scores,
    keep_losses,
    launch,
    lay_out,
    mark,
    open_edited,
    remove_database,
    save_pool,
    set_to_work,
    write_epoch,
    write_metrics,
)

Act = Callable[[Place], Any]
__all__ = [
    "OPERATIONS",
    "diversity",
    "perform",
]  # compiled code: read by the process that the others are copies of


@dataclass(frozen=True)
class Operation:
    """Something that writes.

    before : what is done in peace before it. alone : no other run is listed then, so that no screen is asked for one.
    """

    do: Act
    before: tuple[Act, ...] = ()
    alone: bool = False


def perform(name: str, place: Place, *, before: bool = False) -> None:
    """Do an operation, or what comes before it; what is queued stays in the queue."""
    lifecycle.pump = lambda home, *, kinds=(): []
    lifecycle.spawn = lambda command, log, *, threads=0: subprocess.Popen(["true"])
    logging.disable(logging.CRITICAL)
    operation = OPERATIONS[name]
    for act in operation.before if before else (operation.do,):
        act(place)


PUMP = lifecycle.pump


def _operation(do: Act, *before: Act) -> Operation:
    return Operation(do, before)


OPERATIONS: dict[str, Operation] = {
    "pool": _operation(save_pool),
    "pool, another column": _operation(lambda at: save_pool(at, column=True), save_pool),
    "pool, written over": _operation(save_pool, save_pool, damage_pool),
    "n-grams": _operation(count_ngrams, save_pool),
    "search index": _operation(build_search, save_pool),
    "map and clusters": _operation(lay_out),
    "near, content, lengths, overlaps": _operation(find),
    "cutting into words": _operation(lambda at: store.set_pool_words(at.home, at.first[0], "unicode"), lambda at: store.set_pool_words(at.home, at.first[0], "paper")),
    "rows of an outline": _operation(lambda at: store.save_rows(at.home, at.first[0], np.arange(7))),
    "kept scores": _operation(keep_losses),
    "kept scores, anew": _operation(lambda at: keep_losses(at, values=2.0), keep_losses),
    "imported scores": _operation(import_scores),
    "imported scores, again": _operation(import_scores, import_scores),
    "hashes of a model": _operation(hash_files),
    "epoch": _operation(lambda at: write_epoch(at, 2)),
    "epoch, decided again": _operation(lambda at: write_epoch(at, 1)),
    "epochs forgotten": _operation(lambda at: store.remove_epochs(at.home, at.first[1], after=-1)),
    "metrics": _operation(write_metrics),
    "metrics after half a line": _operation(write_metrics, half_a_line),
    "metrics forgotten": _operation(lambda at: store.forget_metrics(at.home, at.first[1], after=1)),
    "receipt": _operation(lambda at: write_receipt(at.home, at.first[1])),
    "marks": _operation(mark),
    "marks, others": _operation(lambda at: mark(at, "excluded", 5), mark),
    "note": _operation(lambda at: store.set_note(at.home, at.first[0], at.ids()[:1], "look", "Ada")),
    "edit": _operation(lambda at: edit(at, 2)),
    "undo": _operation(lambda at: store.undo(at.home, at.first[0], "Ada"), mark),
    "redo": _operation(lambda at: store.redo(at.home, at.first[0], "Ada"), mark, lambda at: store.undo(at.home, at.first[0], "Ada")),
    "edited pool": _operation(open_edited, lambda at: edit(at, 2)),
    "edited pool, next": _operation(open_edited, edit_and_open, lambda at: edit(at, 5, "seven rivers")),
    "edited pool, old ones go": _operation(open_edited, lambda at: edit_and_open(at, 8), lambda at: edit(at, 12, "seven rivers")),
    "saved settings": _operation(lambda at: store.save_settings(at.home, at.first[0], "mine", dataclasses.asdict(SelectionSettings()), scores="x", who="Ada")),
    "name and tags of a run": _operation(lambda at: store.label_run(at.home, at.first[1], name="other", tags=["t"], notes="n")),
    "comparison": _operation(lambda at: store.create_comparison(at.home, "both", who="Ada")),
    "runs of a comparison": _operation(lambda at: store.add_to_comparison(at.home, store.comparisons(at.home)[0].id, [at.first[1], at.second[1]]), lambda at: store.create_comparison(at.home, "both")),
    "run": _operation(launch),
    "run, again": _operation(lambda at: run_launch.run_again(at.home, at.first[1])),
    "run with edits": _operation(lambda at: launch(at, edited=True), lambda at: edit(at, 2)),
    "start from the queue": _operation(lambda at: PUMP(at.home, kinds=("run",)), launch),
    "database": Operation(mark, (remove_database,), alone=True),
    "evaluation": _operation(evaluate),
    "review": _operation(ask_review, set_to_work),
    "draft of a review": _operation(lambda at: store.save_draft(at.home, at.first[1], 0, {"decay": 0.2}, mark_pool=True, who="Ada")),
    "answer to a review": _operation(lambda at: store.answer_review(at.home, at.first[1], 0, {"decay": 0.2}, who="Ada"), set_to_work, ask_review),
    "export of a file": _operation(lambda at: export(at, "picks.jsonl", recipe=True)),
    "export over a file": _operation(lambda at: export(at, "picks.parquet", recipe=True), lambda at: export(at, "picks.parquet", 0, recipe=True)),
    "export of a folder": _operation(lambda at: export(at, "folder")),
    "export over a folder": _operation(lambda at: export(at, "folder", scores=True), lambda at: export(at, "folder", 0, kind="json")),
    "deletion of a run": _operation(delete),
    "return of a run": _operation(lambda at: store.restore_run(at.home, at.first[1]), delete),
    "erasure of a run": _operation(lambda at: store.erase_run(at.home, at.first[1]), delete),
}  # fmt: skip
"""What is done, by its name."""
