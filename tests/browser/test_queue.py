"""The queue of runs on a page of its own: order, cancel, run again, copy; what another process does shows by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend import store
from backend.analysis.queue_state import queue_of
from backend.config import config_from
from backend.data import load_pool
from tests.browser.conftest import ROOT, serving_page

PAYLOAD = "<img src=x onerror=alert(1)> ${alert(2)}"
NAMES = ["first", PAYLOAD, "third"]
PATIENCE = 60_000  # ms


@pytest.fixture
def queue_home(tmp_path: Path) -> Path:
    """A runs folder with one run at work, on another machine, and three that wait."""
    pool = load_pool(["demo"])
    store.save_pool(tmp_path, pool)
    for name in ["at work", *NAMES]:
        settings = {"pool": ("demo",), "model": "demo", "budget": 10, "make_map": False, "name": name}
        store.create_run(tmp_path, config_from(settings), pool)
        if name == "at work":
            store.claim_next(tmp_path, "another.machine")
    return tmp_path


@pytest.fixture
def app_url(queue_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page, in place of the whole app's."""
    words = ["tests/browser/queue_page.py", "--runs-dir", str(queue_home)]
    with serving_page(words, tmp_path_factory.mktemp("page"), PYTHONPATH=str(ROOT)) as url:
        yield url


def order(home: Path) -> list[str]:
    return [info.name for info in queue_of(store.runs(home)).waiting]


def test_the_queue(page: Page, app_url: str, queue_home: Path) -> None:
    page.goto(f"{app_url}/?tab=tune")
    names, rows = page.locator(".st-turn-name"), page.locator(".st-turns li")
    expect(names).to_have_text(NAMES, timeout=PATIENCE)

    def press(row: int, action: str) -> None:
        rows.nth(row).locator(f"[data-action={action}]").click()

    press(2, "front")
    expect(names).to_have_text(["third", "first", PAYLOAD], timeout=PATIENCE)
    press(1, "down")
    expect(names).to_have_text(["third", PAYLOAD, "first"], timeout=PATIENCE)
    press(2, "up")
    expect(names).to_have_text(["third", "first", PAYLOAD], timeout=PATIENCE)
    assert order(queue_home) == ["third", "first", PAYLOAD]

    press(2, "cancel")
    expect(names).to_have_text(["third", "first"], timeout=PATIENCE)
    expect(page.locator(".toast-body").first).to_contain_text(PAYLOAD, timeout=PATIENCE)

    names.nth(1).click()
    expect(rows.nth(1)).to_have_class("chosen", timeout=PATIENCE)
    heard = page.locator("#heard textarea, #heard input").first
    for number in (1, 2):
        page.locator(".st-turn-chosen [data-action=copy]").click()
        chosen = queue_of(store.runs(queue_home)).waiting[1].id
        expect(heard).to_have_value(f"{chosen}#{number}", timeout=PATIENCE)

    page.locator(".st-turn-chosen [data-action=again]").click()
    expect(names).to_have_text(["third", "first", "first"], timeout=PATIENCE)
    expect(rows.nth(2)).to_have_class("chosen", timeout=PATIENCE)

    # done elsewhere
    (at_work,) = queue_of(store.runs(queue_home)).at_work
    store.set_state(queue_home, at_work.id, "waiting")
    expect(page.locator(".st-turn-held")).to_contain_text("“at work” waits for a review", timeout=PATIENCE)
