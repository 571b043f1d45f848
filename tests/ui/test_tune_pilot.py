"""Try before you launch: the panel's plan, its mistakes, queueing, and the newest pilot, as the plain functions they are."""

from __future__ import annotations

import gradio as gr
import pytest
from run_folders import trees

from backend import store
from backend.jobs import lifecycle
from backend.records import Metrics
from iterit_ui.tune import form_fields as form
from iterit_ui.tune import pilot_panel, setup_panel

ASKED = {"strategies": "iterit\nlongest", "share": "0.5", "seeds": "0,1"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with the pool of trees, in which no worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def draft(**changes):
    """The form as the page sends it: 40 of the 114 samples that are not held out, five steps of 8 an epoch."""
    values = {name: form.to_form(name, form.default(name)) for name in form.form_fields()}
    values |= {"budget": "80", "batch_size": "8", "epochs": "2"}
    return {"pool": trees().id, "model": "demo", "preset": "paper", "values": {**values, **changes}}


def answer(home, *, sent=None, open_=True, **changes):
    return pilot_panel.answer(
        home, (), (), {"form": draft(**changes), "pilot": {**ASKED, **(sent or {})}, "open": open_}
    )


def queued(home, *, sent=None, settings=None, **changes):
    told = setup_panel.carried(home, trees().id, {})
    asked = {"form": draft(**changes), "carried": told, "pilot": {**ASKED, **(sent or {})}}
    return setup_panel.piloted(home, (), (), asked, trees().id, settings or {}, "me")["pilot"]


def end(home, losses, *, count=None):
    """The newest pilot's runs are done, or the first so many, with these losses by strategy."""
    info = store.comparisons(home)[0]
    for run in info.runs[:count]:
        config = store.read_config(home, run)
        for epoch, loss in enumerate((3.0, 2.5, losses[config.strategy] + 0.01 * config.seed)):
            store.append_metrics(
                home, run, Metrics(5 * epoch, float(epoch), held_out=loss, held_out_epoch=epoch)
            )
        store.set_state(home, run, "done")
    return info


def test_what_is_offered_are_the_selections():
    fields = {field["name"]: field for field in pilot_panel.panel()["fields"]}
    offered = [option["value"] for option in fields["strategies"]["options"]]
    assert "iterit" in offered and not {"full", "random", "random-each-epoch"} & set(offered)
    assert fields["strategies"]["value"].split("\n")[0] == "iterit" and fields["share"]["value"] == "0.25"


def test_the_plan_says_runs_steps_and_what_it_is_of(home):
    plan = answer(home)["plan"]
    assert plan["ready"] and plan["tone"] == "info"
    text = " ".join(plan["lines"])
    assert "2 strategies and the two random draws with 2 seeds: 8 runs" in text
    assert "Each trains 10 of the run's 20 steps, on 40 samples an epoch: 80 steps in all, 4.0 times" in text
    assert "6 samples held out from the pool" in text
    assert answer(home, open_=False) == {"plan": None, "newest": None}


@pytest.mark.parametrize(
    ("sent", "changes", "words"),
    [
        ({"share": "0"}, {}, "Share is 0; a pilot takes 0.05 to 1 of the run's steps."),
        ({"share": "half"}, {}, "Share is 'half'; expected a number from 0.05 to 1."),
        ({"share": "nan"}, {}, "Share is nan"),
        ({"share": "0.06"}, {}, "a pilot needs 4 or more in each epoch"),
        ({"strategies": ""}, {}, "No strategy is chosen besides the random draws"),
        ({"strategies": "best"}, {}, "'best'; a pilot can try iterit"),
        ({"seeds": "x"}, {}, "Seeds: 'x' is not a seed"),
        ({"seeds": "3"}, {}, "needs two or more, and 1 is given"),
        ({"seeds": 3}, {}, "not a few short texts"),
        ({"share": "1" * 3000}, {}, "not a few short texts"),
        ({"more": "1"}, {}, "another panel"),
        ({}, {"held_out": "0"}, "nothing to measure on"),
        ({}, {"budget": "-1"}, "smallest allowed"),
    ],
)
def test_what_is_wrong_is_a_sentence_in_the_panel(home, sent, changes, words):
    plan = answer(home, sent=sent, **changes)["plan"]
    assert not plan["ready"] and plan["tone"] == "error" and words in plan["lines"][0]
    told = queued(home, sent=sent, **changes)
    assert told["tone"] == "error" and words in told["lines"][0] and store.runs(home) == []


@pytest.mark.parametrize("asked", [None, [], {"form": 3}, {"form": {"values": {}, "pool": "nowhere"}}])
def test_what_is_no_form_is_a_sentence_too(home, asked):
    found = pilot_panel.answer(home, (), (), asked)
    assert found["newest"] is None and (found["plan"] is None or found["plan"]["tone"] == "error")
    assert setup_panel.piloted(home, (), (), asked, "", {}, "me")["pilot"]["tone"] in ("error", "warn")


def test_a_pilot_is_queued_as_ordinary_runs(home):
    before = pilot_panel.stamp(home)
    told = queued(home)
    assert (told["tone"], told["title"]) == ("good", "8 runs queued")
    (info,) = store.comparisons(home)
    assert (info.kind, info.who, len(info.runs)) == ("pilot", "me", 8)
    assert {run.state for run in store.runs(home)} == {"queued"}
    assert pilot_panel.stamp(home) != before


def test_what_changed_on_curate_holds_it_back(home):
    told = queued(home, settings={"decay": 0.5})
    assert told["tone"] == "warn" and "Settings on the Curate tab changed" in told["lines"][0]
    assert store.runs(home) == []


def test_the_newest_pilot_as_its_runs_end(home):
    queued(home)
    losses = {"iterit": 1.5, "longest": 2.2, "random": 2.0, "random-each-epoch": 1.95}
    newest = answer(home)["newest"]
    assert newest["progress"] == "0 of 8 runs are done." and newest["use"] is None and newest["open"]
    stamp = pilot_panel.stamp(home)
    info = end(home, losses, count=3)
    assert pilot_panel.stamp(home) != stamp
    newest = answer(home)["newest"]
    assert (newest["short"], newest["words"]) == ("3 of 8 runs done", "")
    assert {row["cells"][3] for row in newest["rows"]} == {"–"}  # means over different seeds
    end(home, losses)
    newest = answer(home, open_=False, budget="60")["newest"]
    assert newest["id"] == info.id and newest["short"] == "verdict is in"
    assert newest["words"].startswith(
        "Launch “IterIT: complexity x diversity”: it ended 0.4500 below “Random, redrawn"
    )
    assert newest["use"] == {"strategy": "iterit", "label": "IterIT: complexity x diversity"}
    assert newest["rows"][0] == {
        "cells": ["IterIT: complexity x diversity", "1.5050", "0.0071", "−0.4500"],
        "chosen": True,
    }
    assert any("10 of the run's 20 optimizer steps (50 %)" in line for line in newest["notes"])
    assert any("other settings than the form has now: “Budget”" in line for line in newest["notes"])
    # the strategy in the form is not what the pilot was made for
    assert not any("other settings" in line for line in answer(home, strategy="longest")["newest"]["notes"])
    # of another pool or model there is none
    other = {"form": {**draft(), "model": "nowhere/tiny"}, "pilot": ASKED, "open": False}
    assert pilot_panel.answer(home, (), (), other)["newest"] is None


def test_a_pilot_is_opened_on_compare(home):
    queued(home)
    (info,) = store.comparisons(home)
    comparison, chosen, tabs = setup_panel.opened(home, {"comparison": info.id})
    assert (comparison, chosen, tabs.selected) == (info.id, [], "compare")
    for wrong in (None, {}, {"comparison": "c20260101-000000-000000"}, {"comparison": ["x"]}):
        assert setup_panel.opened(home, wrong) == [gr.skip()] * 3


def test_the_panel_starts_with_what_a_pilot_may_be(home):
    # a quarter of 80 samples are three steps of 8
    assert "are 3 optimizer steps" in answer(home, sent=pilot_panel.START)["plan"]["lines"][0]
    assert answer(home, sent=pilot_panel.START, batch_size="4", device_batch_size="4")["plan"]["ready"]
