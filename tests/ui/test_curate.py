"""The callbacks of Data and Curate: values in, values out."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest

from backend import store
from backend.data import load_pool
from backend.records import Pool
from iterit_ui import curate_controls as controls
from iterit_ui import curate_tab, curate_views, data_sources, data_tab, layout
from iterit_ui.session import settings_of

FEWER = {"now": "", "before": ""}
DIVERSITY = {"strategy": "diversity", "budget": 5.0}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def pool(home: Path, tmp_path: Path) -> Pool:
    words = ["oak", "elm", "ash", "fir", "yew", "box", "bay"]
    rows = [
        {
            "instruction": f"q{i}",
            "output": " ".join(words[(i * k) % 7] for k in range(1, 2 + i % 5)),
            "source": "ab"[i % 2],
        }
        for i in range(40)
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    made = load_pool([path])
    store.save_pool(home, made)
    return made


def test_a_pool_without_scores_says_what_to_do(home: Path, pool: Pool) -> None:
    values = curate_tab.rendered(home, pool.id, "", {}, "", FEWER, dict(curate_views.VIEW))
    assert "not been scored" in values[1]["title"]
    assert values[2]["cards"][0]["value"] == "0"


def test_diversity_needs_no_scores(home: Path, pool: Pool) -> None:
    seen, _, cards, *_, listed, _ = curate_tab.rendered(
        home, pool.id, "", DIVERSITY, "", FEWER, dict(curate_views.VIEW)
    )
    assert cards["cards"][0]["value"] == "5"
    assert listed["total"] == 5
    more = {**DIVERSITY, "budget": 8.0}
    _, _, cards, *_ = curate_tab.rendered(home, pool.id, "", more, "", seen, dict(curate_views.VIEW))
    assert cards["cards"][-1]["value"] == "5" and cards["cards"][-1]["hint"] == "3 added, 0 dropped"


def test_pins_and_excludes_are_honoured_at_once(home: Path, pool: Pool) -> None:
    def picks() -> list[str]:
        return curate_tab.rendered(home, pool.id, "", DIVERSITY, "", FEWER, dict(curate_views.VIEW))[7]["ids"]

    first = picks()
    outside = next(str(i) for i in pool.ids if i not in first)
    assert curate_tab.marked_as(home, pool.id, {"id": outside}, "pinned", 0) == 1
    assert picks()[0] == outside
    curate_tab.marked_as(home, pool.id, {"id": first[0]}, "excluded", 1)
    assert first[0] not in picks()
    assert settings_of(home, pool.id, {}).pinned == (outside,)
    curate_tab.undone(home, pool.id, 2)
    curate_tab.undone(home, pool.id, 3)
    assert picks() == first


def test_a_sample_says_why(home: Path, pool: Pool) -> None:
    listed = curate_tab.rendered(home, pool.id, "", DIVERSITY, "", FEWER, dict(curate_views.VIEW))[7]
    value, _ = curate_tab.opened_sample(home, pool.id, "", DIVERSITY, listed["ids"][1])
    assert "pick 2 of 5" in value["why"][0]
    assert value["terms"] and value["actions"] == ["pin", "exclude"]


def test_only_samples_of_the_pool_are_marked(home: Path, pool: Pool) -> None:
    assert curate_tab.marked_as(home, pool.id, {"id": "nobody"}, "pinned", 3) == gr.skip()
    assert curate_tab.picked_row(home, pool.id, {"id": ["x"] and "x"}) == gr.skip()


def test_settings_are_differences_from_the_default(home: Path, pool: Pool) -> None:
    assert controls.differences(pool.id, {}, decay=0.1, budget=0.05) == {}
    changed = controls.differences(pool.id, {}, decay=0.5)
    assert changed == {"decay": 0.5}
    assert controls.differences(pool.id, changed, decay=0.1) == {}


def test_budget_as_share_and_as_number(home: Path, pool: Pool) -> None:
    settings, shown = controls.budget_to(home, pool.id, {}, 0.5)
    assert settings == {"budget": 0.5} and shown == 20
    settings, percent, count = controls.budget_to(home, pool.id, {}, 10)
    assert settings == {"budget": 10.0} and percent == 25.0 and count == 10
    assert controls.budget_to(home, pool.id, {}, 1000)[2] == 40


def test_a_weight_of_a_source(home: Path, pool: Pool) -> None:
    changed = controls.weighed(home, pool.id, {}, {"index": 1, "weight": 0})
    assert changed == {"source_weights": {"b": 0.0}}
    assert controls.weighed(home, pool.id, changed, {"index": 1, "weight": 1}) == {}
    assert controls.weighed(home, pool.id, {}, {"index": 9, "weight": 1}) == gr.skip()


def test_reset_draws_the_weights_anew(home: Path, pool: Pool) -> None:
    # the page moved its sliders itself: a value equal to the last one sent would change nothing
    settings, _, _, weights, *_ = controls.start_again(home, pool.id)
    assert settings == {} and [source["weight"] for source in weights["sources"]] == [1.0, 1.0]
    assert weights != controls.filled(home, pool.id, {})[2]


def test_limits_that_cross_are_refused_and_an_empty_one_is_the_default(home: Path, pool: Pool) -> None:
    values = dict(zip(controls.NAMES, controls.filled(home, pool.id, {})[3:]))
    crossed = {**values, "min_response_tokens": 50, "max_response_tokens": 10}
    with pytest.warns(UserWarning, match="above the longest"):
        assert controls.changed_to(pool.id, {}, crossed) == gr.skip()
    emptied = {**crossed, "min_response_tokens": None}
    assert controls.changed_to(pool.id, {"min_response_tokens": 50}, emptied) == {"max_response_tokens": 10}


def test_the_reason_why_nothing_is_selected_is_named(home: Path, pool: Pool) -> None:
    changed = {"strategy": "diversity", "source_weights": {"a": 0.0, "b": 0.0}}
    _, note, *_ = curate_tab.rendered(
        home, pool.id, "", changed, "", {"now": "", "before": ""}, dict(curate_views.VIEW)
    )
    assert note["tone"] == "warn" and "source off" in note["text"]


def test_nested_columns_and_a_second_broken_file(tmp_path: Path) -> None:
    nested, broken = tmp_path / "nested.jsonl", tmp_path / "broken.json"
    nested.write_text('{"ask": "a", "tries": [{"said": "b"}]}\n')
    broken.write_text('{"a": [')
    fine = tmp_path / "fine.json"
    fine.write_text('[{"instruction": "a", "output": "b"}]')
    boxes = data_sources.look_at((tmp_path,), [str(nested)])[4:]
    assert ("tries.0.said", "tries.0.said") in [tuple(choice) for choice in boxes[2].choices]
    inputs = {"paths": [str(nested)], "mapped": True}
    assert "response" in data_sources.look_again((tmp_path,), inputs, "ask", "", "")[0]["title"]
    note, button = data_sources.look_again((tmp_path,), inputs, "ask", "", "tries.0.said")
    assert note["tone"] == "info" and button.interactive
    told, note, *_ = data_sources.look_at((tmp_path,), [str(fine), str(broken)])
    assert told["paths"] == [] and "broken.json" in note["text"]


def test_the_table_turns_sorts_and_filters() -> None:
    view = dict(curate_views.VIEW)
    assert curate_tab.turned(view, {"page": 2})["page"] == 2
    assert curate_tab.turned(view, {"column": "complexity"})["descending"] is True
    assert curate_tab.turned(view, {"key": "all"})["which"] == "all"
    assert curate_tab.turned(view, {"column": "__class__"}) == gr.skip()


def test_files_outside_the_roots_are_refused(home: Path, tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret.json"
    root.mkdir()
    secret.write_text("[]")
    told, note, *_ = data_sources.look_at((root,), [str(secret)])
    assert told["paths"] == [] and note["tone"] == "error"
    assert data_sources.look_at_hub((root,), "../secret.json")[1]["tone"] == "error"
    opened = data_sources.opened_inputs(home, (root,), {"paths": [str(secret)], "mapped": False})
    assert opened[4]["tone"] == "error"


def test_data_shows_the_pool(home: Path, pool: Pool) -> None:
    note, cards, sources, *_, listed = data_tab.opened_pool(home, pool.id)
    assert note is None and cards["cards"][0]["value"] == "40"
    assert sources["data"][0]["x"] == [20, 20] and len(listed["rows"]) == 40


def test_a_link_to_an_unknown_pool_falls_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gr, "Warning", lambda *a, **k: None)
    values = layout.restored(home, {"pool": "ffffffffffffffff", "tab": "curate"})
    assert values[0] == "curate" and values[1] != "ffffffffffffffff"
