"""Asking models on a page of their own, with real answers of the embedded model."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend import store
from backend.config import config_from
from backend.data import demo, load_pool
from backend.records import EpochRecord, Scores, Selection, Status
from tests.browser.conftest import ROOT, serving_page

PAYLOAD = "<img src=x onerror=alert(1)> ${alert(2)} list three animals"


@pytest.fixture(scope="module")
def ask_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one run of the demo, whose trained model is the embedded one."""
    home = tmp_path_factory.mktemp("ask")
    pool = load_pool(["demo"])
    store.save_pool(home, pool)
    settings = {"pool": ("demo",), "model": "demo", "budget": 10, "max_length": 128, "make_map": False}
    run = store.create_run(home, config_from({**settings, "name": PAYLOAD}), pool)
    n = len(pool)
    status = np.full(n, Status.OUTRANKED, dtype=np.uint8)
    status[:20] = Status.HELD_OUT
    nothing = np.zeros(0)
    picked = Selection(
        np.zeros(0, dtype=np.int64),
        nothing,
        nothing,
        status,
        lambda: (np.zeros((0, 1), dtype=object), np.zeros((0, 1), dtype=np.float32)),
    )
    record = EpochRecord(0, Scores.unknown(n), np.zeros(n, dtype=bool), np.full(n, np.nan), picked, {})
    store.write_epoch(home, run, record)
    shutil.copytree(demo.MODEL, home / run / "model")
    store.set_state(home, run, "done")
    return home


@pytest.fixture(scope="module")
def app_url(ask_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page, in place of the whole app's."""
    (run,) = [info.id for info in store.runs(ask_home)]
    words = ["tests/browser/ask_page.py", run, "--runs-dir", str(ask_home)]
    folder = tmp_path_factory.mktemp("page")
    with serving_page(words, folder, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1") as url:
        yield url


STATES = (
    "[...document.querySelectorAll('#ask-answers .st-answer-state')].map(e => e.textContent).filter(Boolean)"
)
LONG = 180_000  # ms: a model is loaded


def ready(page, app_url: str):
    page.goto(app_url)
    page.locator("#ask-answers [data-rev]").wait_for(state="attached")
    page.wait_for_function("!document.querySelector('#ask-go').disabled")
    return page


def done(page, columns: int) -> None:
    page.wait_for_function(f"(() => {{ const s = {STATES}; return s.length === {columns} && s.every(t => t === 'done'); }})()", timeout=LONG)  # fmt: skip


def test_answers_come_side_by_side_and_survive_a_reload(page, app_url: str) -> None:
    ready(page, app_url)
    page.get_by_label("Max. tokens").fill("24")
    page.get_by_label("Prompt", exact=True).fill(PAYLOAD)
    page.locator("#ask-go").click()
    done(page, 2)
    titles = page.locator("#ask-answers .st-answer h4")
    assert titles.all_inner_texts() == ["demo (base)", PAYLOAD]
    texts = page.locator("#ask-answers .st-answer .st-answer-text").all_inner_texts()
    assert texts[0] and texts[0] == texts[1]  # the same weights, greedily
    assert page.locator("#ask-answers .st-answers-prompt").inner_text() == PAYLOAD
    assert re.search(r"24 tokens · [\d,.]+ tokens/s", page.locator(".st-answer-facts").first.inner_text())
    tidy_widths(page)
    page.reload()
    done(page, 2)
    assert page.locator("#ask-answers .st-answer .st-answer-text").all_inner_texts() == texts
    page.get_by_role("button", name="Unload").click()
    page.get_by_text("No model is loaded.").wait_for(timeout=LONG)


def test_a_held_out_sample_is_shown_with_its_reference(page, app_url: str) -> None:
    ready(page, app_url)
    page.locator("#ask-draw").click()
    page.wait_for_function("document.querySelector('#ask-prompt textarea').value.length > 3")
    page.get_by_text("one of ", exact=False).first.wait_for()
    page.get_by_label("Max. tokens").fill("8")
    page.locator("#ask-go").click()
    page.locator("#ask-answers .st-answer.reference").wait_for()
    done(page, 2)
    assert "its loss under this model" in page.locator("#ask-answers .st-answer-loss").last.inner_text()
    page.get_by_text("Earlier questions").click()
    page.locator(".st-answers-old").last.click()
    page.locator("#ask-answers .st-answer.reference").wait_for(state="detached")
    page.get_by_role("button", name="Edit and ask again").click()
    page.wait_for_function("document.querySelector('#ask-prompt textarea').value.includes('three animals')")


def test_a_long_answer_can_be_stopped(page, app_url: str) -> None:
    ready(page, app_url)
    page.get_by_label("Max. tokens").fill("400")
    page.get_by_label("Temperature").fill("5")
    page.get_by_label("Prompt", exact=True).fill("write a tale")
    page.locator("#ask-go").click()
    page.wait_for_function(f"{STATES}.includes('writing')", timeout=LONG)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(f"{STATES}.includes('stopped')", timeout=LONG)
    page.get_by_role("button", name="Stop", exact=True).wait_for(state="hidden")
    assert page.locator("#ask-answers .st-answer-error:visible").count() == 0


def tidy_widths(page) -> None:
    """Nothing scrolls sideways, and the columns stand beside one another."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    boxes = [one.bounding_box() for one in page.locator("#ask-answers .st-answer").all()]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1
