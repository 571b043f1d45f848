"""The Epochs tab's callbacks, called as the plain functions that they are."""

from __future__ import annotations

import json
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from run_folders import PAYLOAD, ROWS, make_run, trees

from backend import analysis, store
from iterit_ui import epochs_show as show
from iterit_ui import epochs_tab as tab
from iterit_ui import epochs_view as view

START = tab.TABLE_START


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home):
    return make_run(home)


def event(**data):
    return SimpleNamespace(_data=data)


def by_label(value):
    return {card["label"]: card for card in value["cards"]}


def test_nothing_chosen_says_what_to_do(tmp_path):
    note, *rest = show.overview(tmp_path, "", 0)
    assert note["steps"] and rest[:7] == [None] * 7
    assert show.show_map(tmp_path, "", 0, "") is None
    assert show.show_table(tmp_path, "", 0, START, "") is None
    assert show.show_sample(tmp_path, "", 0, "") == (None, None)


@pytest.mark.parametrize("run", ["20250101-000000-aaaaaa", "../../etc", "<script>"])
def test_a_run_that_is_not_there_is_an_error_on_the_page(home, run):
    note, *_ = show.overview(home, run, 0)
    assert note["tone"] == "error"
    assert show.show_map(home, run, 0, "") is None
    assert tab.epochs_of(home, run) == []


def test_cards_are_the_epochs_figures(home, run):
    records = [analysis.load_epoch(home, run, e) for e in range(3)]
    moved = analysis.changes(records[1].selection, records[0].selection)
    cards = by_label(show.overview(home, run, 1)[1])
    assert cards["Selected"]["value"] == "10"
    assert cards["Kept"]["value"] == str(len(moved["kept"]))
    assert cards["Added"]["value"] == str(len(moved["added"])) and len(moved["added"]) > 0
    assert cards["Held-out loss"]["value"] == "1.800" and "1.900" in cards["Held-out loss"]["hint"]
    assert cards["Held-out loss"]["delta"] == "−0.100"
    first = by_label(show.overview(home, run, 0)[1])
    assert first["Kept"]["value"] == "–"


def test_axes_stay_the_same_over_the_epochs(home, run):
    shown = [show.overview(home, run, epoch) for epoch in range(3)]
    for chart in (3, 4, 5):
        ranges = {json.dumps(values[chart]["layout"]["xaxis"]["range"]) for values in shown}
        assert len(ranges) == 1


def test_everything_is_json_without_nan(home, run):
    for epoch in range(3):
        values = [
            *show.overview(home, run, epoch)[:8],
            show.show_map(home, run, epoch, ""),
            show.show_table(home, run, epoch, START, ""),
            *show.show_sample(home, run, epoch, str(trees().ids[0])),
        ]
        json.dumps(values, allow_nan=False)


def test_lengths_are_compared_with_random_and_longest_at_the_same_budget(home, run):
    names = [item["label"] for item in show.overview(home, run, 0)[5]["legend"]]
    assert names == ["pool", "selected", "random draw", "longest"]
    assert {len(rows) for rows in show.run_baselines(home, run).values()} == {10}


def test_the_map_keeps_its_key_and_changes_its_codes(home, run):
    first, second = (show.show_map(home, run, epoch, "") for epoch in (0, 1))
    assert first["key"] == second["key"] == trees().id
    assert first["codes"] != second["codes"]
    assert {item["label"]: item["value"] for item in first["legend"]}["selected"] == "10"
    assert len(first["palette"]) == len(analysis.MEMBERSHIP)


def test_the_map_rings_the_open_sample(home, run):
    assert show.show_map(home, run, 0, str(trees().ids[5]))["highlight"] == 5
    assert show.show_map(home, run, 0, "nobody")["highlight"] is None


def test_filters_add_up(home, run):
    first = show.show_table(home, run, 0, {**START, "which": "added"}, "")
    assert [item["key"] for item in first["filters"]] == ["selected"] and first["filter"] == "selected"
    value = show.show_table(home, run, 1, START, "")
    counts = {item["key"]: int(item["count"]) for item in value["filters"]}
    assert counts["selected"] == counts["added"] + counts["kept"] == 10
    added = show.show_table(home, run, 1, {**START, "which": "added"}, "")
    assert added["total"] == counts["added"]
    assert set(added["ids"]) < set(value["ids"])


def test_dataset_text_stays_text(home, run):
    pool = trees()
    value, _ = show.show_sample(home, run, 0, str(pool.ids[0]))
    assert value["response"].endswith(PAYLOAD)
    assert value["turns"][0]["content"].startswith(PAYLOAD)


def test_a_sample_tells_why_and_its_history(home, run):
    record = analysis.load_epoch(home, run, 0)
    row = int(record.selection.rows[0])
    value, history = show.show_sample(home, run, 0, str(trees().ids[row]))
    assert "pick 1 of 10" in value["why"][0] and value["terms"]
    assert [item["epoch"] for item in history["rows"]] == ["epoch 0", "epoch 1", "epoch 2"]
    assert history["selected"] == "0"


def test_an_unknown_sample_asks_for_a_click(home, run):
    value, history = show.show_sample(home, run, 0, "nobody")
    assert "Click" in value["empty"] and history is None


def test_steps_stop_at_the_ends(home, run):
    assert tab.step(home, -1, run, 0) == (0, 0)
    assert tab.step(home, 1, run, 1) == (2, 2)
    assert tab.step(home, 1, run, 2) == (2, 2)
    assert tab.step(home, 1, "", 0) == (0, 0)


def test_play_starts_over_at_the_end_and_stops_there(home, run):
    playing, *_, epoch, _ = tab.toggle_play(home, run, 2, False)
    assert playing is True and epoch == 0
    assert tab.toggle_play(home, run, 1, True)[0] is False
    epoch, _, playing, *_ = tab.play_on(home, run, 1)
    assert (epoch, playing) == (2, False)


def test_choosing_another_run_keeps_the_epoch_where_it_can(home, run):
    short = make_run(home, epochs=1)
    assert tab.choose_run(home, short, 2) == (short, 0)
    assert tab.choose_run(home, run, 2) == (run, 2)


def test_looking_picks_the_newest_and_is_quiet_when_nothing_changed(tmp_path):
    run = make_run(tmp_path, epochs=2, state="running")
    chosen, seen = tab.look(tmp_path, "epochs", "", "")
    assert chosen == run and run in seen
    again = tab.look(tmp_path, "epochs", run, seen)
    assert all(isinstance(value, dict) and value["__type__"] == "update" for value in again)  # gr.skip()
    assert tab.look(tmp_path, "data", "", "")[0] == gr.skip()


def test_a_new_epoch_is_noticed(tmp_path):
    run = make_run(tmp_path, epochs=1)
    _, seen = tab.look(tmp_path, "epochs", run, "")
    record = analysis.load_epoch(tmp_path, run, 0)
    store.write_epoch(tmp_path, run, type(record)(**{**record.__dict__, "epoch": 1}))
    assert tab.look(tmp_path, "epochs", run, seen)[1] != gr.skip()
    assert tab.epochs_of(tmp_path, run) == [0, 1]


def test_a_run_without_epochs_says_what_it_waits_for(tmp_path):
    for state, word in (("queued", "turn"), ("running", "prepared"), ("failed", "failed")):
        run = make_run(tmp_path, epochs=0, state=state)
        assert word in show.overview(tmp_path, run, 0)[0]["title"]


@pytest.mark.parametrize(
    "strategy", ["random", "diversity", "superfiltering", "longest", "random-each-epoch"]
)
def test_every_strategy_can_be_shown(tmp_path, strategy):
    run = make_run(tmp_path, epochs=2, strategy=strategy)
    note, *_ = show.overview(tmp_path, run, 1)
    assert strategy in note["text"]
    json.dumps(show.overview(tmp_path, run, 1)[:8], allow_nan=False)


def test_table_events_are_checked():
    assert tab.filter_by(START, event(key="dropped"))["which"] == "dropped"
    assert tab.filter_by(START, event(key="everything")) == START
    assert tab.sort_by(START, event(column="gain")) == {**START, "sort": "gain", "descending": True}
    assert (
        tab.sort_by({**START, "sort": "gain", "descending": True}, event(column="gain"))["descending"]
        is False
    )
    assert tab.sort_by(START, event(column="drop table")) == START
    assert tab.turn_page(START, event(page=2))["page"] == 2


def test_picks_name_samples_of_this_pool_only(home, run):
    ids = trees().ids
    assert tab.pick_row(home, run, event(id=str(ids[3]))) == ids[3]
    assert tab.pick_row(home, run, event(id="nobody")) == gr.skip()
    assert tab.pick_point(home, run, event(key=trees().id, row=4)) == ids[4]
    assert tab.pick_point(home, run, event(key="another pool", row=4)) == gr.skip()
    assert tab.pick_point(home, run, event(key=trees().id, row=ROWS)) == gr.skip()


def test_words_of_small_things():
    assert view.signed(0.0123, 3) == "+0.012" and view.signed(-0.5, 1) == "−0.5"
    assert view.signed(float("nan"), 2) == ""
    assert view.epoch_words([0, 1], 0, 3).endswith("1 more epoch to come.")
    assert "selection of epoch 0 again" in view.epoch_words([0, 1], 1, 2, strategy="longest")
    assert "nothing is trained" in view.epoch_words([0], 0, 1, trains=False)
    assert np.isnan(analysis.mean_known(np.array([np.nan])))
