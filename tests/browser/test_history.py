"""The browser's Back and Forward lead through the tabs that were open, and not out of the app."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import make_run


def opened(page, tab: str) -> None:
    """Click a tab."""
    page.click(f'#steps button[role=tab][data-tab-id="{tab}"]')
    at(page, tab)


def at(page, tab: str) -> None:
    """Wait until a tab is open and the address says so."""
    page.locator(f'#steps button[role=tab][data-tab-id="{tab}"][aria-selected=true]').wait_for()
    page.wait_for_url(lambda url: f"tab={tab}" in url)


def test_back_and_forward_lead_through_the_tabs(page, goto, app_url):
    page.goto(app_url)
    at(page, "data")
    opened(page, "curate")
    opened(page, "tune")
    page.go_back()
    at(page, "curate")
    page.go_back()
    at(page, "data")
    page.go_forward()
    at(page, "curate")
    page.locator("#curate-cards .st-card").first.wait_for()
    page.evaluate("() => { history.forward(); }")
    at(page, "tune")
    page.evaluate("() => { history.back(); history.back(); }")  # twice, as fast as it can be
    at(page, "data")
    opened(page, "compare")  # what lay ahead is gone, and Back leads to where one was
    page.go_back()
    at(page, "data")


def test_back_brings_the_run_and_keeps_the_settings(page, goto, reload, runs_dir, app_url):
    first, second = (make_run(runs_dir, epochs=2, planned=2) for _ in range(2))
    goto(page, "epochs", run=first, epoch=1, budget=0.2)
    page.locator("#epochs-table tbody tr").first.wait_for()
    page.wait_for_url(lambda url: first in url and "epoch=1" in url)
    opened(page, "compare")
    page.locator("#compare-runs tbody tr").first.locator("td").last.click()  # the newest
    page.locator("#compare-open button", has_text="Open in Epochs").click()
    at(page, "epochs")
    page.wait_for_url(lambda url: f"run={second}" in url)
    page.go_back()
    at(page, "compare")
    page.go_back()
    at(page, "epochs")
    page.wait_for_url(lambda url: f"run={first}" in url and "epoch=1" in url and "budget=0.2" in url)
    page.wait_for_function("document.querySelector('.st-player-words b')?.textContent === 'Epoch 1'")
    reload(page)
    at(page, "epochs")
    page.wait_for_url(lambda url: first in url)
