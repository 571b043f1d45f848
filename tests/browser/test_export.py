"""What a person exports from Curate: the sheet, the download, and that it holds the picks and the recipe."""

from __future__ import annotations

import json
import zipfile

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from backend.data import load_pool
from tests.browser.pools import scored_pool


def test_export_the_picks_of_curate(page, goto, runs_dir, tmp_path):
    pool, _ = scored_pool(runs_dir, tmp_path, rows=90, seed=23)
    goto(page, "curate", pool=pool.id, budget=12)
    button = page.locator("#curate-export button")
    page.locator("#curate-export button", has_text="Export 12 picks").wait_for()
    button.click()
    sheet = page.get_by_role("dialog", name="Export 12 picks")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    button.click()
    sheet.get_by_label("Alpaca").check()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "topics-23-12-picks.zip"
    download.value.save_as(tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as archive:
        archive.extractall(tmp_path / "got")
    text = (tmp_path / "got" / "topics-23-12-picks.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["rank"] for line in lines] == list(range(1, 13))
    assert all(line["output"] == pool.response(pool.row_of[line["id"]]) for line in lines)
    assert load_pool([tmp_path / "got" / "topics-23-12-picks.jsonl"]).left_out == 0
    recipe = json.loads((tmp_path / "got" / "topics-23-12-picks.recipe.json").read_text())
    assert recipe["settings"]["budget"] == 12 and recipe["pool"]["id"] == pool.id
    # the samples alone, and the button is there again
    page.locator("#curate-export button", has_text="Export 12 picks").wait_for()
    button.click()
    sheet.get_by_label("With the recipe").uncheck()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "topics-23-12-picks.jsonl"
    # nothing can be sent to the hub here, and it is said why
    page.locator("#curate-export button", has_text="Export 12 picks").wait_for()
    button.click()
    sheet.get_by_label("To the Hugging Face hub, too").fill("me/picked")
    sheet.get_by_role("button", name="Send and download").click()
    page.get_by_text("HF_HUB_OFFLINE is set, so nothing can be sent to the hub").wait_for()
    # a folder for training: the recipe belongs to it
    page.locator("#curate-export button", has_text="Export 12 picks").wait_for()
    button.click()
    sheet.get_by_label("Prompt and completion").check()
    sheet.locator("select[name=ending]").select_option("parquet")
    sheet.get_by_label("As a folder for training").check()
    expect(sheet.get_by_label("With the recipe")).to_be_disabled()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "folder.zip")
    with zipfile.ZipFile(tmp_path / "folder.zip") as archive:
        files = {name.rpartition("/")[2] for name in archive.namelist()}
    assert files == {"train.parquet", "README.md", "recipe.json"}
    # on Data, any list: here two rows that are ticked
    page.locator("#steps").get_by_role("tab", name="Data").click()
    expect(page.locator("#data-table")).to_contain_text(pool.response(0)[:20])
    ticks = page.locator("#data-table tbody .st-tick input")
    ticks.nth(0).check()
    ticks.nth(3).check()
    ids = page.locator("#data-table tbody tr").evaluate_all(
        "rows => rows.map((row) => row.dataset.key.slice(4))"
    )
    expect(page.locator("#data-table")).to_contain_text("2 ticked")
    page.locator('#data-table [data-act="export"]').click()
    sheet = page.get_by_role("dialog", name="Export 2 samples")
    sheet.get_by_label("As a folder for training").uncheck()  # what was asked for last is remembered
    sheet.locator("select[name=ending]").select_option("jsonl")
    sheet.get_by_label("With the recipe").uncheck()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "two.jsonl")
    two = load_pool([tmp_path / "two.jsonl"])
    wanted = [pool.response(pool.row_of[ids[k]]) for k in (0, 3)]
    assert sorted(two.response(k) for k in range(2)) == sorted(wanted)
