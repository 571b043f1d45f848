"""Watching a run that waits for reviews, in a browser: the gate over a reload, in a second page and from a terminal; the
timeline, the log, stopping at once and resuming."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.data import demo

ROOT = Path(__file__).resolve().parents[2]
RUN = 600_000  # ms; scoring and training on a busy machine


def backend(*words: str) -> str:
    """What a command of the terminal prints."""
    done = subprocess.run(
        [sys.executable, "-m", "backend", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with some of the demo's rows, which are scored in a moment."""
    path = tmp_path_factory.mktemp("few") / "few.jsonl"
    path.write_text("".join(demo.POOL.read_text(encoding="utf-8").splitlines(keepends=True)[:400]))
    return str(path)


@pytest.fixture(scope="module")
def waiting(app_url, runs_dir, few) -> str:
    """A run that waits before each epoch; its id."""
    words = "--model demo --preset demo --epochs 2 --budget 40 --no-make-map --review --detach"
    return backend("tune", few, *words.split(), "--runs-dir", str(runs_dir)).split()[0]


def wait_for_state(page, words: str) -> None:
    page.wait_for_function(
        "words => new RegExp(`^(${words})$`).test(document.querySelector('#tune-status .st-state')?.textContent || '')",
        arg=words,
        timeout=RUN,
    )


def changes(page, text: str) -> None:
    page.locator("#review-gate .st-gate-changes").get_by_text(text).first.wait_for()


def test_a_review_from_the_page_to_the_end_of_the_run(page, new_page, goto, waiting, runs_dir, tidy):
    goto(page, "tune", run=waiting)
    wait_for_state(page, "waiting")
    page.locator("#review-gate h3").wait_for()
    tidy(page)
    budget = page.locator("#review-settings input.st-number").first
    budget.fill("30")
    budget.press("Enter")
    changes(page, "budget: 30 samples")
    page.locator("#review-table .st-filters button", has_text="Not picked").click()
    page.locator("#review-table .st-filters .on", has_text="Not picked").wait_for()
    page.locator("#review-table tbody tr").nth(3).click()
    page.locator("#review-sample .st-action.pin").click()
    changes(page, "1 sample pinned")

    page.reload()
    changes(page, "1 sample pinned")
    second = new_page(1920, 1080)
    goto(second, "tune", run=waiting, __theme="dark")
    changes(second, "budget: 30 samples")
    tidy(second)
    page.locator("#review-gate").get_by_role("button", name="Approve these changes and train").click()
    # a page looks every few seconds, and need not have seen the short while in which the run trained
    for each in (page, second):
        each.locator("#review-gate h3", has_text="Epoch 1").wait_for(timeout=RUN)
    page.locator("#tune-status .st-timeline .hand", has_text="budget, pinned").wait_for()
    shown = json.loads(backend("review", waiting, "--json", "--runs-dir", str(runs_dir)))
    assert shown["epoch"] == 1 and shown["selected"] == 30 == shown["most"]
    card = page.locator("#review-cards .st-card[data-label='Came'] .num")
    assert int(card.inner_text()) == len(shown["came"])
    backend("review", waiting, "--budget", "20", "--accept", "--runs-dir", str(runs_dir))
    wait_for_state(page, "done")
    assert page.locator("#review-gate h3").count() == 0 or not page.locator("#review-gate").is_visible()
    record = json.loads((runs_dir / waiting / "epochs" / "1" / "meta.json").read_text())
    assert record["picked"] == 20 and record["changes"] == {"budget": 20.0}
    first = json.loads((runs_dir / waiting / "epochs" / "0" / "meta.json").read_text())
    assert first["picked"] == 30 and set(first["changes"]) == {"budget", "pinned"}
    assert page.locator("#tune-status td.done").count() >= 10
    tidy(page)


def test_the_whole_log_is_searched_and_can_be_fetched(page, goto, waiting, runs_dir):
    goto(page, "tune", run=waiting)
    wait_for_state(page, "waiting|done")
    log = page.locator("#tune-log")
    log.locator(".st-log-row.event").first.wait_for()
    log.get_by_label("Find in the whole log").fill("epoch")
    told = log.get_by_text(re.compile(r"^\d+ of \d+ matches$"))
    told.wait_for()
    first = told.inner_text()
    log.locator(".st-log-row.here mark").first.wait_for()
    log.get_by_role("button", name="next match").click()
    page.wait_for_function(
        "first => ![...document.querySelectorAll('#tune-log .st-log-head .num')].some(e => e.textContent === first)",
        arg=first,
    )
    with page.expect_download() as download:
        log.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == (runs_dir / waiting / "log.txt").read_bytes()


def test_stopping_at_once_asks_again_and_the_run_is_resumed_in_one_click(page, goto, runs_dir):
    words = "tune demo --model demo --epochs 1 --budget 20 --max-length 128 --no-make-map --detach"
    run = backend(*words.split(), "--runs-dir", str(runs_dir)).split()[0]
    goto(page, "tune", run=run)
    wait_for_state(page, "running")
    # what is drawn anew leaves the button where it is, or a click could fall between two drawings
    head, button = page.wait_for_selector("#tune-status .st-status-top"), page.wait_for_selector("#tune-kill")
    page.wait_for_function("head => !head.isConnected", arg=head)
    assert button.evaluate("button => button.isConnected")
    button.click()
    page.locator("#tune-kill.sure").click()
    wait_for_state(page, "stopped")
    page.locator("#tune-status").get_by_text("Resumes from the beginning").wait_for()
    page.click("#tune-resume")
    wait_for_state(page, "done")
    page.locator("#tune-status").get_by_text("Attempt 1:").wait_for()
