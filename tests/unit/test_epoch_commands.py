"""What `show` tells of a run beside its selections: quadrants of complexity, and the new among the hardest."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
from small_runs import small_config, small_pool, small_record
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.records import Scores


def show(home, *words):
    result = CliRunner().invoke(app, ["show", "last", "--runs-dir", str(home), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_quadrants_and_hardest_by_epoch(tmp_path):
    store.save_pool(tmp_path, small_pool(), inputs=("small.json",))
    run = store.create_run(tmp_path, small_config(max_complexity=10), small_pool())
    for epoch in range(3):
        store.write_epoch(tmp_path, run, small_record(epoch))
    told = json.loads(show(tmp_path, "--json"))["moved"]
    assert [one["epoch"] for one in told] == [1, 2]
    for one in told:
        assert (
            sum(one["quadrants"].values()) == one["compared"] == 4
        )  # rows 0 to 3 were scored before each epoch
        assert one["hardest_new"]["k"] == 2 and one["hardest_new"]["share"] in (0.0, 0.5, 1.0)
        assert one["hardest_new_since_first"]["earlier"] == 0
    assert told[1]["hardest_new"]["earlier"] == 1
    text = show(tmp_path)
    assert "new among the hardest" in text and "easy both times" in text


def test_what_cannot_be_told_is_null_with_its_reason(tmp_path):
    store.save_pool(tmp_path, small_pool(), inputs=("small.json",))
    run = store.create_run(tmp_path, small_config(strategy="random"), small_pool())
    for epoch in range(2):
        record = small_record(epoch)
        unread = dataclasses.replace(record, scores=Scores.unknown(6), rescored=np.zeros(6, dtype=bool))
        store.write_epoch(tmp_path, run, unread)
    (told,) = json.loads(show(tmp_path, "--json"))["moved"]
    assert told["hardest_new"]["share"] is None and set(told["quadrants"].values()) == {None}
    assert "needs no model" in told["reason"]
    assert "complexity since epoch 0: this strategy needs no model" in show(tmp_path)


def test_one_epoch_has_nothing_to_compare(tmp_path):
    store.save_pool(tmp_path, small_pool(), inputs=("small.json",))
    run = store.create_run(tmp_path, small_config(), small_pool())
    store.write_epoch(tmp_path, run, small_record(0))
    assert json.loads(show(tmp_path, "--json"))["moved"] == []
    assert "since epoch 0" not in show(tmp_path)
