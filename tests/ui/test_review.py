"""The review gate's screen: drafts, the preview, and answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from waiting_runs import BUDGET, waiting_run

from backend import analysis, store
from iterit_ui.tune.review import events as draft
from iterit_ui.tune.review import panel as screen
from iterit_ui.tune.review import views as view
from iterit_ui.tune.review.lists import LISTS
from iterit_ui.tune.review.state import VIEW


@pytest.fixture
def run(tmp_path):
    return tmp_path, waiting_run(tmp_path)


def values(home, run, **state):
    return view.values(home, store.run_info(home, run), {**VIEW, **state})


def do(home, run, function, **data):
    screen.apply(home, run, "Ann", data, function)
    shown = screen.shown(home, run, screen.answered_view(dict(VIEW), data))
    return dict(zip([*screen.NAMES, "view", "body"], shown, strict=True))


def card(shown, label: str) -> str:
    return next(one["value"] for one in shown["cards"]["cards"] if one["label"] == label)


def test_the_screen_shows_what_would_be_trained_on(run):
    shown = values(*run)
    assert card(shown, "Selected") == str(BUDGET)
    assert int(card(shown, "Came")) + int(card(shown, "Stayed")) == BUDGET
    assert shown["table"]["total"] == int(card(shown, "Came")) and not shown["gate"]["changes"]
    budget = shown["settings"]["groups"][0]["fields"][0]
    assert budget["max"] == BUDGET and "epoch 0" in budget["help"]
    json.dumps(shown, allow_nan=False)


def test_every_list_can_be_shown_and_sorted(run):
    for which in LISTS:
        for sort in screen.SORTS:
            assert values(*run, which=which, sort=sort, descending=True)["table"]["filter"] == which
    state = screen.looked_view("sort", dict(VIEW), {"column": "complexity"})
    shown = values(*run, **state)["table"]["rows"]
    assert [row["complexity"] for row in shown] == sorted(row["complexity"] for row in shown)


def test_an_answer_asked_for_before_another_arrived_shows_what_that_one_chose():
    before = dict(VIEW)  # what the page still sends
    chosen, first = screen.newest("page", "run", before, lambda view: {**view, "which": "not"})
    opened, second = screen.newest("page", "run", before, lambda view: {**view, "sample": "s"})
    drawn, third = screen.newest("page", "run", before)
    assert drawn == opened == {**chosen, "sample": "s"} and first < second < third
    assert screen.newest("page", "another", drawn)[0] == VIEW
    assert screen.newest("the app was restarted", "run", drawn)[0] == drawn


def test_a_changed_budget_and_a_pin_are_previewed_kept_and_answered(run, capsys):
    shown = do(*run, draft.set_field, name="budget", value=8, seq=4)
    assert card(shown, "Selected") == "8" and shown["settings"]["seq"] == 4
    sample = values(*run, which="candidates")["table"]["ids"][-1]
    shown = do(*run, screen.marking("pin"), id=sample)
    assert any("pinned" in text for text in shown["gate"]["changes"])
    assert store.read_draft(*run, 1).changes == {"budget": 8.0, "pinned": [sample]}
    preview = analysis.review_selection(*run, 1, store.read_draft(*run, 1).changes).selection.rows.tolist()
    do(*run, screen.pooled, on=True)
    shown = do(*run, screen.answered, key="accept")
    assert "goes on with" in capsys.readouterr().out
    assert shown["gate"] is None and shown["body"].visible is False
    kept = store.reviews(*run)[-1]
    assert kept.who == "Ann" and kept.changes == {"budget": 8.0, "pinned": [sample]}
    assert analysis.review_selection(*run, 1, kept.changes).selection.rows.tolist() == preview
    assert store.marks(run[0], store.run_info(*run).pool_id) == {sample: "pinned"}
    assert store.read_draft(*run, 1).changes == {}


def test_bounds_on_the_share_of_a_source(run):
    shown = do(*run, draft.weigh, index=0, least=0, most=25, seq=1)
    assert store.read_draft(*run, 1).changes == {"source_shares": {"a": "-0.25"}}
    assert any(text.startswith("source shares: a") for text in shown["gate"]["changes"])
    assert shown["settings"]["sources"]["items"][0]["most"] == 25
    made = analysis.review_selection(*run, 1, store.read_draft(*run, 1).changes)
    of_source = [made.pool.sources[code] for code in made.pool.source_codes[made.selection.rows]].count("a")
    assert of_source <= BUDGET * 0.25 < len(made.selection)
    do(*run, draft.weigh, index=0, least=0, most=100)
    assert store.read_draft(*run, 1).changes == {}


def test_a_setting_put_back_is_no_change(run):
    do(*run, draft.set_field, name="decay", value=0.5)
    shown = do(*run, draft.set_field, name="decay", value=0.1)
    assert shown["gate"]["changes"] == []
    do(*run, draft.weigh, index=0, weight=0.5)
    assert store.read_draft(*run, 1).changes == {"source_weights": {"a": 0.5}}
    do(*run, draft.reset, name=None)
    assert store.read_draft(*run, 1).changes == {}


def test_a_budget_beyond_the_steps_is_held_at_them(run):
    do(*run, draft.set_field, name="budget", value=1e9)
    assert store.read_draft(*run, 1).changes == {}


def test_a_draft_that_selects_nothing_says_so_and_cannot_be_answered(run):
    shown = do(*run, draft.set_field, name="max_complexity", value=0.0)
    assert "nothing can be selected" in shown["gate"]["problem"] and shown["gate"]["actions"][0]["disabled"]
    with pytest.warns(UserWarning, match="nothing can be selected"):
        do(*run, screen.answered, key="accept")
    assert store.open_review(*run) is not None
    do(*run, screen.answered, key="discard")
    assert values(*run)["gate"]["problem"] == ""


def test_an_answer_elsewhere_is_said(run):
    store.answer_review(*run, 1, {}, who="Bob")
    with pytest.warns(UserWarning, match="answered by Bob"):
        shown = do(*run, screen.answered, key="accept")
    assert shown["gate"] is None


def test_a_run_that_was_stopped_meanwhile_is_said(run):
    store.set_state(*run, "stopped")
    with pytest.warns(UserWarning, match="it is stopped"):
        do(*run, draft.set_field, name="decay", value=0.3)


@pytest.mark.parametrize("data", [{"name": "seed", "value": 1}, {"name": "budget", "value": "x"}, {}])
def test_what_the_page_sends_is_checked(run, data):
    with pytest.warns(UserWarning):
        do(*run, draft.set_field, **data)
    assert store.read_draft(*run, 1).changes == {}


def test_ticked_rows_of_a_whole_list(run):
    came = values(*run)["table"]["ids"]
    key = values(*run)["table"]["list_key"]
    do(*run, screen.ticked, action="exclude", ids=[], all=True, list_key=key, text="")
    assert set(store.read_draft(*run, 1).changes["excluded"]) == set(came)
    do(*run, screen.ticked, action="clear", ids=came, all=False, list_key=key, text="")
    assert store.read_draft(*run, 1).changes == {}


def test_a_sample_is_shown_in_full(run):
    sample = values(*run)["table"]["ids"][0]
    assert values(*run, sample=sample)["sample"]["actions"] == ["pin", "exclude"]
    do(*run, screen.marking("exclude"), id=sample)
    assert values(*run, sample=sample)["sample"]["actions"] == ["unmark"]
    assert "empty" in values(*run, sample="no such")["sample"]
