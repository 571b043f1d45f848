"""The stories for showing to others: numbers from the tables of the screens, plain words, and what is missing is said."""

import itertools
import json
import re

import numpy as np
import pytest
from run_folders import make_run

from backend import analysis, store
from backend.analysis.paired import paired
from backend.config import SelectionSettings
from backend.records import Metrics, Status
from iterit_ui.present import words
from iterit_ui.present.stories import _plain, left_out, stories_value
from iterit_ui.present.subject import easier_share, subject_of, told_selection
from iterit_ui.shared.session import VIEW

JARGON = re.compile(
    r"\bnats?\b|tf-?idf|ceiling|perplexity|n-gram|held-out|\bgain\b|unscorable|outranked", re.I
)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "runs"


def stories(home, *, tab="data", pool="", run="", epoch=0, settings=None, comparison="", runs=()):
    values = (tab, pool, "", run, epoch, "", {}, dict(VIEW), "status", settings or {}, comparison, list(runs))
    return {story["key"]: story for story in stories_value(home, *values)["stories"]}


def about(home, **given):
    usual = {"tab": "data", "pool": "", "scores": "", "run": "", "epoch": 0, "settings": {}}
    return subject_of(home, **{**usual, "comparison": "", "runs": [], **given})


def block(story, kind):
    return next(one for one in story["blocks"] if one["kind"] == kind)


def test_without_a_pool_every_story_says_how_to_get_one(home):
    told = stories(home)
    assert list(told) == list(words.STORIES)
    for story in told.values():
        assert story["missing"]["text"] == words.NO_POOL[0] and story["missing"]["steps"]


def test_the_pool_in_figures(home):
    pool = store.run_info(home, make_run(home)).pool_id
    story = stories(home, pool=pool)["pool"]
    figures = {item["label"]: item["value"] for item in block(story, "figures")["items"]}
    assert figures["samples"] == "120" and figures["sources"] == "3"
    bars = block(story, "bars")["items"]
    assert [bar["value"] for bar in bars] == ["40", "40", "40"] and sum(bar["share"] for bar in bars) == 1
    assert max(block(story, "columns")["items"]) == 1


def test_what_was_wrong_counts_what_was_taken_out(home):
    pool = store.run_info(home, make_run(home)).pool_id
    before = {row[0]: row for row in block(stories(home, pool=pool)["problems"], "table")["rows"]}
    label, (_, count, taken, left) = next(iter(before.items()))
    assert taken == "0" and left == count and label in words.FINDINGS.values()
    everything = store.sample_ids(home, pool)
    store.set_mark(home, pool, list(everything[:50]), "excluded", "Ada")
    story = stories(home, pool=pool)["problems"]
    figures = {item["label"]: item["value"] for item in block(story, "figures")["items"]}
    assert (figures["taken out by people"], figures["left to choose from"]) == ("50", "70")
    for row in block(story, "table")["rows"]:
        assert int(row[1]) == int(row[2]) + int(row[3])
    assert "Not checked yet" in block(story, "lines")["items"][0]


def test_five_in_and_five_out_each_with_its_reason(home):
    run = make_run(home)
    story = stories(home, tab="epochs", run=run, epoch=1)["selection"]
    made = store.read_epoch(home, run, 1).selection
    pool = store.load_pool_from_store(home, store.run_info(home, run).pool_id)
    inside, outside = (one for one in story["blocks"] if one["kind"] == "samples")
    assert [item["response"] for item in inside["items"]] == [
        analysis.beginning(pool.response(int(row)), 260) for row in made.rows[:5]
    ]
    assert all(item["why"].startswith("Harder for the model than") for item in inside["items"])
    assert len(outside["items"]) == 5 and "for epoch 1 of the run" in story["lead"]
    # one of each reason, the most frequent first; none of them was picked, and the same ones every time
    told = told_selection(about(home, tab="epochs", run=run, epoch=1))
    found = left_out(told)
    assert found == left_out(told) and not {row for _, row in found} & set(made.rows.tolist())
    counts = [int((made.status == status).sum()) for status, _ in found]
    assert counts == sorted(counts, reverse=True)
    reasons = {Status(int(code)) for code in np.unique(made.status)} - {Status.SELECTED, Status.PINNED}
    assert {status for status, _ in found} == reasons or len({status for status, _ in found}) == 5
    row = int(made.rows[0])
    known = [c for c in told.scores.complexity if np.isfinite(c)]
    share = sum(c < told.scores.complexity[row] for c in known) / len(known)
    assert easier_share(told.scores, row) == pytest.approx(share)


def test_curate_tells_its_own_selection_until_a_run_is_opened(home):
    run = make_run(home)
    pool = store.run_info(home, run).pool_id
    told = stories(home, tab="curate", pool=pool, settings={"budget": 4})["selection"]
    assert told["lead"].startswith("4 of 120 samples") and "settings of Curate" in told["lead"]
    nothing = stories(home, tab="curate", pool=pool, settings={"max_complexity": 0.01})["selection"]
    assert "too complex" in nothing["missing"]["text"]


def test_the_epochs_are_those_of_the_run(home):
    run = make_run(home)
    pool = store.run_info(home, run).pool_id
    story = stories(home, pool=pool)["epochs"]  # the newest run of the pool
    records = [store.read_epoch(home, run, epoch) for epoch in range(3)]
    kept = [len(np.intersect1d(b.selection.rows, a.selection.rows)) for a, b in itertools.pairwise(records)]
    assert [row[2] for row in block(story, "table")["rows"]] == ["–", *map(str, kept)]
    assert [point[2] for point in block(story, "course")["points"]] == [
        "2.0000",
        "1.9000",
        "1.8000",
        "1.7000",
    ]
    assert stories(home, pool="")["epochs"]["missing"]


def test_a_run_alone_shows_no_help_and_says_what_is_missing(home):
    run = make_run(home)
    story = stories(home, tab="epochs", run=run)["result"]
    assert story["lead"].startswith("Nobody can tell yet") and "comparison" in story["missing"]["steps"][0]
    assert [item["value"] for item in block(story, "figures")["items"]] == ["2.0000", "1.7000"]


def test_a_comparison_says_so_where_selecting_does_not_beat_random(home):
    runs = [make_run(home, strategy="iterit"), make_run(home, strategy="random")]
    equal = stories(home, tab="compare", run=runs[0], runs=runs)["result"]
    # one seed and the same losses by construction
    assert equal["missing"] is None and not equal["lead"].startswith("Yes")
    rows = block(equal, "table")["rows"]
    assert {row[0] for row in rows} == {"IterIT", "Random"} and {row[1] for row in rows} == {"1.7000"}
    store.append_metrics(home, runs[1], Metrics(16, 3.0, held_out=1.2, held_out_epoch=3))
    worse = stories(home, tab="compare", run=runs[0], runs=runs)["result"]
    assert worse["lead"].startswith("Not shown. IterIT ends behind a random draw")


@pytest.mark.parametrize(
    ("own", "other", "says"),
    [
        ((1.0, 1.01, 1.02), (2.0, 2.01, 2.03), "Yes. A beats b"),
        ((2.0, 2.01, 2.03), (1.0, 1.01, 1.02), "No. A does worse than b"),
        ((1.0, 2.0, 3.0), (2.0, 1.0, 3.1), "no larger than chance"),
        ((1.0,), (2.0,), "Not shown. A ends ahead of b, but it was tried only once"),
        ((1.0, 1.0), (1.0, 1.0), "No. A ends exactly where b does"),
        ((), (), "Not known yet"),
    ],
)
def test_the_answer_claims_no_more_than_was_measured(own, other, says):
    found = paired(dict(enumerate(own)), dict(enumerate(other)))
    assert says in words.answer_words(found, "A", "b")


def test_no_term_of_the_trade_is_shown(home):
    runs = [make_run(home, strategy="iterit"), make_run(home, strategy="random")]
    told = stories(home, tab="compare", run=runs[0], runs=runs)
    for story in told.values():
        for one in story["blocks"]:
            one.pop("points", None)
        own = json.dumps({key: value for key, value in story.items() if key != "key"})
        assert not JARGON.search(own), JARGON.search(own)
    assert not JARGON.search(_plain("the demo's 360 held-out rows"))
    settings = SelectionSettings()
    for status in Status:
        if status not in (Status.SELECTED, Status.PINNED):
            said = words.out_words(status, "empty response", 1.2, settings, 7)
            assert said and not JARGON.search(said)
