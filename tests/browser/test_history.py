"""The browser's Back and Forward lead through the tabs that were open, and not out of the app."""

from __future__ import annotations

import re
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


def test_back_brings_the_run_and_keeps_the_settings(page, goto, runs_dir, app_url):
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
    page.reload()
    at(page, "epochs")
    page.wait_for_url(lambda url: first in url)


def test_back_leads_through_epochs_and_runs(page, goto, runs_dir):
    first, second = make_run(runs_dir, epochs=3, planned=3), make_run(runs_dir, epochs=7, planned=7)

    def shows(run: str, epoch: int) -> None:
        page.wait_for_function(
            f"document.querySelector('.st-player-words b')?.textContent === 'Epoch {epoch}'"
        )
        page.wait_for_url(lambda url: run in url and (f"epoch={epoch}" in url or not epoch))

    goto(page, "epochs", run=first)
    shows(first, 0)
    page.click("#epochs-forth")
    shows(first, 1)
    page.locator("#epochs-run input").click()
    page.get_by_role("option", name=re.compile("7 epochs$")).first.click()
    shows(second, 0)
    page.go_back()
    shows(first, 1)
    page.go_back()
    shows(first, 0)
    page.go_forward()
    shows(first, 1)
    # the link is the address, and says that it was copied
    page.click(".st-link-button")
    page.locator(".st-link-button", has_text="Copied").wait_for()
