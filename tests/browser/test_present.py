"""Presenting to others: the button, the keys, a link to one story, and what is said where there is nothing to tell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from backend import store
from backend.data import load_pool

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from iterit_ui.present import words

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import PAYLOAD, make_run


def report_opens_alone(browser, file: Path) -> None:
    """A report that was saved draws its pictures, asks nothing of a network, and runs none of its samples' text."""
    context = browser.new_context(reduced_motion="reduce")
    opened, said = context.new_page(), []
    opened.on("request", lambda one: said.append(one.url) if one.url != file.as_uri() else None)
    opened.on("dialog", lambda one: (said.append(one.message), one.dismiss()))
    opened.on("pageerror", lambda one: said.append(str(one)))
    opened.on("console", lambda one: said.append(one.text))
    opened.goto(file.as_uri())
    opened.locator("body[data-drawn=yes]").wait_for()
    expect(opened.locator("h2")).to_have_text([*words.STORIES.values(), words.BLIND])
    expect(opened.locator("article")).to_have_count(10)
    expect(opened.locator("article .prompt").first).to_contain_text(PAYLOAD)
    assert opened.locator("figure .main-svg").count() >= opened.locator("figure").count() >= 3
    assert opened.evaluate("document.querySelectorAll('article img, article script').length") == 0
    context.close()
    assert said == []


def test_present_by_button_keys_link_and_report(page, browser, goto, app_url, runs_dir, tmp_path):
    run = make_run(runs_dir, labels=False)
    rows = tmp_path / "rows.json"
    rows.write_text(
        json.dumps([{"instruction": f"Say {k}", "output": f"It is {k}, as asked"} for k in range(30)])
    )
    untrained = load_pool([str(rows)])
    store.save_pool(runs_dir, untrained, inputs=[str(rows)])
    view = page.locator("dialog.st-present-view")
    goto(page, "epochs", run=run)
    page.locator("#epochs-export button").wait_for()
    page.get_by_role("button", name="Present").click()
    view.locator("h2").wait_for()
    expect(view.get_by_role("heading", level=2)).to_have_text("What we started from")
    expect(view).to_contain_text("120 questions with their answers, from 3 sources in 1 file.")
    for title in ("What was wrong with it", "What was selected, and why", "How the selection changed"):
        page.keyboard.press("ArrowRight")
        expect(view.locator("h2")).to_have_text(title)
    page.wait_for_url(lambda url: "present=epochs" in url)
    # three epochs of the run, with the payload of its samples shown as the text that it is
    expect(view.locator("tbody tr")).to_have_count(3)
    page.keyboard.press("ArrowLeft")
    expect(view.locator("article")).to_have_count(10)
    assert page.evaluate("document.querySelector('dialog').scrollHeight <= innerHeight + 1")
    page.keyboard.press("Escape")
    expect(view).to_have_count(0)
    page.wait_for_url(lambda url: "present" not in url)
    # both buttons for the report hand a file over; one of them is opened as a colleague would
    with page.expect_download() as handed:
        page.locator("#epochs-report").get_by_role("button", name="Report").click()
    file = tmp_path / handed.value.suggested_filename
    assert file.name.startswith("report-") and file.suffix == ".html"
    handed.value.save_as(file)
    report_opens_alone(browser, file)
    page.get_by_role("button", name="Present").click()
    with page.expect_download():
        view.get_by_role("button", name="Report").click()
    expect(view.locator("h2")).to_have_text("What was selected, and why")  # its click does not step
    page.keyboard.press("Escape")
    # p presents here, but not while somebody writes
    page.get_by_placeholder("your name").click()
    page.keyboard.press("p")
    expect(view).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(view.locator("h2")).to_have_text("What was selected, and why")
    page.keyboard.press("Escape")

    # where p pins, Shift and p present
    page.leaving = True  # what is under way then is aborted, and said
    goto(page, "curate")
    page.locator("#curate-table tbody tr").first.click()
    page.keyboard.press("Shift+P")
    view.locator("h2").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#curate-tools")).to_contain_text("Nothing is pinned")

    # a link opens its story; this pool has no run, and the story says how to get one
    page.goto(f"{app_url}/?present=epochs&pool={untrained.id}")
    view.locator("h2").wait_for()
    expect(view.locator("h2")).to_have_text("How the selection changed")
    expect(view).to_contain_text("Nothing was trained with this data yet.")
    expect(view).to_contain_text("Launch a run on the Tune screen")
    page.keyboard.press("End")
    expect(view.locator("h2")).to_have_text("Did it help?")
    expect(view).to_contain_text("Start a comparison on the Compare screen")
    page.wait_for_url(lambda url: "present=result" in url)
