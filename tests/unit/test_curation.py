"""Marks and notes with who and when, undo and redo; saved settings; sets of rows that an address names."""

import random

import numpy as np
import pytest
from small_runs import small_pool

from backend import store
from backend.errors import ConfigError, PoolError
from backend.store import Note, pools


@pytest.fixture
def pool(tmp_path):
    pool = small_pool(12)
    store.save_pool(tmp_path, pool)
    return pool


def step_of(change):
    return None if change is None else (change.kind, change.samples, change.after)


# --- marks ---


def test_marks_with_undo(tmp_path, pool):
    a, b, c = pool.ids[:3]
    assert store.undo(tmp_path, pool.id) is None
    assert store.set_mark(tmp_path, pool.id, [a, b], "pinned", "anna") == 2
    assert store.set_mark(tmp_path, pool.id, [b, c], "excluded", "ben") == 2
    assert store.set_mark(tmp_path, pool.id, [c], "excluded", "ben") == 0
    assert store.set_mark(tmp_path, pool.id, [a], None, "ben") == 1
    assert store.marks(tmp_path, pool.id) == {b: "excluded", c: "excluded"}
    assert store.undo(tmp_path, pool.id).samples == (a,)
    change = store.undo(tmp_path, pool.id)
    assert (change.samples, change.before, change.after, change.who) == (
        (b, c),
        ("pinned", None),
        "excluded",
        "ben",
    )
    assert store.marks(tmp_path, pool.id) == {a: "pinned", b: "pinned"}
    assert [(change.who, change.undone is None) for change in store.change_history(tmp_path, pool.id)] == [
        ("ben", False),
        ("ben", False),
        ("anna", True),
    ]
    store.undo(tmp_path, pool.id)
    assert store.undo(tmp_path, pool.id) is None and store.marks(tmp_path, pool.id) == {}


def test_only_samples_of_the_pool_are_marked(tmp_path, pool):
    with pytest.raises(PoolError, match="'nobody' is not in pool"):
        store.set_mark(tmp_path, pool.id, [pool.ids[0], "nobody"], "pinned")
    with pytest.raises(PoolError, match="'nobody' is not in pool"):
        store.set_note(tmp_path, pool.id, ["nobody"], "who?")
    with pytest.raises(PoolError, match="allowed: pinned, excluded"):
        store.set_mark(tmp_path, pool.id, [pool.ids[0]], "loved")
    with pytest.raises(PoolError, match=r"pool .* not found"):
        store.set_mark(tmp_path, "0" * 16, [pool.ids[0]], "pinned")
    assert store.marks(tmp_path, pool.id) == {} and store.change_history(tmp_path, pool.id) == []


def test_ids_are_read_once_and_again_when_the_pool_changes(tmp_path, pool, monkeypatch):
    reads = []
    read = pools._id_column
    monkeypatch.setattr(pools, "_id_column", lambda path: reads.append(path) or read(path))
    pools._kept_id_column.cache_clear()
    for sample in pool.ids[:3]:
        store.set_mark(tmp_path, pool.id, [sample], "pinned")
    assert len(reads) == 1
    other = small_pool(13)
    path = store.pool_folder(tmp_path, pool.id) / "samples.parquet"
    store.save_pool(tmp_path, other)
    (store.pool_folder(tmp_path, other.id) / "samples.parquet").rename(path)
    store.set_mark(tmp_path, pool.id, [other.ids[12]], "pinned")
    assert len(reads) == 2


def test_unknown_samples_come_in_the_order_they_were_named(tmp_path, pool):
    wanted = ["z", *pool.ids[3:5], "y", pool.ids[3], "z"]
    assert store.unknown_samples(tmp_path, pool.id, wanted) == ["z", "y"]
    assert store.unknown_samples(tmp_path, pool.id, [*pool.ids, *pool.ids]) == []
    assert store.unknown_samples(tmp_path, pool.id, []) == []


# --- notes ---


def test_a_note_keeps_who_and_when_through_undo_and_redo(tmp_path, pool, monkeypatch):
    clock = iter(range(1000, 2000))
    monkeypatch.setattr("time.time", lambda: float(next(clock)))
    a, b = pool.ids[:2]
    assert store.set_note(tmp_path, pool.id, [a, b], " check <b>this</b> ", "anna") == 2
    first = store.notes(tmp_path, pool.id)
    assert first[a] == Note("check <b>this</b>", "anna", first[b].at)
    assert store.set_note(tmp_path, pool.id, [a], "fine", "ben") == 1
    assert store.set_note(tmp_path, pool.id, [a], "fine ", "carl") == 0
    second = store.notes(tmp_path, pool.id)[a]
    assert (second.text, second.who) == ("fine", "ben") and second.at > first[a].at
    change = store.undo(tmp_path, pool.id, "dora")
    assert (change.kind, change.before, change.turned_by) == ("note", ("check <b>this</b>",), "dora")
    assert store.notes(tmp_path, pool.id) == first
    store.redo(tmp_path, pool.id)
    assert store.notes(tmp_path, pool.id)[a] == second
    assert store.set_note(tmp_path, pool.id, [a], "  ", "ben") == 1
    assert list(store.notes(tmp_path, pool.id)) == [b]
    store.undo(tmp_path, pool.id)
    assert store.notes(tmp_path, pool.id)[a] == second


def test_a_mark_says_who_made_it(tmp_path, pool):
    a = pool.ids[0]
    store.set_mark(tmp_path, pool.id, [a], "pinned", "anna")
    by = store.marked_by(tmp_path, pool.id)
    store.set_mark(tmp_path, pool.id, [a], "excluded", "ben")
    assert store.marked_by(tmp_path, pool.id)[a][0] == "ben"
    store.undo(tmp_path, pool.id)
    assert store.marked_by(tmp_path, pool.id) == by and by[a][0] == "anna"


# --- undo and redo ---


def test_a_new_decision_ends_what_could_be_done_again(tmp_path, pool):
    a, b, c, d = pool.ids[:4]
    for sample in (a, b, c):
        store.set_mark(tmp_path, pool.id, [sample], "pinned")
    store.undo(tmp_path, pool.id)
    store.undo(tmp_path, pool.id)
    undoing, redoing = store.next_steps(tmp_path, pool.id)
    assert (step_of(undoing), step_of(redoing)) == (("mark", (a,), "pinned"), ("mark", (b,), "pinned"))
    assert step_of(store.redo(tmp_path, pool.id)) == ("mark", (b,), "pinned")
    store.set_note(tmp_path, pool.id, [d], "new")
    assert store.next_steps(tmp_path, pool.id)[1] is None and store.redo(tmp_path, pool.id) is None
    store.undo(tmp_path, pool.id)
    assert step_of(store.redo(tmp_path, pool.id)) == ("note", (d,), "new")
    assert store.redo(tmp_path, pool.id) is None
    assert store.marks(tmp_path, pool.id) == {a: "pinned", b: "pinned"}


def test_pools_do_not_undo_each_other(tmp_path, pool):
    other = small_pool(5)
    store.save_pool(tmp_path, other)
    store.set_mark(tmp_path, pool.id, pool.ids[:2], "pinned")
    store.set_mark(tmp_path, other.id, other.ids[:1], "excluded")
    store.undo(tmp_path, pool.id)
    store.set_mark(tmp_path, other.id, other.ids[1:2], "excluded")
    assert store.marks(tmp_path, pool.id) == {} and len(store.marks(tmp_path, other.id)) == 2
    assert step_of(store.redo(tmp_path, pool.id)) == ("mark", tuple(pool.ids[:2]), "pinned")


@pytest.mark.parametrize("seed", range(5))
def test_any_mix_of_steps_is_what_a_list_of_states_says(tmp_path, pool, seed):
    """The slow twin keeps a copy of everything after each step, and a place in that list."""
    rng = random.Random(seed)
    states, at = [({}, {})], 0
    for _ in range(80):
        what = rng.choice(["mark", "note", "undo", "undo", "redo"])
        samples = rng.sample(list(pool.ids), rng.randint(1, 4))
        marks, notes = (dict(part) for part in states[at])
        if what == "undo":
            done = store.undo(tmp_path, pool.id)
            assert (done is None) == (at == 0)
            at = max(0, at - 1)
        elif what == "redo":
            done = store.redo(tmp_path, pool.id)
            assert (done is None) == (at == len(states) - 1)
            at = min(len(states) - 1, at + 1)
        else:
            value = rng.choice(["pinned", "excluded", None] if what == "mark" else ["x", "y", ""])
            held = marks if what == "mark" else notes
            changed = sum(held.get(sample) != (value or None) for sample in samples)
            change = store.set_mark if what == "mark" else store.set_note
            assert change(tmp_path, pool.id, samples, value) == changed
            for sample in samples:
                held.pop(sample, None)
                if value:
                    held[sample] = value
            if changed:
                states, at = [*states[: at + 1], (marks, notes)], at + 1
        noted = {sample: note.text for sample, note in store.notes(tmp_path, pool.id).items()}
        assert (store.marks(tmp_path, pool.id), noted) == states[at]
        undoing, redoing = store.next_steps(tmp_path, pool.id)
        assert (undoing is None, redoing is None) == (at == 0, at == len(states) - 1)


def test_the_history_is_the_newest_first_and_as_long_as_asked(tmp_path, pool):
    for sample in pool.ids[:5]:
        store.set_mark(tmp_path, pool.id, [sample], "pinned")
    history = store.change_history(tmp_path, pool.id, limit=2)
    assert [change.samples for change in history] == [(pool.ids[4],), (pool.ids[3],)]
    assert len(store.change_history(tmp_path, pool.id)) == 5


def test_the_revision_grows_with_everything_that_is_decided(tmp_path, pool):
    a = pool.ids[0]
    assert store.curation_revision(tmp_path / "nothing", pool.id) == 0
    seen = [store.curation_revision(tmp_path, pool.id)]
    assert seen == [0]
    for decide in (
        lambda: store.set_mark(tmp_path, pool.id, [a], "pinned"),
        lambda: store.set_note(tmp_path, pool.id, [a], "text"),
        lambda: store.undo(tmp_path, pool.id),
        lambda: store.redo(tmp_path, pool.id),
        lambda: store.save_settings(tmp_path, pool.id, "mine", {}, scores=""),
        lambda: store.delete_settings(tmp_path, pool.id, "mine"),
    ):
        decide()
        seen.append(store.curation_revision(tmp_path, pool.id))
    assert seen == sorted(set(seen))
    store.set_mark(tmp_path, pool.id, [a], "pinned")
    store.delete_settings(tmp_path, pool.id, "mine")
    assert store.redo(tmp_path, pool.id) is None
    assert store.curation_revision(tmp_path, pool.id) == seen[-1]


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc", None, 7])
def test_an_id_that_is_none_is_refused(tmp_path, name):
    for read in (store.notes, store.redo, store.next_steps, store.change_history, store.curation_revision,
                 store.marked_by, store.saved_settings, store.load_clusters):  # fmt: skip
        with pytest.raises(PoolError, match="not a pool id"):
            read(tmp_path, name)
    with pytest.raises(PoolError, match="not a pool id"):
        store.save_settings(tmp_path, name, "a", {}, scores="")
    assert list(tmp_path.iterdir()) == []


# --- saved settings ---


def test_settings_are_saved_by_name_newest_first(tmp_path, pool):
    assert store.saved_settings(tmp_path, pool.id) == []
    store.save_settings(tmp_path, pool.id, "wide", {"budget": 0.1}, scores="run/0", who="anna")
    store.save_settings(tmp_path, pool.id, "narrow", {"weights": {"é": 2}}, scores="run/1", who="ben")
    store.save_settings(tmp_path, pool.id, " wide ", {"budget": 0.2}, scores="run/2", who="ben")
    saved = store.saved_settings(tmp_path, pool.id)
    assert [(one.name, one.settings, one.scores, one.who) for one in saved] == [
        ("wide", {"budget": 0.2}, "run/2", "ben"),
        ("narrow", {"weights": {"é": 2}}, "run/1", "ben"),
    ]
    store.delete_settings(tmp_path, pool.id, "wide", "ben")
    assert [one.name for one in store.saved_settings(tmp_path, pool.id)] == ["narrow"]
    store.save_settings(tmp_path, pool.id, "wide", {}, scores="")
    assert [one.name for one in store.saved_settings(tmp_path, pool.id)] == ["wide", "narrow"]
    other = small_pool(5)
    store.save_pool(tmp_path, other)
    assert store.saved_settings(tmp_path, other.id) == []


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 81])
def test_a_name_is_a_line_of_text(tmp_path, pool, name):
    with pytest.raises(PoolError, match="1 to 80 characters on one line"):
        store.save_settings(tmp_path, pool.id, name, {}, scores="")


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_settings_that_are_no_json_are_refused(tmp_path, pool, value):
    with pytest.raises(ConfigError, match="cannot be saved"):
        store.save_settings(tmp_path, pool.id, "name", {"decay": value}, scores="")
    assert store.saved_settings(tmp_path, pool.id) == []


# --- sets of rows ---


@pytest.mark.parametrize("rows", [[], [0], [11], [7, 8], list(range(12))])
def test_rows_come_back_ascending_under_the_same_key(tmp_path, pool, rows):
    key = store.save_rows(tmp_path, pool.id, np.array(rows, dtype=np.int64))
    assert key == store.save_rows(tmp_path, pool.id, np.array(rows[::-1] * 2, dtype=np.int64))
    back = store.load_rows(tmp_path, pool.id, key)
    assert back.dtype == np.int64 and back.tolist() == rows


def test_other_rows_have_another_key(tmp_path, pool):
    assert store.save_rows(tmp_path, pool.id, np.array([1])) != store.save_rows(
        tmp_path, pool.id, np.array([2])
    )


def test_rows_that_are_not_there_are_refused(tmp_path, pool):
    for rows in ([-1], [3, 12]):
        with pytest.raises(PoolError, match=rf"row {rows[-1]} is not in pool .* rows 0 to 11"):
            store.save_rows(tmp_path, pool.id, np.array(rows))
    with pytest.raises(PoolError, match="no rows of pool"):
        store.load_rows(tmp_path, pool.id, "0" * 16)
    key = store.save_rows(tmp_path, pool.id, np.array([1]))
    with pytest.raises(PoolError, match=r"pool .* not found"):
        store.load_rows(tmp_path, "0" * 16, key)
    (store.pool_folder(tmp_path, pool.id) / "rows" / f"{key}.bits").write_bytes(b"longer than 12 bits")
    with pytest.raises(PoolError, match="does not fit"):
        store.load_rows(tmp_path, pool.id, key)


@pytest.mark.parametrize(
    "key", ["", "..", "../../meta", "0" * 15, "0" * 17, "G" * 16, "0" * 16 + "\n", None, 3]
)
def test_a_key_never_leads_out_of_its_folder(tmp_path, pool, key):
    with pytest.raises(PoolError, match="is not a key of saved rows"):
        store.load_rows(tmp_path, pool.id, key)
