"""The walk of docs/guide.md, step by step as it is written there: from three messy files to a clean selection."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from .conftest import ROOT, WAIT
from .test_curate import card as curate_card
from .test_curate import lasso, set_budget

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="package")
def messy(data_root: Path) -> Path:
    """The three files, in the folder that the app was started with."""
    command = [sys.executable, str(ROOT / "docs" / "make_messy_files.py"), str(data_root)]
    subprocess.run(command, check=True, cwd=ROOT)
    return data_root


def card(page, label):
    return page.locator(f'#data-cards .st-card[data-label="{label}"]')


def figure(page, label):
    return card(page, label).locator(".num").first


def role(page, name):
    return page.locator("label.st-role", has_text=re.compile(f"^{name}")).locator("select")


def deed(page, words):
    return page.locator("#finding").get_by_role("button", name=re.compile(words))


def test_from_three_messy_files_to_a_clean_selection(messy, page, goto, tmp_path):
    # 1 Data: three files make one pool
    goto(page)
    page.locator("#pool-files input").click()
    for name in ("textbook.json", "helpdesk.csv", "scrape.jsonl"):
        page.get_by_role("option", name=re.compile(name)).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("helpdesk.csv")).click()
    role(page, "Prompt").select_option(label="what they asked")
    role(page, "Response").select_option(label="what we replied")
    expect(page.get_by_role("button", name=re.compile("helpdesk.csv"))).not_to_contain_text("choose")
    page.get_by_label("Name", exact=True).fill("messy")
    expect(page.locator("#load-pool")).to_be_enabled()
    page.locator("#load-pool").click()
    expect(figure(page, "Samples")).to_have_text("1,897")
    expect(figure(page, "Rejected rows")).to_have_text("3")
    expect(figure(page, "Empty responses")).to_have_text("10")

    # what is wrong with it, and a click that mends it
    card(page, "Rejected rows").click()
    expect(page.locator("#data-table tbody tr")).to_have_count(3)
    expect(figure(page, "Exact duplicates")).to_have_text("60")
    card(page, "Exact duplicates").click()
    deed(page, "Keep one of each, exclude the other 30").click()
    expect(page.locator("#finding")).to_contain_text("Excluded 30 samples")
    expect(figure(page, "Near-duplicates")).to_have_text(re.compile(r"\d"))
    card(page, "Near-duplicates").click()
    deed(page, "Keep one of each").click()
    expect(page.locator("#finding")).to_contain_text("One of each is left")
    card(page, "Refusals").click()
    deed(page, "Exclude the remaining").click()
    expect(page.locator("#finding")).to_contain_text("All of them are marked")
    deed(page, "Undo").click()
    expect(deed(page, "Exclude the remaining")).to_be_enabled()
    deed(page, "Exclude the remaining").click()
    expect(page.locator("#finding")).to_contain_text("All of them are marked")

    # 2 Curate: scores, then a budget
    page.locator("#to-curate").click()
    expect(page.locator("#curate-note")).to_contain_text("not been scored")
    page.locator("#score-pool").click()
    expect(curate_card(page, "Selected")).to_have_text("94", timeout=4 * WAIT)  # a model reads 1,897 samples
    expect(curate_card(page, "Mean complexity")).to_contain_text(".")
    set_budget(page, 10)
    expect(curate_card(page, "Selected")).to_have_text("189")
    expect(curate_card(page, "Last change")).to_have_text("94")

    # look at what was picked, take out what does not belong
    page.locator("#curate-table tbody tr").first.click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 1 of 189")
    page.locator("#curate-filter input").fill('"great topic"')
    expect(page.locator("#curate-filter .st-chip")).to_contain_text("great topic")
    page.locator("#curate-table .st-filters button", has_text=re.compile("^All")).click()
    page.locator("#curate-table thead .st-tick input").check()
    page.locator('#curate-table [data-act="exclude"]').click()
    expect(page.locator("#curate-tools")).to_contain_text("Undo: excluded")
    page.locator("#curate-filter .st-chip button").first.click()
    expect(page.locator("#curate-filter .st-filter-count")).to_have_text("all 1,897 samples")
    lasso(page)
    expect(page.locator("#curate-filter .st-chip")).to_contain_text("inside your outline")
    page.locator("#curate-filter .st-chip button").first.click()
    expect(page.locator("#curate-filter .st-filter-count")).to_have_text("all 1,897 samples")

    # keep the settings, take the selection away
    panel = page.locator("#settings")
    panel.locator("summary", has_text="Saved settings").click()
    panel.get_by_label("Name for these settings").fill("first cut")
    panel.get_by_label("Name for these settings").press("Enter")
    expect(panel.locator(".st-saved-name")).to_contain_text("first cut")
    page.locator("#curate-table thead .st-tick input").check()
    page.locator("#curate-table").get_by_role("button", name="Tick all 189 in this list").click()
    page.locator('#curate-table [data-act="export"]').click()
    sheet = page.get_by_role("dialog", name="Export 189 samples")
    sheet.get_by_label("With the recipe").uncheck()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    path = tmp_path / "clean.jsonl"
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 189
    texts = [line["messages"][-1]["content"] for line in lines]
    assert all(text.strip() for text in texts) and not any("great topic" in text.lower() for text in texts)
    page.locator("#to-tune").click()
    expect(page.locator('#steps button[role=tab][data-tab-id="tune"]')).to_have_attribute(
        "aria-selected", "true"
    )
