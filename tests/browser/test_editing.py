"""A person corrects a response, takes it back, and replaces a word in a list, previewed first."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from backend import store
from tests.browser.pools import scored_pool


def test_edit_undo_and_find_and_replace(page, goto, runs_dir, tmp_path):
    pool, _ = scored_pool(runs_dir, tmp_path, rows=90, seed=31)
    goto(page, "curate", pool=pool.id, budget=12)
    page.locator("#curate-export button", has_text="Export 12 picks").wait_for()
    sample, tools = page.locator("#curate-sample"), page.locator("#curate-tools")
    page.locator("#curate-table tbody tr").first.click()
    sample.get_by_role("button", name="Edit response").click()
    field = sample.get_by_role("textbox", name="Response of this sample")
    original = field.input_value()
    # a refused text stays in the field, with the reason; letters are letters, not keys of the page
    field.fill(" ")
    sample.get_by_role("button", name="Save").click()
    expect(sample.get_by_text("A response cannot be empty")).to_be_visible()
    field.fill("<b>zyxwv</b> ")
    field.press_sequentially("xp")
    field.press("Control+Enter")
    expect(sample.locator(".st-badge", has_text="edited")).to_be_visible()
    expect(sample.locator(".st-turn.role-assistant > .st-text").last).to_have_text("<b>zyxwv</b> xp")
    sample.get_by_role("button", name="Show original").click()
    expect(sample.locator(".st-original .st-text")).to_have_text(original)
    expect(page.locator("#curate-edited")).to_contain_text("1 edited sample has no score")
    (held,) = store.edits(runs_dir, pool.id).values()
    assert held.text == "<b>zyxwv</b> xp" and store.marks(runs_dir, pool.id) == {}
    # listed, and taken back
    tools.get_by_role("button", name="1 edited").click()
    expect(page.locator("#curate-table tbody tr")).to_have_count(1)
    page.locator("#curate-filter").get_by_role("button", name="response edited").click()
    expect(page.locator("#curate-table tbody tr")).to_have_count(
        12
    )  # what comes in for the edited one among them
    tools.get_by_role("button", name="Undo: edited 1 sample").click()
    expect(sample.locator(".st-edit-by")).to_have_count(0)
    expect(page.locator("#curate-edited")).not_to_contain_text("no score")

    expect(page.locator("#curate-table tbody tr").first).to_contain_text(original[:12])
    word = original.split()[0]
    tools.get_by_role("button", name="Find and replace").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_label("Find").fill("(")
    sheet.get_by_label("Regular expression").check()
    sheet.get_by_role("button", name="Preview").click()
    expect(sheet.get_by_role("status")).to_contain_text("is not a regular expression")
    sheet.get_by_label("Find").fill(f"^{word}")
    sheet.get_by_label("Replace with").fill("<i>new</i>")
    expect(sheet.get_by_role("button", name="Apply")).to_be_disabled()
    sheet.get_by_role("button", name="Preview").click()
    expect(sheet.locator(".st-replace-text.before mark").first).to_have_text(word)
    expect(sheet.locator(".st-replace-text.after mark").first).to_have_text("<i>new</i>")
    assert store.edits(runs_dir, pool.id) == {}
    sheet.get_by_role("button", name="Replace in").click()
    tools.get_by_role("button", name="Undo: edited").wait_for()
    held = store.edits(runs_dir, pool.id)
    assert held and all(edit.text.startswith("<i>new</i>") for edit in held.values())
    tools.get_by_role("button", name="Undo: edited").click()
    expect(tools.get_by_role("button", name="Redo: edited")).to_be_enabled()
    assert store.edits(runs_dir, pool.id) == {}
