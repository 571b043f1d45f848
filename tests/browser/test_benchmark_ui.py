"""The benchmark of the page runs, in a small size."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .conftest import ROOT

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.slow


def test_ui(browser) -> None:
    # `browser` skips or fails where there is no Chromium; the benchmark starts one of its own, in its own process
    command = [sys.executable, "-m", "benchmarks", "ui", "--pool", "demo", "--tries", "1"]
    command += ["--pause", "0.2", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=400)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result.get("not_run") is None
    assert result["rows"] == 2200
    names = ("start_s", "curate_ready_s", "preview_ms", "epoch_switch_ms", "lasso_ms", "page_ms", "server_ms")
    names += ("data_ready_s", "row_click_ms", "search_ms", "cards_ms")
    assert all(result[name] > 0 for name in names)
