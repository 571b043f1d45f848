"""The runs folder: what is written is what is read, whole or not at all, and ids never lead out of it."""

import dataclasses
import json
import multiprocessing
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from small_runs import small_config, small_pool, small_record

from backend import store
from backend.data import load_pool
from backend.errors import PoolError, RunError
from backend.records import Metrics, Progress
from backend.store import database
from backend.store.files import append_line, read_lines, replacing, replacing_folder

NAUGHTY = [
    "",
    ".",
    "..",
    "../x",
    "20251122-174455-3fa9c1/../..",
    "20251122-174455-3fa9c1\n",
    "/etc",
    "g" * 12,
    None,
    7,
]


@pytest.fixture
def run(tmp_path):
    store.save_pool(tmp_path, small_pool())
    return store.create_run(tmp_path, small_config(), small_pool())


def same(a, b) -> bool:
    """Equal records: arrays by value and type, NaN equal to NaN; a function by what it gives."""
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple) and a and isinstance(a[0], np.ndarray):
        return all(map(same, a, b))
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    return same(a(), b()) if callable(a) else a == b


# --- pools ---


def test_a_pool_comes_back_as_it_was(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool, inputs=["small.json"])
    back = store.load_pool_from_store(tmp_path, pool.id)
    assert back.table.equals(pool.table) and back.table.schema == pool.table.schema
    assert (back.id, back.name, back.rejected) == (pool.id, pool.name, pool.rejected)
    info = store.pool_info(tmp_path, pool.id)
    assert info.sources == {"school": 3, "shop": 3}
    assert (info.rows, info.rejected, info.inputs, info.has_map) == (6, 1, ("small.json",), False)
    assert not info.has_labels
    assert list(store.sample_ids(tmp_path, pool.id)) == list(pool.ids)


def test_saving_a_pool_again_writes_nothing_and_a_new_name_is_kept(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    path = store.pool_folder(tmp_path, pool.id) / "samples.parquet"
    before = path.stat().st_mtime_ns
    store.save_pool(tmp_path, pool)
    assert path.stat().st_mtime_ns == before
    store.save_pool(tmp_path, dataclasses.replace(pool, name="other"))
    assert store.pool_info(tmp_path, pool.id).name == "other"


def test_held_out_samples_are_not_among_the_pools_until_somebody_opens_them(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool, listed=False)
    assert store.list_pools(tmp_path) == []
    store.save_pool(tmp_path, pool)
    store.save_pool(tmp_path, pool, listed=False)
    assert [info.id for info in store.list_pools(tmp_path)] == [pool.id]


def test_a_map_comes_back_with_its_gaps(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    assert store.load_map(tmp_path, pool.id) is None
    xy = np.arange(12, dtype=np.float32).reshape(6, 2)
    xy[5] = np.nan
    store.save_map(tmp_path, pool.id, store.PoolMap(xy, "umap", {"umap": 1.5}))
    back = store.load_map(tmp_path, pool.id)
    assert same(back, store.PoolMap(xy, "umap", {"umap": 1.5}))
    assert list(back.placed) == [True] * 5 + [False]
    assert store.pool_info(tmp_path, pool.id).has_map


def test_counts_with_another_suffix_are_another_file(tmp_path):
    plain = store.ngrams_path(tmp_path, "abcdef12")
    assert plain.name == "ngrams.npz"
    assert store.ngrams_path(tmp_path, "abcdef12", suffix="<|im_end|>") != plain


def test_counts_of_another_version_are_made_anew(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    counts = store.ngram_counts(tmp_path, pool)
    path = store.ngrams_path(tmp_path, pool.id)
    written = path.stat().st_mtime_ns
    assert same(store.ngram_counts(tmp_path, pool).indices, counts.indices)
    assert path.stat().st_mtime_ns == written
    with path.open("wb") as file:
        np.savez(file, format=np.array(1), indices=counts.indices)
    assert same(store.ngram_counts(tmp_path, pool).indices, counts.indices)
    path.write_bytes(b"PK broken")
    with pytest.raises(PoolError, match="delete the file to count again"):
        store.ngram_counts(tmp_path, pool)


# --- ids ---


@pytest.mark.parametrize("name", NAUGHTY)
def test_an_id_that_is_none_is_refused_before_it_becomes_a_path(tmp_path, name):
    for read in (
        store.run_info,
        store.read_config,
        store.read_metrics,
        store.read_log,
        store.events,
        store.epochs,
        store.read_run_pool,
    ):
        with pytest.raises(RunError, match="not a run id"):
            read(tmp_path, name)
    with pytest.raises(RunError, match="not a run id"):
        store.read_epoch(tmp_path, name, 0)
    for read in (store.load_pool_from_store, store.pool_info, store.marks, store.load_map, store.undo):
        with pytest.raises(PoolError, match="not a pool id"):
            read(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_run_says_so_and_leaves_no_trace(tmp_path):
    assert store.runs(tmp_path / "new") == []
    with pytest.raises(RunError, match="run 20251122-174455-3fa9c1 not found"):
        store.run_info(tmp_path / "new", "20251122-174455-3fa9c1")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("epoch", [-1, "../0", 1.5, True, None])
def test_an_epoch_is_a_number(tmp_path, run, epoch):
    with pytest.raises(RunError, match="a whole number"):
        store.read_epoch(tmp_path, run, epoch)


# --- runs ---


def test_a_run_keeps_its_configuration_and_starts_in_the_queue(tmp_path, run):
    assert store.read_config(tmp_path, run) == small_config()
    info = store.run_info(tmp_path, run)
    assert (info.state, info.name, info.strategy, info.pool_rows, info.epochs) == (
        "queued",
        "iterit 2",
        "iterit",
        6,
        3,
    )
    assert (info.ahead, info.pid, info.stage, info.eta) == (0, None, None, None)
    assert [event.kind for event in store.events(tmp_path, run)] == ["queued"]
    assert store.read_run_pool(tmp_path, run) == store.RunPool(small_pool().id, "small", 6, None)


def test_runs_come_newest_first_and_know_their_place_in_the_queue(tmp_path, run):
    second = store.create_run(tmp_path, small_config(name="second"), small_pool())
    assert [info.id for info in store.runs(tmp_path)] == [second, run]
    assert store.run_info(tmp_path, second).ahead == 1
    assert store.claim_next(tmp_path, "here") == run
    assert store.claim_next(tmp_path, "here") is None
    assert store.run_info(tmp_path, second).ahead == 1
    store.set_state(tmp_path, run, "done")
    assert store.claim_next(tmp_path, "here") == second


def test_a_run_that_allows_others_beside_it_need_not_wait(tmp_path, run):
    beside = store.create_run(tmp_path, small_config(), small_pool(), allow_parallel=True)
    assert store.claim_next(tmp_path, "here") == run
    assert store.claim_next(tmp_path, "here") == beside


def test_a_state_changes_only_from_what_was_expected(tmp_path, run):
    assert not store.set_state(tmp_path, run, "stopping", expect=("running",))
    assert store.run_info(tmp_path, run).state == "queued"
    assert store.set_state(tmp_path, run, "failed", error="out of apples", expect=("queued",))
    info = store.run_info(tmp_path, run)
    assert (info.state, info.error, info.resumable) == ("failed", "out of apples", True)
    assert info.ended is not None
    with pytest.raises(RunError, match="allowed: queued, running"):
        store.set_state(tmp_path, run, "asleep")


def test_only_one_worker_takes_a_run(tmp_path, run):
    store.claim_next(tmp_path, "here")
    assert store.take(tmp_path, run, host="here", pid=11, process_started=1.0, claimed=True) == "running"
    store.set_process(tmp_path, run, host="here", pid=12, process_started=2.0)
    assert store.run_info(tmp_path, run).pid == 11
    with pytest.raises(RunError, match="process 11 on here already works"):
        store.take(tmp_path, run, host="here", pid=12, process_started=2.0)
    store.set_state(tmp_path, run, "stopped")
    with pytest.raises(RunError, match="is stopped"):
        store.take(tmp_path, run, host="here", pid=12, process_started=2.0, claimed=True)
    assert store.take(tmp_path, run, host="here", pid=12, process_started=2.0) == "running"
    info = store.run_info(tmp_path, run)
    assert (info.pid, info.resume, info.attempt) == (12, True, 2)


def test_only_what_ended_early_is_queued_again(tmp_path, run):
    with pytest.raises(RunError, match="only a stopped or failed run"):
        store.queue_again(tmp_path, run)
    store.set_state(tmp_path, run, "failed", error="x")
    store.queue_again(tmp_path, run)
    info = store.run_info(tmp_path, run)
    assert (info.state, info.resume, info.error, info.ended) == ("queued", True, None, None)


def test_progress_and_time_left(tmp_path, run, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("backend.store.jobs.time.time", lambda: clock[0])
    store.claim_next(tmp_path, "here")
    store.set_plan(
        tmp_path,
        run,
        [store.Planned("score", 0, 100), store.Planned("train", 0, 10), store.Planned("train", 1, 10)],
    )

    def report(stage, epoch, done, total, seconds):
        clock[0] += seconds
        store.heartbeat(tmp_path, run, Progress(stage, epoch, done, total, "steps", 42))
        return store.run_info(tmp_path, run)

    assert report("score", 0, 0, 100, 0).stage_eta is None
    info = report("score", 0, 25, 100, 5)
    assert info.stage_eta == 15.0
    assert info.eta is None  # no training step has been measured
    assert (info.stage, info.epoch, info.done, info.total, info.unit, info.tokens) == (
        "score",
        0,
        25,
        100,
        "steps",
        42,
    )
    report("score", 0, 100, 100, 15)
    report("train", 0, 0, 10, 0)
    info = report("train", 0, 5, 10, 10)
    assert (info.stage_eta, info.eta) == (10.0, 30.0)
    report("train", 0, 10, 10, 10)
    assert report("save", 0, 0, 0, 1).eta == 20.0  # an unplanned stage: what is left of the plan
    assert report("train", 1, 0, 10, 1).eta == 20.0
    assert store.heartbeat(tmp_path, run) == "running"
    store.set_state(tmp_path, run, "done")
    assert store.run_info(tmp_path, run).eta is None


def test_steps_that_a_resumed_run_skips_are_not_speed(tmp_path, run, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("backend.store.jobs.time.time", lambda: clock[0])
    store.claim_next(tmp_path, "here")
    store.heartbeat(tmp_path, run, Progress("train", 0, 0, 100, "steps"))
    clock[0] += 10
    store.heartbeat(tmp_path, run, Progress("train", 0, 10, 100, "steps"))
    store.set_state(tmp_path, run, "stopped")
    store.queue_again(tmp_path, run)
    store.claim_next(tmp_path, "here")
    clock[0] += 500
    store.heartbeat(tmp_path, run, Progress("train", 0, 50, 100, "steps"))
    assert store.run_info(tmp_path, run).stage_eta is None
    clock[0] += 10
    store.heartbeat(tmp_path, run, Progress("train", 0, 60, 100, "steps"))
    assert store.run_info(tmp_path, run).stage_eta == 40.0


def test_the_log_ends_with_what_was_printed_last(tmp_path, run):
    assert store.read_log(tmp_path, run) == ""
    store.log_path(tmp_path, run).write_bytes(b"one\n 10%\r 90%\r100%\nthree \xff\n")
    assert store.read_log(tmp_path, run) == "one\n100%\nthree �"
    assert store.read_log(tmp_path, run, tail=1) == "three �"


def test_a_configuration_that_cannot_be_read_says_where(tmp_path, run):
    path = store.run_folder(tmp_path, run) / "config.json"
    path.write_text("{")
    with pytest.raises(RunError, match=r"config\.json is not a configuration"):
        store.read_config(tmp_path, run)


# --- epochs and metrics ---


def test_an_epoch_comes_back_as_it_was(tmp_path, run):
    for epoch in (0, 1):
        store.write_epoch(tmp_path, run, small_record(epoch))
    assert store.epochs(tmp_path, run) == [0, 1]
    for epoch in (0, 1):
        assert same(store.read_epoch(tmp_path, run, epoch), small_record(epoch))
    with pytest.raises(RunError, match=r"has no epoch 2 \(there are: \[0, 1\]\)"):
        store.read_epoch(tmp_path, run, 2)


def test_an_epoch_written_again_replaces_the_old(tmp_path, run):
    store.write_epoch(tmp_path, run, small_record(0))
    other = dataclasses.replace(small_record(1), epoch=0)
    store.write_epoch(tmp_path, run, other)
    assert same(store.read_epoch(tmp_path, run, 0), other)
    folder = store.run_folder(tmp_path, run) / "epochs"
    assert [path.name for path in folder.iterdir()] == ["0"]


def test_an_epoch_with_an_empty_selection(tmp_path, run):
    record = small_record()
    nothing = dataclasses.replace(
        record.selection,
        rows=np.zeros(0, dtype=np.int64),
        gain=np.zeros(0),
        diversity=np.zeros(0),
        explain=lambda: (np.zeros((0, 2), dtype=object), np.zeros((0, 2), dtype=np.float32)),
    )
    record = dataclasses.replace(record, selection=nothing)
    store.write_epoch(tmp_path, run, record)
    assert same(store.read_epoch(tmp_path, run, 0), record)


def test_half_an_epoch_is_never_seen(tmp_path, run, monkeypatch):
    def fails(*args):
        raise OSError("disk full")

    monkeypatch.setattr("backend.store.epoch_records.write_json", fails)
    with pytest.raises(OSError, match="disk full"):
        store.write_epoch(tmp_path, run, small_record())
    assert store.epochs(tmp_path, run) == []
    assert list((store.run_folder(tmp_path, run) / "epochs").iterdir()) == []


def test_metrics_are_read_in_order_without_a_torn_line(tmp_path, run):
    lines = [
        Metrics(0, 0.0, held_out=3.0, held_out_epoch=0),
        Metrics(1, 0.5, loss=2.0),
        Metrics(2, 1.0, loss=1.5),
    ]
    for line in lines:
        store.append_metrics(tmp_path, run, line)
    path = store.run_folder(tmp_path, run) / "metrics.jsonl"
    with open(path, "a") as file:
        file.write('{"step": 3, "epo')
    assert store.read_metrics(tmp_path, run) == lines
    store.append_metrics(tmp_path, run, Metrics(3, 1.5, loss=1.0))
    assert store.read_metrics(tmp_path, run) == [*lines, Metrics(3, 1.5, loss=1.0)]


def test_steps_repeated_after_a_resume_replace_the_old(tmp_path, run):
    held_out = Metrics(2, 1.0, held_out=3.0, held_out_epoch=1)
    for line in (
        Metrics(1, 0.5, loss=9.0),
        Metrics(2, 1.0, loss=8.0),
        held_out,
        Metrics(3, 1.5, loss=7.0),
        Metrics(4, 2.0, loss=6.0),
        Metrics(3, 1.5, loss=5.0),
    ):
        store.append_metrics(tmp_path, run, line)
    assert [m.loss for m in store.read_metrics(tmp_path, run)] == [9.0, 8.0, None, 5.0]
    store.append_metrics(tmp_path, run, Metrics(3, 1.5, loss=4.0))
    assert [m.loss for m in store.read_metrics(tmp_path, run)] == [9.0, 8.0, None, 4.0]


def test_a_loss_that_is_not_finite_is_kept_and_the_file_is_json(tmp_path, run):
    store.append_metrics(tmp_path, run, Metrics(1, 0.5, loss=float("nan"), grad_norm=float("inf")))
    text = (store.run_folder(tmp_path, run) / "metrics.jsonl").read_text()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    metrics = store.read_metrics(tmp_path, run)[0]
    assert np.isnan(metrics.loss) and metrics.grad_norm == np.inf and metrics.held_out is None


def test_epochs_that_will_be_decided_again_are_forgotten(tmp_path, run):
    for epoch in range(3):
        store.write_epoch(tmp_path, run, small_record(epoch))
    store.remove_epochs(tmp_path, run, after=0)
    assert store.epochs(tmp_path, run) == [0]


# --- files ---


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "a"
    with replacing_folder(path) as temporary:
        (temporary / "x").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_folder(path) as temporary:
        (temporary / "x").write_text("half")
        raise ZeroDivisionError
    assert (path / "x").read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path):
    path = tmp_path / "lines.jsonl"
    append_line(path, {"a": 1})
    with open(path, "a") as file:
        file.write('"' + "x" * 200_000)
    append_line(path, {"a": 2})
    assert read_lines(path) == [{"a": 1}, {"a": 2}]
    path.write_text("torn")
    append_line(path, {"a": 3})
    assert read_lines(path) == [{"a": 3}]


# --- database ---


def _claim_all(home, barrier, found):
    barrier.wait()
    while (run := store.claim_next(home, "here")) is not None:
        found.put(run)
    found.put(None)


def test_a_run_is_claimed_once_however_many_ask(tmp_path):
    made = {store.create_run(tmp_path, small_config(), small_pool(), allow_parallel=True) for _ in range(8)}
    context = multiprocessing.get_context("spawn")
    barrier, found = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_claim_all, args=(tmp_path, barrier, found)) for _ in range(3)]
    for process in processes:
        process.start()
    claimed, ended = [], 0
    while ended < 3:
        run = found.get(timeout=60)
        ended += run is None
        claimed += [run] if run else []
    for process in processes:
        process.join()
        process.close()
    found.close()
    assert sorted(claimed) == sorted(made)


def _create(home, barrier):
    barrier.wait()
    store.create_run(home, small_config(), small_pool())


@pytest.mark.slow
def test_two_processes_may_make_the_database_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_create, args=(tmp_path, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    assert len(store.runs(tmp_path)) == 3


def test_a_newer_database_is_left_alone(tmp_path):
    store.create_run(tmp_path, small_config(), small_pool())
    connection = sqlite3.connect(database.path_of(tmp_path))
    connection.execute(f"PRAGMA user_version = {database.SCHEMA_VERSION + 1}")
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()
    with pytest.raises(RunError, match="newer version of the studio"):
        store.runs(tmp_path)


def test_a_file_that_is_no_database_says_so(tmp_path):
    database.path_of(tmp_path).write_text("not a database, but long enough to be looked at" * 10)
    with pytest.raises(RunError, match="not a database"):
        store.runs(tmp_path)


def test_a_failed_transaction_leaves_nothing(tmp_path, run):
    with pytest.raises(ZeroDivisionError), database.writing(tmp_path) as connection:
        connection.execute("DELETE FROM events")
        connection.execute("UPDATE runs SET name = 'gone'")
        raise ZeroDivisionError
    assert store.run_info(tmp_path, run).name == "iterit 2"


def test_a_newer_pool_is_left_alone(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    path = store.pool_folder(tmp_path, pool.id) / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(PoolError, match="newer version"):
        store.load_pool_from_store(tmp_path, pool.id)


def test_a_connection_held_open_keeps_the_log_from_being_folded_in_each_time(tmp_path, run):
    log = database.path_of(tmp_path).with_name("studio.sqlite-wal")
    store.add_event(tmp_path, run, "started", "one")
    assert not log.exists()  # the last connection was closed
    with store.held_open(tmp_path):
        store.add_event(tmp_path, run, "started", "two")
        assert log.stat().st_size > 0
    assert not log.exists()
    assert [event.text for event in store.events(tmp_path, run)][-2:] == ["one", "two"]


def test_one_sample_is_that_of_the_whole_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the rows are stored in several groups."""
    monkeypatch.setattr(store.pools, "GROUP_ROWS", 5)
    rows = [{"prompt": f"question {i}", "completion": "same" if i % 2 else f"answer {i}"} for i in range(12)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pool = load_pool([tmp_path / "pool.jsonl"])
    store.save_pool(tmp_path, pool)
    for row in range(12):
        found = store.sample_at(tmp_path, pool.id, row)
        assert (found.id, found.turns, found.response) == (pool.ids[row], pool.turns(row), pool.response(row))
    for row in (-1, 12):
        with pytest.raises(PoolError, match="is not in pool"):
            store.sample_at(tmp_path, pool.id, row)


def test_a_stored_sample_keeps_its_structure(tmp_path: Path) -> None:
    from iterit_ui.samples.sample_values import (
        said_of,  # not above: the processes started here would import it
    )

    answer = {"role": "assistant", "content": "51", "reasoning_content": "17*3 is 51."}
    row = {"messages": [{"role": "user", "content": "17*3?"}, answer]}
    (tmp_path / "pool.jsonl").write_text(json.dumps(row) + "\n")
    pool = load_pool([tmp_path / "pool.jsonl"])
    store.save_pool(tmp_path, pool)
    assert store.sample_at(tmp_path, pool.id, 0).conversation.messages == row["messages"]
    said = said_of(pool, 0)
    assert said is not None and said["turns"][-1]["reasoning"] == "17*3 is 51."
    assert said["turns"][-1]["content"] == "51" and not said["turns"][-1]["calls"]


@pytest.mark.parametrize("bad", ["{}", "garbage", "[]", '{"schema": 1}', "null"])
def test_a_damaged_pool_hides_no_other_and_is_named(tmp_path: Path, bad: str) -> None:
    one, other = small_pool(4), small_pool(5)
    for pool in (one, other):
        store.save_pool(tmp_path, pool)
    (tmp_path / "pools" / one.id / "meta.json").write_text(bad)
    assert [info.id for info in store.list_pools(tmp_path)] == [other.id]
    (said,) = store.damaged_pools(tmp_path)
    assert f"{one.id}/meta.json" in said
    with pytest.raises(PoolError, match=r"meta\.json"):
        store.pool_info(tmp_path, one.id)


@pytest.mark.parametrize("bad", ["{}", "[]", "null", '{"schema": 1, "terms": "x"}'])
def test_a_damaged_record_of_an_epoch_is_told(tmp_path: Path, bad: str) -> None:
    store.save_pool(tmp_path, small_pool())
    run = store.create_run(tmp_path, small_config(), small_pool())
    store.write_epoch(tmp_path, run, small_record(0))
    path = tmp_path / run / "epochs" / "0" / "meta.json"
    path.write_text(bad)
    with pytest.raises(RunError, match="epochs/0 is damaged"):
        store.read_epoch(tmp_path, run, 0)
