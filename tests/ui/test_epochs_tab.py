"""The Epochs tab's callbacks, called as the plain functions that they are."""

from __future__ import annotations

import base64
import dataclasses
import json
import time
import types

import gradio as gr
import numpy as np
import pytest
from run_folders import PAYLOAD, ROWS, make_run, trees

from backend import analysis, store
from backend.analysis.cohorts import COHORTS
from backend.analysis.quadrants import QUADRANTS
from backend.errors import StudioError
from iterit_ui import plots
from iterit_ui.epochs import draw, events, tab
from iterit_ui.epochs import run_choices as runs
from iterit_ui.epochs import views as view
from iterit_ui.epochs.captions import epoch_words
from iterit_ui.epochs.charts import first_trained
from iterit_ui.epochs.lists import listed
from iterit_ui.epochs.state import VIEW, EpochsState
from iterit_ui.shared.strategies import strategy_name


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home):
    return make_run(home)


def drawn(home, run="", epoch=0, **more):
    """All components by name."""
    return dict(
        zip(draw.DRAWN, draw.all_values(home, EpochsState(run=run, epoch=epoch, **more)), strict=True)
    )


def by_label(value):
    return {card["label"]: card for card in value["cards"]}


def rows_of(home, run, key, epoch=1, since=0):
    return listed(
        home, draw.epoch_view(home, EpochsState(run=run)).story, key, epoch=epoch, since=since
    ).rows.tolist()


# what is drawn


def test_nothing_chosen_says_what_to_do(tmp_path):
    value = drawn(tmp_path)
    assert value["message"]["steps"] and value["figures"] is None and value["world"] is None


@pytest.mark.parametrize("run", ["20250101-000000-aaaaaa", "../../etc", "<script>"])
def test_a_run_that_is_not_there_is_an_error_on_the_page(home, run):
    assert drawn(home, run)["message"]["tone"] == "error"
    here = EpochsState(run=run, epoch=3)
    assert draw.epoch_of(home, run, 3) == 3
    assert events.on_choice(home, here, {"key": "kept"}) == here
    assert draw.sample_change(home, here) == [gr.skip()] * 4


def test_cards_are_the_epochs_figures(home, run):
    records = [analysis.load_epoch(home, run, e) for e in range(3)]
    moved = analysis.changes(records[1].selection, records[0].selection)
    cards = by_label(drawn(home, run, 1)["figures"])
    assert cards["Selected"]["value"] == "10"
    assert cards["Kept"]["value"] == str(len(moved["kept"]))
    assert cards["Added"]["value"] == str(len(moved["added"])) and len(moved["added"]) > 0
    assert cards["Held-out loss"]["value"] == "1.800" and "1.900" in cards["Held-out loss"]["hint"]
    assert cards["Held-out loss"]["delta"] == "−0.100"
    assert cards["New among hardest"]["key"] == "hardest:1:0"
    assert by_label(drawn(home, run, 0)["figures"])["Kept"]["value"] == "–"


def test_axes_stay_the_same_over_the_epochs(home, run):
    shown = [drawn(home, run, epoch) for epoch in range(3)]
    for name in ("complexity", "diversity", "lengths"):
        assert len({json.dumps(value[name]["layout"]["xaxis"]["range"]) for value in shown}) == 1
    moved = [value["moved"]["layout"] for value in shown[1:]]
    assert len({json.dumps([one["xaxis"]["range"], one["yaxis"]["range"]]) for one in moved}) == 1


@pytest.mark.parametrize("labels", [True, False])
def test_everything_is_json_without_nan(tmp_path, labels):
    run = make_run(tmp_path, labels=labels)
    for epoch in range(3):
        value = drawn(
            tmp_path, run, epoch, sample=str(trees().ids[0]), view={**VIEW, "which": "quadrant:learned"}
        )
        assert value["labelled"].visible is labels
        json.dumps(
            {
                name: v
                for name, v in value.items()
                if name not in ("choice", "labelled", "body", "report", "receipt")
            },
            allow_nan=False,
        )


def test_lengths_are_compared_with_random_and_longest_at_the_same_budget(home, run):
    names = [item["label"] for item in drawn(home, run, 0)["lengths"]["legend"]]
    assert names == ["pool", "selected", "random draw", "longest"]
    assert {len(rows) for rows in draw.epoch_view(home, EpochsState(run=run)).story.baselines.values()} == {
        10
    }


def test_what_is_listed_stands_out_on_the_map(home, run):
    at = draw.epoch_view(home, EpochsState(run=run, epoch=1, view={**VIEW, "which": "added"}))
    assert sorted(np.flatnonzero(at.mask)) == sorted(at.listed.rows)
    assert draw.epoch_view(home, EpochsState(run=run, epoch=1)).mask is None
    value = view.map_value("k", at.record.selection, None, 5, marked=at.mask)
    bits = np.frombuffer(base64.b64decode(value["dim"]), np.uint8)
    assert np.unpackbits(bits, bitorder="little", count=ROWS).sum() == ROWS - len(at.listed.rows)
    assert value["highlight"] == 5 and len(value["palette"]) == len(analysis.MEMBERSHIP)


def test_the_map_can_show_the_epoch_that_trained_on_a_sample_first(home, run):
    there = events.on_colour(home, EpochsState(run=run, epoch=1), {"key": "first"})
    assert there.colour == "first" and events.on_colour(home, there, {"key": "moods"}) is there
    at = draw.epoch_view(home, there)
    value = first_trained(at)
    codes = np.frombuffer(base64.b64decode(value["codes"]), np.uint8)
    picked = [at.story.record(epoch).selection.rows.tolist() for epoch in (0, 1)]
    for row in range(ROWS):
        assert codes[row] == (1 if row in picked[0] else 2 if row in picked[1] else 0)
    assert [item["label"] for item in value["legend"]] == ["epoch 0", "epoch 1", "not trained on"]
    only_first = first_trained(draw.epoch_view(home, EpochsState(run=run, epoch=0, colour="first")))
    assert np.frombuffer(base64.b64decode(only_first["codes"]), np.uint8).sum() == len(picked[0])


def test_without_a_map_the_page_says_where_to_get_one(home, run):
    assert "Curate" in drawn(home, run, 1)["world"]["empty"]


def test_a_run_without_epochs_says_what_it_waits_for(tmp_path):
    for state, word in (("queued", "queued"), ("running", "prepared"), ("failed", "failed")):
        run = make_run(tmp_path, epochs=0, state=state)
        assert word in drawn(tmp_path, run)["message"]["title"]


def test_a_run_of_one_epoch_says_what_the_next_will_show(tmp_path):
    run = make_run(tmp_path, epochs=1)
    value = drawn(tmp_path, run)
    assert "next epoch on" in value["moved"]["empty"] and "next epoch on" in value["hardest"]["empty"]
    assert len(value["flow"]["columns"]) == 1 and value["flow"]["bands"] == []
    assert [item["label"] for item in value["cohorts"]["choices"]] == ["selected", "never selected"]


@pytest.mark.parametrize(
    "strategy", ["random", "diversity", "superfiltering", "longest", "random-each-epoch"]
)
def test_every_strategy_can_be_shown(tmp_path, strategy):
    run = make_run(tmp_path, epochs=2, strategy=strategy)
    value = drawn(tmp_path, run, 1)
    assert strategy_name(strategy) in value["message"]["text"]
    assert value["flow"]["columns"][1]["selected"] == 10


def test_a_run_that_no_model_scored_says_why_there_are_no_numbers(tmp_path):
    run = make_run(tmp_path, epochs=0, strategy="random")
    source = make_run(tmp_path, epochs=2)
    for epoch in range(2):
        record = analysis.load_epoch(tmp_path, source, epoch)
        scores = dataclasses.replace(
            record.scores,
            complexity=np.full(ROWS, np.nan, np.float32),
            loss_cond=np.full(ROWS, np.nan, np.float32),
        )
        store.write_epoch(
            tmp_path, run, dataclasses.replace(record, scores=scores, rescored=np.zeros(ROWS, dtype=bool))
        )
    value = drawn(tmp_path, run, 1)
    for name in ("complexity", "moved", "hardest", "cohorts"):
        assert "needs no model" in value[name]["empty"], name
    assert by_label(value["figures"])["New among hardest"]["value"] == "–"


# every mark lists exactly what it counts


def test_bands_list_what_they_count(home, run):
    flow = drawn(home, run, 1)["flow"]
    assert {band["kind"] for band in flow["bands"]} >= {"kept", "new", "dropped"}
    for band in flow["bands"]:
        here = events.on_choice(home, EpochsState(run=run, epoch=1), {"key": band["key"]})
        value = drawn(home, **dataclasses.asdict(here))
        assert value["listed"]["total"] == band["count"], band
        assert value["player"]["list"]["count"] == str(band["count"])
        assert value["flow"]["on"] == band["key"] and value["listed"]["filter"] == band["key"]
    for column in flow["columns"]:
        for side in ("selected", "gone"):
            if column[side]:
                assert len(rows_of(home, run, column["keys"][side]["key"])) == column[side]


@pytest.mark.parametrize("name", ["moved", "cohorts", "hardest"])
def test_choices_list_what_they_count(home, run, name):
    for epoch in (1, 2):
        choices = drawn(home, run, epoch)[name]["choices"]
        assert choices
        for choice in choices:
            rows = rows_of(home, run, choice["key"], epoch=epoch)
            assert len(rows) == int(choice["count"].replace(",", "")) or choice.get("disabled"), choice


def test_quadrants_add_up_and_the_earlier_epoch_can_be_chosen(home, run):
    value = drawn(home, run, 2)["moved"]
    n = sum(int(item["count"]) for item in value["choices"])
    assert f"Of the {n} samples scored before both epochs" in value["note"]
    assert [item["key"].partition(":")[2] for item in value["choices"]] == list(QUADRANTS)
    assert [item["key"] for item in value["against"]["options"]] == ["0", "1"]
    here = events.on_compare(home, EpochsState(run=run, epoch=2), {"key": "1"})
    assert here.since == 1
    other = drawn(home, run, 2, since=1)["moved"]
    assert "before epoch 1" in other["note"] and other["against"]["value"] == "1"
    assert events.on_compare(home, here, {"key": "7"}) == here
    assert events.on_compare(home, here, {"key": 1}) == here


def test_a_point_opens_its_sample_and_a_bar_its_list(home, run):
    here = EpochsState(run=run, epoch=1)
    assert events.on_click(home, here, {"custom": 7}).sample == trees().ids[7]
    assert (
        events.on_click(home, here, {"custom": ["label:clean", "3 samples"]}).view["which"] == "label:clean"
    )
    for nonsense in (ROWS, -1, True, None, [], {}, 1.5, ["everything"], "quadrant:unknown"):
        assert events.on_click(home, here, {"custom": nonsense}) == here, nonsense
    labels = drawn(home, run, 1)["labels"]["data"][1]["customdata"]
    picked = analysis.load_epoch(home, run, 1).selection.rows
    assert len(rows_of(home, run, "label:mismatch")) == int((trees().labels[picked] == "mismatch").sum())
    assert ["label:clean", f"{len(rows_of(home, run, 'label:clean'))} samples"] in labels


@pytest.mark.parametrize(
    "key",
    ["flow:0:eaten", "flow:x:kept", "flow:9:kept", "column:0:up", "quadrant:", "hardest:1", "hardest:5:0", "hardest:0:1",
     "cohort:lost", "label:nobody", "rows:../../etc", "rows:0123456789abcdef", "cluster:0", "x" * 5000, ""],
)  # fmt: skip
def test_a_key_that_means_nothing_changes_nothing(home, run, key):
    here = EpochsState(run=run, epoch=1)
    assert events.on_choice(home, here, {"key": key}) == here
    assert drawn(home, run, 1, view={**VIEW, "which": key})["listed"]["filter"] == "selected"


def test_the_same_mark_again_lists_the_selection(home, run):
    here = events.on_choice(home, EpochsState(run=run, epoch=1), {"key": "cohort:never selected"})
    assert here.view["which"] == "cohort:never selected" and here.view["sort"] == "complexity"
    assert events.on_choice(home, here, {"key": "cohort:never selected"}).view["which"] == "selected"
    assert events.on_back(home, here, {}).view["which"] == "selected"


def test_a_cohort_that_has_a_shorter_name_is_that_list(home, run):
    here = events.on_choice(home, EpochsState(run=run, epoch=1), {"key": "cohort:kept"})
    assert here.view["which"] == "kept"
    assert events.on_choice(home, here, {"key": "cohort:kept"}).view["which"] == "selected"
    assert drawn(home, run, 1, view={**VIEW, "which": "kept"})["cohorts"]["on"] == "kept"


def test_a_list_that_compares_shows_both_complexities(home, run):
    value = drawn(home, run, 2, view={**VIEW, "which": "quadrant:learned"}, since=1)["listed"]
    assert "then" in [column["key"] for column in value["columns"]]
    then = analysis.load_epoch(home, run, 1).scores.complexity
    pool = trees()
    for line, sample in zip(value["rows"], value["ids"]):
        assert line["then"] == f"{then[pool.row_of[sample]]:.3f}"


def test_filters_add_up(home, run):
    first = drawn(home, run, 0, view={**VIEW, "which": "added"})["listed"]
    assert [item["key"] for item in first["filters"]] == ["selected"] and first["filter"] == "selected"
    value = drawn(home, run, 1)["listed"]
    counts = {item["key"]: int(item["count"]) for item in value["filters"]}
    assert counts["selected"] == counts["added"] + counts["kept"] == 10
    added = drawn(home, run, 1, view={**VIEW, "which": "added"})["listed"]
    assert added["total"] == counts["added"] and set(added["ids"]) < set(value["ids"])


def test_what_is_drawn_on_the_map_is_listed(home, run):
    bits = np.zeros(ROWS, dtype=bool)
    bits[[3, 5, 8]] = True
    data = {
        "key": f"{trees().id}/1",
        "n": ROWS,
        "bits": base64.b64encode(np.packbits(bits, bitorder="little")).decode(),
    }
    here = events.on_lasso(home, EpochsState(run=run, epoch=1), data)
    assert rows_of(home, run, here.view["which"]) == [3, 5, 8]
    assert events.on_lasso_removed(home, here, {}).view["which"] == "selected"
    assert events.on_lasso(home, here, data | {"key": "another pool"}) == here
    with pytest.raises(StudioError):
        events.on_lasso(home, here, data | {"n": 7})


# samples


def test_dataset_text_stays_text(home, run):
    value = drawn(home, run, 0, sample=str(trees().ids[0]))["sample"]
    assert value["response"].endswith(PAYLOAD)
    assert value["turns"][0]["content"].startswith(PAYLOAD)


def test_a_sample_tells_why_and_its_history(home, run):
    record = analysis.load_epoch(home, run, 0)
    row = int(record.selection.rows[0])
    value = drawn(home, run, 0, sample=str(trees().ids[row]))
    assert "pick 1 of 10" in value["sample"]["why"][0] and value["sample"]["terms"]
    assert value["sample"]["position"] == {"at": 1, "of": 10}
    history = value["history"]
    assert [item["epoch"] for item in history["rows"]] == ["epoch 0", "epoch 1", "epoch 2"]
    assert history["selected"] == "0"
    assert history["rows"][0]["loss"] == f"{record.scores.loss_cond[row]:.3f}"


def test_an_unknown_sample_asks_for_a_click(home, run):
    value = drawn(home, run, 0, sample="nobody")
    assert "Click" in value["sample"]["empty"] and value["history"] is None


def test_keys_walk_through_the_list(home, run):
    here = EpochsState(run=run, epoch=1)
    rows = analysis.load_epoch(home, run, 1).selection.rows
    ids = trees().ids
    here = events.on_step(home, here, {"by": 1})
    assert here.sample == ids[rows[0]]
    assert events.on_step(home, here, {"by": 3}).sample == ids[rows[3]]
    assert events.on_step(home, here, {"by": 200}).sample == ids[rows[-1]]
    assert events.on_step(home, here, {"by": -1}).sample == ids[rows[0]]
    many = EpochsState(run=run, epoch=1, view={**VIEW, "which": "cohort:never selected", "sort": "row"})
    assert (
        events.on_step(home, dataclasses.replace(many, view={**many.view, "page": 1}), {"by": 1}).view["page"]
        == 1
    )


def test_picks_name_samples_of_this_pool_only(home, run):
    ids, here = trees().ids, EpochsState(run=run, epoch=1)
    assert events.on_row(home, here, {"id": str(ids[3])}).sample == ids[3]
    assert events.on_row(home, here, {"id": "nobody"}) == here
    assert events.on_row(home, here, {"id": ["x"]}) == here
    assert events.on_point(home, here, {"key": f"{trees().id}/7", "row": 4}).sample == ids[4]
    assert events.on_point(home, here, {"key": "another pool", "row": 4}) == here
    with pytest.raises(StudioError):
        events.on_point(home, here, {"key": trees().id, "row": ROWS})


def test_table_events_are_checked(home, run):
    here = EpochsState(run=run, epoch=1)
    assert events.on_list(home, here, {"key": "dropped"}).view["which"] == "dropped"
    assert events.on_list(home, here, {"key": "everything"}) == here
    down = events.on_table(home, here, {"column": "gain"})
    assert down.view == {**VIEW, "sort": "gain", "descending": True}
    assert events.on_table(home, down, {"column": "gain"}).view["descending"] is False
    assert events.on_table(home, here, {"column": "drop table"}) == here
    assert events.on_table(home, here, {"page": 2}).view["page"] == 2
    with pytest.raises(StudioError):
        events.on_table(home, here, {"page": -1})


# which run and which epoch


def test_every_question_of_the_player_is_answered(home, run):
    here = events.on_go(home, EpochsState(run=run), {"epoch": 2, "seq": 41})
    assert (here.epoch, here.answered) == (2, 41)
    assert drawn(home, **dataclasses.asdict(here))["player"] | {"list": None} == {
        "epochs": [0, 1, 2], "epoch": 2, "planned": 3, "seq": 41, "list": None,
    }  # fmt: skip
    beyond = events.on_go(home, here, {"epoch": 99, "seq": 42})
    assert (beyond.epoch, beyond.answered) == (2, 42)
    with pytest.raises(StudioError):
        events.on_go(home, here, {"epoch": "1", "seq": 43})


def test_a_list_follows_the_epoch_or_stays_with_its_own(home, run):
    for key, follows in (("added", True), ("cohort:never selected", True), ("flow:0:kept", False)):
        here = events.on_choice(home, EpochsState(run=run, epoch=1), {"key": key})
        there = events.on_go(home, here, {"epoch": 2, "seq": 1})
        assert there.view["which"] == key
        assert (rows_of(home, run, key, epoch=1) != rows_of(home, run, key, epoch=2)) is follows


def test_looking_picks_the_newest_and_is_quiet_when_nothing_changed(tmp_path):
    make_run(tmp_path, epochs=1)
    time.sleep(0.01)
    run = make_run(tmp_path, epochs=2, state="running")
    waiting = make_run(tmp_path, epochs=0, state="queued")
    here = draw.normalised(tmp_path, EpochsState())
    assert here.run == run and run in here.seen and waiting in here.seen
    assert draw.normalised(tmp_path, here) == here
    choices = {key: label for label, key in runs.run_choice(tmp_path, run).choices}
    assert "2 epochs, running" in choices[run] and "no epoch yet, queued" in choices[waiting]


def test_the_list_of_runs_says_that_there_is_none(tmp_path):
    none = runs.run_choice(tmp_path, "")
    assert none.choices == [("no run yet", "")] and none.value == ""


def test_a_new_epoch_is_noticed_and_moves_nothing(tmp_path):
    run = make_run(tmp_path, epochs=2, state="running")
    here = draw.normalised(
        tmp_path, EpochsState(run=run, epoch=1, view={**VIEW, "which": "flow:0:kept"}, sample="x", since=0)
    )
    record = analysis.load_epoch(tmp_path, run, 1)
    store.write_epoch(tmp_path, run, dataclasses.replace(record, epoch=2))
    there = draw.normalised(tmp_path, here)
    assert there != here and dataclasses.replace(there, seen=here.seen) == here
    assert drawn(tmp_path, **dataclasses.asdict(there))["player"]["epochs"] == [0, 1, 2]


def test_an_epoch_that_was_written_anew_is_read_anew(tmp_path):
    run = make_run(tmp_path, epochs=2)
    before = drawn(tmp_path, run, 1)["figures"]
    record = analysis.load_epoch(tmp_path, run, 0)
    time.sleep(0.01)
    store.write_epoch(tmp_path, run, dataclasses.replace(record, epoch=1))
    after = drawn(tmp_path, run, 1)["figures"]
    assert by_label(after)["Kept"]["value"] == "10" and by_label(before)["Kept"]["value"] != "10"


def test_another_run_starts_with_its_own_selection(home, run):
    short = make_run(home, epochs=1)
    here = draw.normalised(
        home, EpochsState(run=run, epoch=2, view={**VIEW, "which": "dropped", "page": 3}, since=1)
    )
    assert here.view["which"] == "dropped"
    there = draw.normalised(home, dataclasses.replace(here, run=short))
    assert (there.epoch, there.view["which"], there.view["page"], there.since) == (0, "selected", 0, 0)


def test_words_of_small_things():
    assert view.signed(0.0123, 3) == "+0.012" and view.signed(-0.5, 1) == "−0.5"
    assert view.signed(float("nan"), 2) == ""
    assert epoch_words([0, 1], 0, 3).endswith("1 more epoch to come.")
    assert "selection of epoch 0 again" in epoch_words([0, 1], 1, 2, strategy="longest")
    assert "nothing is trained" in epoch_words([0], 0, 1, trains=False)
    assert np.isnan(analysis.mean_known(np.array([np.nan])))
    assert set(plots.COHORT_COLOUR) == set(COHORTS)
    assert set(plots.QUADRANT_COLOUR) == set(QUADRANTS)
    assert tab.NAMES[:3] == list(tab.SHARED)


# what comes late


def test_an_answer_about_the_same_run_leaves_the_list_of_runs_alone(home, run, monkeypatch):
    """Somebody may be choosing another run in it."""
    request = types.SimpleNamespace(session_hash="a page that steps")
    parts = [gr.Dropdown(elem_id=tab.RUN_CHOICE), *(gr.HTML() for _ in draw.DRAWN[1:])]
    start = draw.normalised(home, EpochsState(run=run))

    monkeypatch.setattr(tab, "_written", lambda held, there: {})

    def choice_after(read, there):
        made = tab.in_turn(home, request, {}, read, lambda _: there, draw.all_values, parts)
        return made[len(tab.NAMES)]

    assert choice_after(start, dataclasses.replace(start, epoch=1)) == gr.skip()
    assert choice_after(EpochsState(), start).value == run
    assert choice_after(dataclasses.replace(start, run="another"), start).value == run


def test_a_run_that_gets_another_name_is_listed_with_it(home, run):
    before = runs.on_disk(home, run)
    name = store.run_info(home, run).name
    store.label_run(home, run, name="a better name")
    assert runs.on_disk(home, run) != before
    store.label_run(home, run, name=name)
    assert runs.on_disk(home, run) == before
