"""A program asks a running app for its runs, what one did, and what it selected."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from backend import store

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import make_run

ROOT = Path(__file__).resolve().parents[2]


def test_a_program_reads_runs_summary_and_selection(runs_dir: Path, app_url: str) -> None:
    made = make_run(runs_dir, epochs=2, planned=2)
    app = Client(app_url, verbose=False)
    assert set(app.view_api(return_format="dict")["named_endpoints"]) == {"/runs", "/summary", "/selection"}
    runs = app.predict(api_name="/runs")
    assert made in [run["id"] for run in runs] and runs[0]["state"] == "done"
    assert [run["id"] for run in app.predict(search=made, api_name="/runs")] == [made]
    assert app.predict(search="no such word", api_name="/runs") == []

    told = app.predict(run=made, api_name="/summary")
    assert told["config"]["budget"] == 10 and [epoch["epoch"] for epoch in told["epochs"]] == [0, 1]

    picks = app.predict(run=made, epoch=0, api_name="/selection")
    record = store.read_epoch(runs_dir, made, 0)
    pool = store.load_pool_from_store(runs_dir, told["pool_id"])
    assert [pick["id"] for pick in picks] == list(pool.ids[record.selection.rows])
    assert [pick["rank"] for pick in picks] == list(range(1, 11)) and "Selected as pick 1" in picks[0]["why"]
    last = store.read_epoch(runs_dir, made, 1).selection.rows
    assert [pick["row"] for pick in app.predict(run=made, api_name="/selection")] == list(last)
    (lines,) = re.findall(
        r"```python\n(from gradio_client.*?)```", (ROOT / "docs" / "library.md").read_text(), re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(lines.replace("http://127.0.0.1:7860", app_url), names)
    assert names["told"]["id"] == names["runs"][0]["id"] and names["picks"][0]["rank"] == 1
    with pytest.raises(AppError, match="run 'nowhere' not found"):
        app.predict(run="nowhere", api_name="/summary")
