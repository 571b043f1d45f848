"""Columns of the data on Curate, Epochs and the review: shown, sorted, filtered, a factor of the gain; languages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from run_folders import make_run, trees

from backend import store
from backend.data import load_pool
from backend.errors import ConfigError
from backend.records import Pool
from iterit_ui.curate import draw, events
from iterit_ui.curate import settings_form as form
from iterit_ui.curate.state import CurateState
from iterit_ui.data import views as data_views
from iterit_ui.epochs import draw as epochs_draw
from iterit_ui.epochs import events as epochs_events
from iterit_ui.epochs.state import EpochsState
from iterit_ui.shared import address
from iterit_ui.shared.session import VIEW


def with_own(pool: Pool, **columns: Any) -> Pool:
    own = pa.StructArray.from_arrays([pa.array(values) for values in columns.values()], names=list(columns))
    return dataclasses.replace(pool, table=pool.table.append_column("own", own))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(home: Path) -> str:
    """A run on a pool that got its columns later."""
    run = make_run(home)
    pool = trees()
    scores = [None if i % 10 == 9 else float(i % 5) for i in range(len(pool))]
    names = [f"reviewer {i % 20}" for i in range(len(pool))]
    odd = [-1.0 if i == 4 else 1.0 for i in range(len(pool))]
    store.save_pool(home, with_own(pool, judge=scores, topic=["law", "tax"] * 60, who=names, odd=odd))
    return run


def table(home: Path, here: CurateState) -> dict[str, Any]:
    return draw.list_values(home, here)[0]


def test_columns_are_shown_sorted_and_narrow_the_list(home: Path, run: str) -> None:
    pool = trees().id
    here = draw.normalised(home, CurateState(pool=pool, scores=f"{run}/0", settings={"budget": 10.0}))
    menu = table(home, here)["own"]["columns"]
    assert [one["name"] for one in menu] == ["judge", "topic", "who", "odd"]
    assert (menu[0]["low"], menu[0]["high"]) == (0, 4) and "12 samples without" in menu[0]["note"]
    assert [one["value"] for one in menu[1]["values"]] == ["law", "tax"] and "contains" in menu[2]
    here = events.on_table(home, here, {"columns": ["judge", "topic"]})
    keys = [column["key"] for column in table(home, here)["columns"]]
    assert keys[-3:] == ["own:judge", "own:topic", "response"]
    here = events.on_narrow(home, here, {"name": "judge", "condition": [3, None]})
    here = events.on_narrow(home, here, {"name": "topic", "condition": ["law"]})
    value = table(home, here)
    expected = [i for i in range(120) if i % 10 != 9 and i % 5 >= 3 and i % 2 == 0]
    assert value["total"] == len(expected) and value["own"]["columns"][0]["from"] == 3
    assert all(row["own:topic"] == "law" and float(row["own:judge"]) >= 3 for row in value["rows"])
    here = events.on_table(home, here, {"column": "own:judge"})
    assert [row["own:judge"] for row in table(home, here)["rows"]] == sorted(str(i % 5) for i in expected)
    link = address.written(**{name: getattr(here, name) for name in address.NAMES})
    back = address.read(link)
    assert back["filter"] == here.filter and back["view"] == here.view
    here = events.on_chip_removed(home, here, {"key": "own:judge"})
    assert here.filter == {"own": {"topic": ["law"]}}
    here = events.on_narrow(home, here, {"name": "topic", "condition": None})
    assert here.filter == {} and events.on_narrow(home, here, {"name": "none", "condition": "x"}) == here
    lost = draw.filter_values(home, dataclasses.replace(here, filter={"own": {"gone": "x"}}))
    assert lost[0]["search"]["error"] == "no column gone in this pool"


def test_a_column_is_a_factor_where_its_values_allow_it(home: Path, run: str) -> None:
    pool = trees().id
    start = {"budget": 10.0}
    with pytest.raises(ConfigError, match=r"odd is -1 in row 4 of trees\.jsonl"):
        form.set_to(home, pool, start, {"name": "factor_column", "value": "odd"})
    changed = form.set_to(home, pool, start, {"name": "factor_column", "value": "judge"})
    changed = form.set_to(home, pool, changed, {"name": "factor_weight", "value": 2})
    here = draw.normalised(home, CurateState(pool=pool, scores=f"{run}/0", settings=changed))
    panel, _, cards = draw.all_values(home, here)[:3]
    (group,) = [one for one in panel["groups"] if one["title"] == "Column of the data"]
    assert [option["value"] for option in group["fields"][0]["options"]] == ["", "judge", "odd"]
    assert "samples without a value in judge left out" in cards["cards"][0]["hint"]
    shown = draw.selection_view(home, here).shown
    judge = shown.pool.own("judge")
    assert (judge[shown.what.selection.rows] > 0).all() and judge[shown.what.selection.rows].mean() > 3
    refused = events.on_settings("set")(home, here, {"name": "factor_column", "value": "odd", "seq": 2})
    assert refused.answered["problem"][0] == "factor_column" and refused.settings == changed


def test_the_epochs_list_shows_and_sorts_by_them(home: Path, run: str) -> None:
    here = epochs_draw.normalised(home, EpochsState(run=run))
    here = epochs_events.on_table(home, here, {"columns": ["judge"]})
    here = epochs_events.on_table(home, here, {"column": "own:judge"})
    at = epochs_draw.epoch_view(home, here)
    assert at is not None
    value = epochs_draw.table(here, at)
    assert value["own"]["filter"] is False
    shown = [row["own:judge"] for row in value["rows"]]
    assert shown == sorted(shown, key=lambda text: (text == "–", text))


def test_a_pool_without_them_offers_none(home: Path) -> None:
    run = make_run(home)
    here = draw.normalised(home, CurateState(pool=trees().id, scores=f"{run}/0", settings={"budget": 5.0}))
    assert table(home, here)["own"] is None
    titles = [group["title"] for group in draw.all_values(home, here)[0]["groups"]]
    assert "Column of the data" not in titles


def test_a_language_that_the_model_may_not_know_is_a_warning_that_lists_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"some plain words {i}" for i in range(80)] + [f"春天的树木发芽 {i}" for i in range(40)]
    path = tmp_path / "two.json"
    path.write_text(json.dumps([{"instruction": "q", "output": text} for text in texts]))
    pool = load_pool([path])
    store.save_pool(home, pool)
    run = make_run(home)
    scores = store.read_epoch(home, run, 0).scores
    complexity = np.where(np.arange(120) < 80, 0.7, 1.1).astype(np.float32)
    made = dataclasses.replace(scores, complexity=complexity, reason=np.full(120, "", dtype=object))
    monkeypatch.setattr("iterit_ui.shared.selections.get_scores", lambda *_: made)
    monkeypatch.setattr("iterit_ui.shared.selections.scores_key", lambda *_: f"{run}/0")
    monkeypatch.setattr("iterit_ui.curate.draw.scores_key", lambda *_: f"{run}/0")
    monkeypatch.setattr("iterit_ui.curate.state.scores_key", lambda *_: f"{run}/0")
    monkeypatch.setattr("iterit_ui.shared.selections.held_out_of", lambda *_: None)
    monkeypatch.setattr("iterit_ui.curate.draw.held_out_of", lambda *_: None)
    here = draw.normalised(home, CurateState(pool=pool.id, settings={"budget": 10.0}))
    note = draw.all_values(home, here)[1]
    said = "40 of 40 Chinese samples are rejected: the model may not know this language"
    assert note["tone"] == "warn" and note["title"] == said
    there = events.on_message(home, here, note["action"])
    assert there.filter == {"writing": ["Chinese"]} and table(home, there)["total"] == 40
    assert events.on_message(home, here, {"key": "other"}) == here
    monkeypatch.setattr("iterit_ui.shared.pool_health.get_scores", lambda *_: made)
    monkeypatch.setattr("iterit_ui.shared.pool_health.scores_key", lambda *_: f"{run}/0")
    told = data_views.rows_note(pool, data_views.language_warnings(home, pool))
    assert told is not None and told["title"] == said and dict(VIEW)["which"] == "selected"
