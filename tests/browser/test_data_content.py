"""What reading the texts finds, as a visitor sees, excludes and takes it back."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.planted_content import PAIRS, write_pool

from .conftest import WAIT
from .test_data import card, choose, deed, load, press, rows

expect.set_options(timeout=WAIT)


def test_planted_cases_are_counted_opened_excluded_and_taken_back(page, goto, data_root, tidy):
    write_pool(data_root / "planted.json")
    goto(page)
    choose(page, "planted.json")
    load(page, "70")
    for key in PAIRS:
        expect(page.locator(f'#data-cards [data-key="card {key}"] .num')).to_have_text("1")
    press(page, "Keys and passwords")
    expect(page.locator("#finding h3")).to_have_text("Keys and passwords")
    expect(page.locator("#finding h3")).to_be_in_viewport()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_be_in_viewport()
    expect(rows(page)).to_contain_text("ghp_•")
    pressed = page.locator('#data-cards [data-key="card secret"]')
    deed(page, "Exclude").click()
    expect(pressed.locator(".st-hint")).to_have_text("1 excluded, 0 left")
    expect(page.locator('#data-cards [data-key="card all"] .st-hint')).to_have_text("69 usable")
    page.locator("#finding").get_by_role("button", name="Undo").click()
    expect(page.locator('#data-cards [data-key="card all"] .st-hint')).to_have_text("70 usable")
    expect(card(page, "Keys and passwords")).to_have_text("1")
    tidy(page)
