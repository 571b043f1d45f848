"""The benchmark of the page runs, in a small size."""

from __future__ import annotations

import argparse

import pytest

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.slow


def test_ui(browser) -> None:
    # `browser` skips or fails where there is no Chromium; the benchmark starts its own
    from benchmarks import ui

    parser = argparse.ArgumentParser()
    ui.add_options(parser)
    result = ui.measure(parser.parse_args(["--pool", "demo", "--tries", "1"]))
    assert result["rows"] == 2200
    names = ("start_s", "curate_ready_s", "preview_ms", "epoch_switch_ms", "lasso_ms", "page_ms", "server_ms")
    assert all(result[name] > 0 for name in names)
