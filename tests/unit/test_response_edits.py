"""Edited responses: the pool that they make, undo, the run that keeps them, and what is no longer known of them."""

import importlib
import io
import json
import re

import numpy as np
import pyarrow as pa
import pytest
from small_runs import small_config, small_pool, small_record

from backend import analysis, findings, store
from backend.analysis.picks_export import picks_of_run
from backend.data.export import write_samples
from backend.data.pool import load_pool
from backend.data.response_edits import LONGEST, edited_id, refusal, with_edits
from backend.errors import PoolError, ScoresError
from backend.findings.content_rules import RULES
from backend.records import EDITED, Conversation
from backend.store import scores_file
from backend.store.carried import carried_content, carried_overlaps, carried_pairs
from backend.store.edits import UNUSED_KEPT
from backend.store.files import remove_folder


@pytest.fixture
def pool(tmp_path):
    pool = small_pool(12)
    store.save_pool(tmp_path, pool)
    return pool


def responses(pool):
    return pool.table["response"].to_pylist()


# --- one pool and its edits ---


def test_only_the_edited_responses_change():
    pool = small_pool(12)
    chunks = [pool.table.slice(0, 5), pool.table.slice(5, 1), pool.table.slice(6)]
    cut = type(pool)(pool.id, pool.name, pa.concat_tables(chunks), pool.rejected)
    wanted = {pool.ids[7]: "seven", pool.ids[0]: "<b>none</b>", pool.ids[5]: "five"}
    made = with_edits(cut, wanted)
    plain = [wanted.get(i, text) for i, text in zip(pool.ids, responses(pool))]
    assert responses(made) == plain and responses(cut) == responses(pool)
    assert list(made.ids) == list(pool.ids) and (made.base, made.root, made.edits) == (
        pool.id,
        pool.id,
        wanted,
    )
    for name in set(pool.table.column_names) - {"response"}:
        assert made.table[name].to_pylist() == pool.table[name].to_pylist()


def test_an_edit_that_equals_the_original_is_none():
    pool = small_pool(12)
    assert with_edits(pool, {}) is pool
    assert with_edits(pool, {pool.ids[2]: pool.response(2)}) is pool
    one = {pool.ids[1]: "one"}
    assert with_edits(pool, {**one, pool.ids[2]: pool.response(2)}).id == with_edits(pool, one).id
    ids = {edited_id(pool.id, edits) for edits in ({}, one, {pool.ids[2]: "one"}, {pool.ids[1]: "two"})}
    assert len(ids) == 4 and pool.id in ids
    with pytest.raises(PoolError, match="holds edits already"):
        with_edits(with_edits(pool, one), one)
    with pytest.raises(PoolError, match="'nobody' is not in pool"):
        with_edits(pool, {"nobody": "x"})


def test_reasoning_is_set_apart_in_an_edited_response_too(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": "a", "reasoning_content": "r"},
            ]
        },
        {"messages": [{"role": "user", "content": "q2"}, {"role": "assistant", "content": "plain"}]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    pool = load_pool([path])
    first, second = map(str, pool.ids)
    made = with_edits(pool, {first: "<think>\nbetter\n</think>\n\nb", second: "<think>why</think>c"})
    said = [one.messages[-1] for one in made.conversations(np.arange(2))]
    assert [(one["reasoning_content"], one["content"]) for one in said] == [("better", "b"), ("why", "c")]
    # what came as a field of its own goes out as one, what was typed into the text as text
    written = io.StringIO()
    write_samples(written, made, None, "messages")
    out = [json.loads(line)["messages"][-1] for line in written.getvalue().splitlines()]
    assert out[0]["reasoning_content"] == "better" and out[0]["content"] == "b"
    assert with_edits(pool, {first: "no reasoning"}).conversations(np.array([0]))[0].messages is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be empty"),
        (" \n\t", "cannot be empty"),
        ("\ud800", "half of a character"),
        ("a" * (LONGEST + 1), "the limit is"),
    ],
)
def test_a_text_that_cannot_be_a_response_is_refused(text, words):
    assert words in refusal(Conversation([], "a"), text)
    assert refusal(Conversation([], "a"), "fine") == ""


def test_a_response_that_calls_tools_is_refused():
    calls = [{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}]
    assert "calls tools" in refusal(Conversation([], "a", calls), "text")


# --- kept with the marks ---


def test_edits_are_undone_and_done_again_with_marks(tmp_path, pool):
    a, b = map(str, pool.ids[:2])
    assert store.set_responses(tmp_path, pool.id, {a: "one", b: "two"}, "anna") == 2
    assert store.set_mark(tmp_path, pool.id, [a], "pinned", "ben") == 1
    assert store.set_responses(tmp_path, pool.id, {a: "three"}, "ben") == 1
    assert store.set_responses(tmp_path, pool.id, {a: "three"}, "ben") == 0
    texts = lambda: {i: edit.text for i, edit in store.edits(tmp_path, pool.id).items()}  # noqa: E731
    assert texts() == {b: "two", a: "three"}
    for left in ({a: "one", b: "two"}, {a: "one", b: "two"}, {}):
        store.undo(tmp_path, pool.id, "cleo")
        assert texts() == left
    again = store.redo(tmp_path, pool.id)
    assert (again.kind, again.before, again.afters) == ("edit", (None, None), ("one", "two"))
    assert texts() == {a: "one", b: "two"} and store.edits(tmp_path, pool.id)[a].who == "anna"
    assert store.edited_pool(tmp_path, pool.id).response(0) == "one"
    # back to the original: by its text, or by taking the edit back
    store.set_responses(tmp_path, pool.id, {a: pool.response(0), b: None})
    assert texts() == {} and store.edited_pool_id(tmp_path, pool.id) == pool.id
    store.undo(tmp_path, pool.id)
    assert texts() == {a: "one", b: "two"}


def test_one_bad_edit_changes_nothing(tmp_path, pool):
    a, b = map(str, pool.ids[:2])
    before = store.curation_revision(tmp_path, pool.id)
    for bad in ({a: "fine", b: "  "}, {a: "fine", "nobody": "x"}):
        with pytest.raises(PoolError):
            store.set_responses(tmp_path, pool.id, bad)
    assert store.edits(tmp_path, pool.id) == {} and store.curation_revision(tmp_path, pool.id) == before


def test_the_edited_pool_is_found_by_its_id(tmp_path, pool):
    a = str(pool.ids[3])
    store.set_responses(tmp_path, pool.id, {a: "edited words"})
    made = store.edited_pool_id(tmp_path, pool.id)
    assert made != pool.id and store.edited_pool_id(tmp_path, made) == made
    assert responses(store.load_pool_from_store(tmp_path, made))[3] == "edited words"
    assert store.load_pool_from_store(tmp_path, pool.id).response(3) == pool.response(3)
    assert store.sample_at(tmp_path, made, 3).response == "edited words"
    assert store.sample_at(tmp_path, made, 2).response == pool.response(2)
    assert list(store.sample_ids(tmp_path, made)) == list(pool.ids)
    assert [info.id for info in store.list_pools(tmp_path)] == [pool.id]
    # marks, notes, map and settings are those of the pool, whichever id they are asked by
    store.set_mark(tmp_path, made, [a], "excluded")
    assert store.marks(tmp_path, pool.id) == store.marks(tmp_path, made) == {a: "excluded"}
    key = store.save_rows(tmp_path, made, np.array([1, 2]))
    assert store.load_rows(tmp_path, pool.id, key).tolist() == [1, 2]
    assert store.with_stored_edits(tmp_path, pool).id == made


def test_few_edited_pools_are_kept_that_no_run_uses(tmp_path, pool):
    a = str(pool.ids[0])
    store.set_responses(tmp_path, pool.id, {a: "of a run"})
    used = store.edited_pool_id(tmp_path, pool.id)
    store.create_run(tmp_path, small_config(), store.edited_pool(tmp_path, pool.id))
    for number in range(UNUSED_KEPT + 4):
        store.set_responses(tmp_path, pool.id, {a: f"number {number}"})
        store.edited_pool_id(tmp_path, pool.id)
    there = {path.parent.name for path in (tmp_path / "pools").glob("*/edits.json")}
    assert used in there and store.edited_pool_id(tmp_path, pool.id) in there
    assert len(there) == UNUSED_KEPT + 2


# --- what is computed from texts ---


def test_search_sees_the_edited_texts_as_a_plain_search_does(tmp_path, pool):
    store.build_search(tmp_path, pool)
    new = {
        str(pool.ids[2]): "pears and plums",
        str(pool.ids[4]): "apples to pears",
        str(pool.ids[9]): "nothing",
    }
    store.set_responses(tmp_path, pool.id, new)
    made = store.edited_pool(tmp_path, pool.id)
    texts = [set(re.findall(r"\w+", f"question {i} b {text}")) for i, text in enumerate(responses(made))]
    for query, plain in {
        "pears": lambda words: "pears" in words,
        "apples -pears": lambda words: "apples" in words and "pears" not in words,
        "-apples": lambda words: "apples" not in words,
        "question": lambda words: True,
        "apples pears": lambda words: {"apples", "pears"} <= words,
    }.items():
        wanted = [row for row, words in enumerate(texts) if plain(words)]
        assert store.search(tmp_path, made.id, query).tolist() == wanted, query
    assert 4 in store.search(tmp_path, pool.id, "apples -pears")  # the pool that was read is as it was


def test_findings_are_carried_without_what_an_edit_may_have_mended(tmp_path):
    pool = small_pool(12)
    junk = {str(pool.ids[1]): "n/a", str(pool.ids[2]): "<p>markup</p> left over"}
    old = with_edits(pool, junk)
    known = findings.content_findings(findings.prompt_texts(old), findings.response_texts(old))
    mended = {
        str(pool.ids[2]): "<p>markup</p> left over",
        str(pool.ids[5]): "mail me: anna.lee@kestrel-labs.io",
    }
    new = with_edits(pool, mended)
    carried = carried_content(new, known, np.array([1, 5]))
    whole = findings.content_findings(findings.prompt_texts(new), findings.response_texts(new))
    for kind in RULES:
        assert carried.found_of(kind) == whole.found_of(kind), kind
    assert 1 not in carried.rows_of("no_content") and 5 in carried.rows_of("email")
    pairs = findings.NearPairs(
        *(np.array(v, dtype=np.int32) for v in ([0, 1, 3], [4, 2, 5])), np.ones(3, np.float32), 0.5
    )
    left = carried_pairs(pairs, np.array([5, 1]))
    assert (left.a.tolist(), left.b.tolist()) == ([0], [4])
    text = lambda *values: np.array(values, dtype=object)  # noqa: E731
    overlaps = findings.Overlaps(
        np.array([1, 1, 2], np.int32), text("overlap_exact", "overlap_exact", "overlap_near"), text("prompt", "response", ""),
        np.zeros(3, np.int32), np.ones(3, np.float32), np.zeros(3, np.int32), text("a", "b", "c"), np.zeros(0, np.int64),
    )  # fmt: skip
    assert carried_overlaps(overlaps, np.array([1])).beside.tolist() == ["a", "c"]


def test_carried_findings_are_looked_for_anew(tmp_path, pool):
    store.build_search(tmp_path, pool)
    store.save_content(
        tmp_path,
        pool.id,
        findings.content_findings(findings.prompt_texts(pool), findings.response_texts(pool)),
    )
    none = np.zeros(0, dtype=np.int32)
    store.save_near(tmp_path, pool.id, findings.NearPairs(none, none, np.zeros(0, np.float32), 0.5))
    assert store.has_findings(tmp_path, pool.id)
    store.set_responses(tmp_path, pool.id, {str(pool.ids[0]): "n/a"})
    made = store.edited_pool_id(tmp_path, pool.id)
    assert 0 in store.load_content(tmp_path, made).rows_of("no_content")
    assert store.load_near(tmp_path, made) is not None and store.load_near(tmp_path, made, whole=True) is None
    assert not store.has_findings(tmp_path, made) and not store.has_content(tmp_path, made)


def test_findings_are_carried_where_a_process_was_ended_before_it_did(tmp_path, pool, monkeypatch):
    texts = findings.prompt_texts(pool), findings.response_texts(pool)
    store.save_content(tmp_path, pool.id, findings.content_findings(*texts))
    store.set_responses(tmp_path, pool.id, {str(pool.ids[0]): "n/a"})

    def ended(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # `store.edits` is the function of that name
        patch.setattr(importlib.import_module("backend.store.edits"), "carry_findings", ended)
        with pytest.raises(KeyboardInterrupt):
            store.edited_pool_id(tmp_path, pool.id)
    made = store.edited_pool_id(tmp_path, pool.id)
    assert 0 in store.load_content(tmp_path, made).rows_of("no_content")


def test_an_edited_pool_that_is_being_removed_is_none(tmp_path, pool, monkeypatch):
    store.set_responses(tmp_path, pool.id, {str(pool.ids[0]): "one"})
    made = store.edited_pool_id(tmp_path, pool.id)
    with monkeypatch.context() as patch:
        patch.setattr(
            "shutil.rmtree", lambda *_, **__: None
        )  # a process that is ended before the last file is gone
        remove_folder(store.pool_folder(tmp_path, made))
    assert not store.pool_folder(tmp_path, made).exists() and store.damaged_files(tmp_path) == []
    store.set_responses(tmp_path, pool.id, {str(pool.ids[0]): "two"})
    assert store.edited_pool(tmp_path, pool.id).response(0) == "two"


# --- runs and scores ---


def finished(home, pool, **values):
    run = store.create_run(home, small_config(**values), pool)
    store.write_epoch(home, run, small_record(n=len(pool)))
    return run


def test_a_run_keeps_the_edits_of_its_launch(tmp_path, pool):
    a = str(pool.ids[1])
    plain = finished(tmp_path, pool)
    store.set_responses(tmp_path, pool.id, {a: "at launch"})
    run = finished(tmp_path, store.edited_pool(tmp_path, pool.id))
    store.set_responses(tmp_path, pool.id, {a: "later"})
    store.edited_pool_id(tmp_path, pool.id)
    kept = lambda run: store.load_pool_from_store(tmp_path, store.read_run_pool(tmp_path, run).id).response(1)  # noqa: E731
    assert (kept(plain), kept(run)) == (pool.response(1), "at launch")
    written = json.loads((tmp_path / run / "edits.json").read_text())
    assert written == {"base": pool.id, "edits": {a: "at launch"}}
    assert not (tmp_path / plain / "edits.json").exists()
    picks = picks_of_run(tmp_path, run)
    assert picks.pool.response(1) == "at launch"
    recipe = picks.recipe(tmp_path / "out.jsonl", [])
    assert recipe["edits"] == {a: "at launch"} and "were edited" in recipe["notes"][-1]
    # an epoch's record as a file of scores tells of which responses they are
    record = tmp_path / run / "epochs" / "0" / "samples.parquet"
    found = scores_file.read_scores(
        record, store.load_pool_from_store(tmp_path, store.read_run_pool(tmp_path, run).id)
    )
    assert EDITED not in set(found.scores.reason)
    now = scores_file.read_scores(record, store.edited_pool(tmp_path, pool.id)).scores
    assert np.flatnonzero(now.reason == EDITED).tolist() == [1]


def test_scores_of_what_was_edited_since_are_unknown(tmp_path, pool):
    a, b = map(str, pool.ids[[1, 3]])
    plain = finished(tmp_path, pool)
    store.set_responses(tmp_path, pool.id, {a: "one"})
    edited = finished(tmp_path, store.edited_pool(tmp_path, pool.id))
    store.set_responses(tmp_path, pool.id, {b: "three"})
    now = store.edited_pool(tmp_path, pool.id)
    sets = {found.run: found for found in analysis.score_sets(tmp_path, now)}
    assert (sets[plain].stale, sets[edited].stale) == (2, 1) and "(2 edited since)" in sets[plain].label
    record = small_record(n=len(pool)).scores
    for run, rows in ((plain, [1, 3]), (edited, [3])):
        scores = analysis.load_scores(tmp_path, now, f"{run}/0")
        assert np.isnan(scores.complexity[rows]).all() and set(scores.reason[rows]) == {EDITED}
        others = np.setdiff1d(np.arange(len(pool)), rows)
        np.testing.assert_array_equal(scores.complexity[others], record.complexity[others])
        assert analysis.edited_since_scored(tmp_path, now, f"{run}/0").tolist() == rows
        assert EDITED not in scores.unscored()  # it can be scored, so no finding names it
    store.undo(tmp_path, pool.id)
    back = store.edited_pool(tmp_path, pool.id)
    assert np.isfinite(analysis.load_scores(tmp_path, back, f"{edited}/0").complexity[3])
    other = small_pool(5, name="other")
    store.save_pool(tmp_path, other)
    with pytest.raises(ScoresError, match="another pool"):
        analysis.load_scores(tmp_path, other, f"{plain}/0")


def test_given_losses_are_those_that_are_known(tmp_path, pool):
    run = store.create_run(tmp_path, small_config(), pool)
    assert store.given_losses(tmp_path, run) is None
    scores = small_record(n=len(pool)).scores.without(np.array([2]), EDITED)
    store.give_losses(tmp_path, run, scores)
    given = store.given_losses(tmp_path, run)
    losses = np.stack([scores.loss_cond, scores.loss_prior]).astype(np.float64)
    np.testing.assert_array_equal(given.losses, losses)
    assert np.isnan(given.losses[:, 2]).all() and given.at > 0 and given.depends_on is None
    store.give_losses(tmp_path, run, scores, depends_on={"system_prompt": "Sei kurz."})
    assert store.given_losses(tmp_path, run).depends_on == {"system_prompt": "Sei kurz."}
