"""What fills the Tune form, and what it leaves as somebody typed it."""

from __future__ import annotations

import gradio as gr
import pytest
from run_folders import trees

from backend import store
from iterit_ui import tune_fill as fill
from iterit_ui.tune_form import form_fields, preset_values

NAMES = form_fields()
SKIP = gr.skip()


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def changed(controls, names=NAMES):
    """The controls that are filled, by name."""
    return {name: value for name, value in zip(names, controls, strict=True) if value != SKIP}


def by_pool(home, pool, filled, settings=None, model="demo"):
    _, _, preset, carried, *controls, after = fill.fill_pool(home, (), pool, settings or {}, model, filled)
    return preset, carried, changed(controls), after


def test_the_form_is_built_with_what_the_first_visitor_gets(home):
    first = fill.first_fill(())
    assert first == {"pool": "", "preset": "demo", "values": preset_values("demo", {})}
    preset, carried, controls, after = by_pool(home, fill.first_pool(), first)
    assert (preset, carried, controls) == (SKIP, None, {})
    assert after == {**first, "pool": fill.first_pool()}


def test_the_first_fill_leaves_what_it_need_not_change(home):
    preset, _, controls, after = by_pool(home, trees().id, fill.first_fill(()))
    paper, demo = (dict(zip(NAMES, preset_values(name, {}))) for name in ("paper", "demo"))
    assert preset == after["preset"] == "paper"
    assert controls == {name: paper[name] for name in NAMES if paper[name] != demo[name]}
    assert "budget" in controls and "epochs" not in controls


def test_the_same_pool_asked_for_twice_fills_once(home):
    *_, after = by_pool(home, trees().id, fill.first_fill(()))
    again = fill.fill_pool(home, (), trees().id, {"decay": 0.5}, "demo", after)
    assert len(again) == 4 + len(NAMES) + 1 and all(value == SKIP for value in again)


def test_another_pool_fills_everything(home):
    *_, after = by_pool(home, trees().id, fill.first_fill(()))
    preset, carried, controls, after = by_pool(home, fill.first_pool(), after, {"decay": 0.5})
    assert preset == "demo" and "decay" in carried["text"]
    assert list(controls) == NAMES and controls["decay"] == 0.5
    assert after["pool"] == fill.first_pool() and after["values"] == list(controls.values())


def test_a_chosen_preset_fills_everything(home):
    first = {**fill.first_fill(()), "pool": fill.first_pool()}
    *controls, after = fill.fill_preset(home, "paper", fill.first_pool(), {"decay": 0.5}, first)
    assert controls == after["values"] == preset_values("paper", {"decay": 0.5})
    assert (after["preset"], after["pool"]) == ("paper", fill.first_pool())


def test_a_chosen_model_fills_what_its_preset_changes(home):
    first = {**fill.first_fill(()), "pool": fill.first_pool()}
    preset, *controls, after = fill.fill_model(home, fill.first_pool(), {}, "owner/name", first)
    assert preset == after["preset"] == "paper" and after["values"] == preset_values("paper", {})
    assert "learning_rate" in changed(controls) and "epochs" not in changed(controls)
    preset, *controls, _ = fill.fill_model(home, fill.first_pool(), {}, "owner/other", after)
    assert preset == SKIP and not changed(controls)


def test_curate_changes_only_what_changed_there(home):
    pool = trees().id
    *_, after = by_pool(home, pool, fill.first_fill(()))
    carried, *controls, same = fill.carry_over(home, pool, {}, "tune", after)
    assert carried is None and not changed(controls, fill.SELECTION) and same == after
    carried, *controls, after = fill.carry_over(home, pool, {"decay": 0.5}, "tune", after)
    assert "decay" in carried["text"] and changed(controls, fill.SELECTION) == {"decay": 0.5}
    store.set_mark(home, pool, [trees().ids[3]], "pinned", who="test")
    _, *controls, after = fill.carry_over(home, pool, {"decay": 0.5}, "tune", after)
    assert changed(controls, fill.SELECTION) == {"pinned": trees().ids[3]}
    _, *controls, _ = fill.carry_over(home, pool, {}, "tune", after)
    assert changed(controls, fill.SELECTION) == {"decay": 0.1}
    assert all(value == SKIP for value in fill.carry_over(home, pool, {}, "epochs", after))


def test_curate_keeps_the_preset_that_the_form_was_filled_with(home):
    """Whatever the page showed when the change was sent."""
    first = {**fill.first_fill(()), "pool": fill.first_pool()}
    *_, after = fill.fill_preset(home, "paper", fill.first_pool(), {}, first)
    _, *controls, _ = fill.carry_over(home, fill.first_pool(), {}, "tune", after)
    assert not changed(controls, fill.SELECTION)
