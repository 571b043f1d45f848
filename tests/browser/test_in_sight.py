"""What a person works with stays in sight while the page scrolls: steps, settings, the sample, the player of epochs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import make_run

STEPS = "#steps > .tab-wrapper"
BOX = "selector => { const b = document.querySelector(selector).getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }"


def scrolled(page, part: float) -> None:
    """Scroll to a part of the page's height: 0.5 is its middle, 1 its end."""
    page.evaluate("part => scrollTo(0, part * (document.documentElement.scrollHeight - innerHeight))", part)
    assert page.evaluate("scrollY") > 100  # there is something to scroll


def in_sight(page, *selectors: str) -> None:
    """Each lies within the window, whole; none overlaps another; nothing scrolls sideways."""
    size = page.viewport_size
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    boxes = [page.evaluate(BOX, selector) for selector in selectors]
    for selector, (left, top, right, bottom) in zip(selectors, boxes):
        assert left >= 0 and top >= 0 and right > left and bottom > top, (selector, boxes)
        assert right <= size["width"] and bottom <= size["height"], (selector, boxes)
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (selectors, boxes)


@pytest.fixture(scope="module")
def run(runs_dir, app_url) -> str:
    """A finished run."""
    return make_run(runs_dir, epochs=2, planned=2)


SIZES = [(1280, 900), (1920, 1080)]


def resized(page):
    """Each size of the window in turn."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
        yield width


def test_settings_and_sample_of_curate(page, goto):
    """The workbench fits the window; in one that is too low for it the steps stay."""
    goto(page, "curate")
    page.locator("#curate-table tbody tr").nth(2).locator("td").last.click()
    page.locator("#curate-sample .st-talk").wait_for()
    for _ in resized(page):
        page.wait_for_function("document.documentElement.scrollHeight <= innerHeight")
        in_sight(page, STEPS, "#tab-curate .side", ".bench-top", "#curate-map", "#curate-sample")
    page.set_viewport_size({"width": 1280, "height": 360})
    for part in (0.5, 1):
        scrolled(page, part)
        in_sight(page, STEPS)


def test_settings_of_a_run(page, goto, run):
    goto(page, "tune", run=run)
    page.locator("#tune-launch").wait_for()
    page.locator("#tune-loss .st-legend").wait_for()
    for part in (0.5, 1):
        scrolled(page, part)
        in_sight(page, STEPS, "#tab-tune .side")


def test_sample_of_data(page, goto):
    goto(page, "data")
    page.locator("#data-table tbody tr").nth(2).locator("td").last.click()
    page.locator("#data-sample .st-talk").wait_for()
    # the sample stays beside the list, to its last row; pools and their charts are below
    page.locator("#data-table").evaluate("e => scrollBy(0, e.getBoundingClientRect().bottom - innerHeight)")
    in_sight(page, STEPS, "#tab-data .side", "#data-sample")
    scrolled(page, 1)
    in_sight(page, STEPS, "#tab-data .side")


def test_player_and_sample_of_epochs(page, goto, run):
    goto(page, "epochs", run=run)
    page.locator("#epochs-table tbody tr").first.locator("td").last.click()
    page.locator("#epochs-sample .st-talk").wait_for()
    for _ in resized(page):
        scrolled(page, 0.5)
        in_sight(page, STEPS, "#tab-epochs .epochs-bar")
        scrolled(page, 1)
        in_sight(page, STEPS, "#tab-epochs .epochs-bar", "#tab-epochs .aside")
