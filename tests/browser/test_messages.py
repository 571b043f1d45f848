"""What is said of an event that is answered at once, and why one failed, is on the page."""

from __future__ import annotations

from playwright.sync_api import expect

from backend.store import database
from tests.browser.conftest import serving
from tests.browser.pools import scored_pool


def test_what_keys_say_and_why_a_click_failed_is_shown(browser, tmp_path):
    home, data = tmp_path / "runs", tmp_path / "data"
    data.mkdir()
    (tmp_path / "served").mkdir()
    pool, run = scored_pool(home, tmp_path, seed=4111)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    info, error = page.locator(".toast-body.info"), page.locator(".toast-body.error")
    with serving(home, data, tmp_path / "served") as url:
        page.goto(f"{url}/?tab=curate&pool={pool.id}&scores={run}/0")
        row = page.locator("#curate-table tbody tr").first.locator("td").last
        row.wait_for()
        page.keyboard.press("p")
        expect(info).to_contain_text("Open a sample first: click one, or press j.")
        page.keyboard.press("z")
        expect(info).to_contain_text("There is nothing to undo.")
        expect(info).to_have_count(0, timeout=9000)  # it goes by itself, before Gradio's ten seconds are over
        for file in home.glob("studio.sqlite*"):
            file.unlink()
        database.path_of(home).write_text("garbage <b>of a disk</b>")
        row.click()
        expect(error).to_contain_text(
            "Studio.sqlite is not a database that the studio can read", timeout=20000
        )
        row.click()
        page.wait_for_timeout(1500)
        expect(page.locator(".toast-message-text")).to_have_count(1)  # and not once for every try
    context.close()
