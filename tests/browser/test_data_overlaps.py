"""A pool compared with a file of evaluation data, as a visitor does it."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.planted_overlaps import ROWS, write_files

from .conftest import WAIT
from .test_data import choose, deed, load, rows

expect.set_options(timeout=WAIT)


def test_overlaps_are_counted_listed_excluded_and_taken_back(page, goto, data_root, tidy):
    write_files(data_root)
    goto(page)
    choose(page, "overlapping.json")
    load(page, "19")
    exact = page.locator('#data-cards [data-key="card overlap_exact"]')
    expect(exact.locator(".st-hint")).to_have_text("not compared yet")
    page.locator("#evaluation-file input").click()
    page.get_by_role("option", name="evaluation.json").click()
    page.locator("#compare-evaluation").click()
    for kind, found in ROWS.items():
        expect(page.locator(f'#data-cards [data-key="card {kind}"] .num')).to_have_text(str(len(found)))
    exact.click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("evaluation.json row 0 (prompt): How does a heat pump")
    deed(page, "Exclude these 2").click()
    expect(exact.locator(".st-hint")).to_have_text("2 excluded, 0 left")
    page.locator("#finding").get_by_role("button", name="Undo").click()
    expect(exact).not_to_contain_text("excluded")
    tidy(page)
