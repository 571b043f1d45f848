"""What processes that were killed have left: removed, brought back or done again, and never taken for whole."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from small_runs import small_config, small_pool, small_record

from backend import data, store
from backend.analysis.export_files import ExportOptions, check_out, export_picks
from backend.analysis.picks_export import picks_of_run
from backend.errors import PoolError, RunError

MARK = "4711-0a1b2c3d"


@pytest.fixture
def run(tmp_path: Path) -> str:
    store.save_pool(tmp_path, small_pool())
    made = store.create_run(tmp_path, small_config(), small_pool())
    for epoch in range(3):
        store.write_epoch(tmp_path, made, small_record(epoch))
    store.set_state(tmp_path, made, "done")
    return made


def age(*paths: Path) -> None:
    for path in paths:
        for one in (*path.rglob("*"), path):
            os.utime(one, (1, 1))


def test_what_was_left_is_removed_after_a_day(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = store.pool_folder(tmp_path, small_pool().id)
    left = [
        pool / f".samples.{MARK}.parquet", pool / f".ngrams.{MARK}.npzabc.tmp", tmp_path / "deleted" / f".{run}.{MARK}.gone",
        tmp_path / run / "epochs" / f".0.{MARK}.new", tmp_path / run / "epochs" / f".1.{MARK}.old", tmp_path / run / f".receipt.{MARK}.json",
    ]  # fmt: skip
    for path in left:
        if path.suffix in (".new", ".old", ".gone"):
            path.mkdir(parents=True)
        (path / "a" if path.is_dir() else path).write_text("half")
    before = store.epochs(tmp_path, run)
    assert store.remove_leftovers(tmp_path) == 0 and all(path.exists() for path in left)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400)
    assert store.remove_leftovers(tmp_path) == len(left) and not any(path.exists() for path in left)
    assert store.epochs(tmp_path, run) == before and store.damaged_files(tmp_path) == []


def test_a_folder_that_was_being_replaced_comes_back(tmp_path: Path, run: str) -> None:
    place = tmp_path / run / "epochs" / "1"
    place.rename(place.with_name(f".1.{MARK}.old"))
    assert store.epochs(tmp_path, run) == [0, 2]
    store.remove_leftovers(tmp_path, older=-1)
    assert store.epochs(tmp_path, run) == [0, 1, 2] and store.read_epoch(tmp_path, run, 1).epoch == 1


def test_a_run_that_was_never_queued_is_removed_and_no_other(tmp_path: Path, run: str) -> None:
    never, kept = (tmp_path / f"20260101-000000-00000{number}" for number in range(2))

    def made(folder: Path) -> None:
        folder.mkdir()
        shutil.copy(tmp_path / run / "config.json", folder)

    made(never)
    asked = tmp_path / run / "evaluations" / never.name
    asked.mkdir(parents=True)
    (asked / "evaluation.json").write_text("{}")
    store.remove_leftovers(tmp_path, older=-1)
    assert not never.exists() and not asked.exists() and store.epochs(tmp_path, run) == [0, 1, 2]
    # a run that has begun and is in no list: the list was lost, and with it what was queued
    made(never)
    made(kept)
    (kept / "metrics.jsonl").write_text("{}\n")
    store.remove_leftovers(tmp_path, older=-1)
    assert never.exists() and kept.exists()
    shutil.rmtree(never)
    (tmp_path / "studio.sqlite").unlink()
    never.mkdir()
    store.remove_leftovers(tmp_path, older=-1)  # nobody knows which runs there are
    assert never.exists()


def test_a_deleted_run_whose_folder_was_not_moved_comes_back_and_is_erased(tmp_path: Path, run: str) -> None:
    store.delete_run(tmp_path, run)
    (tmp_path / "deleted" / run).rename(tmp_path / run)  # as where a process is killed before it moves it
    store.restore_run(tmp_path, run)
    assert store.epochs(tmp_path, run) == [0, 1, 2] and [one.id for one in store.runs(tmp_path)] == [run]
    store.delete_run(tmp_path, run)
    (tmp_path / "deleted" / run).rename(tmp_path / run)
    store.erase_run(tmp_path, run)
    assert not (tmp_path / run).exists() and store.runs(tmp_path, deleted=True) == []


def test_a_run_whose_folder_cannot_be_moved_stays_listed(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("it is in use")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="in use"):
        store.delete_run(tmp_path, run)
    assert [one.id for one in store.runs(tmp_path)] == [run]


def test_a_run_that_somebody_began_to_erase_can_only_be_erased(tmp_path: Path, run: str) -> None:
    store.delete_run(tmp_path, run)
    shutil.rmtree(tmp_path / "deleted" / run)
    with pytest.raises(RunError, match="began to erase it; erase it again"):
        store.restore_run(tmp_path, run)
    store.erase_run(tmp_path, run)
    assert store.runs(tmp_path, deleted=True) == []


def test_epochs_are_forgotten_from_the_last_one_on(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("backend.store.epoch_records.remove_folder", lambda path: seen.append(path.name))
    store.remove_epochs(tmp_path, run, after=0)
    assert seen == ["2", "1"]


def test_a_run_is_queued_with_the_losses_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_pool(tmp_path, small_pool())
    scores, there = small_record().scores, []
    add = store.run_states.add_job  # type: ignore[attr-defined]

    def look(connection: object, run: str, *words: object, **more: object) -> None:
        there.append(store.given_losses(tmp_path, run))
        add(connection, run, *words, **more)

    monkeypatch.setattr("backend.store.run_states.add_job", look)
    store.create_run(tmp_path, small_config(), small_pool(), given=(scores, {"files": "x"}))
    assert there[0] is not None and there[0].depends_on == {"files": "x"}
    np.testing.assert_array_equal(there[0].losses[0], scores.loss_cond.astype(np.float64))


def test_a_choice_of_words_is_told_again_where_it_was_not(tmp_path: Path) -> None:
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    store.write_json(store.pool_folder(tmp_path, pool.id) / "words.json", {"words": "unicode"})
    store.set_pool_words(tmp_path, pool.id, "unicode")
    assert store.curation_revision(tmp_path, pool.id) == 1


def test_an_export_that_was_ended_says_so_and_is_done_again(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, picks = tmp_path / "out", picks_of_run(tmp_path, run)
    export_picks(out, picks)

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("backend.analysis.export_files.write_parts", killed)
        with pytest.raises(Killed):
            export_picks(out, picks)
    assert [path.name for path in out.iterdir()] == ["recipe.json"]
    assert "export again" in json.loads((out / "recipe.json").read_text())["unfinished"]
    (out / "train.jsonl").write_text("{}\n")
    export_picks(out, picks)
    assert json.loads((out / "recipe.json").read_text())["samples"] == 2
    assert json.loads((out / "train.jsonl").read_text().splitlines()[0])["messages"]
    # ended before it could say anything
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / f".recipe.{MARK}.json").write_text("{")
    assert check_out(empty)
    (empty / "mine.txt").write_text("x")
    with pytest.raises(PoolError, match="holds something else"):
        check_out(empty)


def test_a_recipe_is_of_the_file_beside_it(tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, picks = tmp_path / "out.jsonl", picks_of_run(tmp_path, run)
    export_picks(out, picks, ExportOptions(recipe=True))
    recipe = out.with_name("out.recipe.json")
    assert recipe.is_file()

    def fail(*_: object) -> None:
        raise OSError("ended")

    monkeypatch.setattr(store, "write_json", fail)
    with pytest.raises(OSError, match="ended"):
        export_picks(out, picks, ExportOptions(recipe=True))
    assert out.is_file() and not recipe.exists()


def test_unfinished_files_of_exports_go_with_the_next_one(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".a.jsonl.1.part", ".a.jsonl.2.part", ".b.jsonl.1.part"))
    for path in (old, new, other):
        path.write_text("half")
    age(old, other)
    data.write_samples(tmp_path / "a.jsonl", small_pool(), [0], "messages")
    assert [path.exists() for path in (old, new, other)] == [False, True, True]
