"""A pool in Chinese: what Data and Curate say of its words, and the one click that cuts them by character."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from backend import findings, store
from backend.config import Words
from backend.data import load_pool
from backend.records import Pool

from .conftest import WAIT

expect.set_options(timeout=WAIT)


@pytest.fixture
def chinese(runs_dir: Path, tmp_path: Path) -> Callable[..., Pool]:
    """Stores pools of 12 responses that differ in two characters, and 18 others, with what is known of near-duplicates."""

    def make(seed: int, *known: Words) -> Pool:
        draw = random.Random(seed)
        words = [chr(0x4E00 + draw.randrange(4000)) for _ in range(400)]

        def clause(length: int) -> str:
            return "".join(draw.choices(words, k=length))

        begun, ended = clause(20), clause(20)
        outputs = [f"{begun}{clause(2)}{ended}。" for _ in range(12)] + [
            f"{clause(15)}，{clause(18)}。" for _ in range(18)
        ]
        rows = [{"instruction": "请回答。", "output": text} for text in outputs]
        path = tmp_path / f"chinese-{seed}.json"
        path.write_text(json.dumps(rows))
        pool = load_pool([path])
        home = runs_dir.resolve()
        store.save_pool(home, pool, inputs=[str(path)])
        store.build_search(home, pool)
        texts = findings.prompt_texts(pool, system=False), findings.response_texts(pool)
        for words in known:
            store.save_near(home, pool.id, findings.near_pairs(*texts, words=words), words=words)
        return pool

    return make


def near(page):
    return page.locator('#data-cards .st-card[data-label="Near-duplicates"] .st-figure > .num')


def test_data_finds_near_duplicates_after_one_click(page, goto: Callable, chinese: Callable) -> None:
    pool = chinese(1, "paper")
    goto(page, "data", pool=pool.id)
    hint = page.locator("#data-words .st-note")
    expect(hint).to_contain_text("100 % of the letters are of scripts written without spaces")
    expect(near(page)).to_have_text("0")
    hint.get_by_role("button", name="Take each character as a word").click()
    expect(hint).to_contain_text("Each character of Chinese")
    expect(near(page)).to_have_text("12")
    hint.get_by_role("button", name="Cut between spaces again").click()
    expect(hint).to_contain_text("100 % of the letters")
    expect(near(page)).to_have_text("0")


def test_curate_and_tune_use_what_was_chosen(page, goto: Callable, chinese: Callable) -> None:
    pool = chinese(2, "paper", "unicode")
    goto(page, "curate", pool=pool.id, strategy="diversity", budget=8)
    hint = page.locator("#curate-words")
    first = page.locator("#curate-table tbody tr").first
    expect(hint).to_contain_text("100 % of the letters")
    before = first.text_content()
    hint.get_by_role("button", name="Take each character as a word").click()
    expect(hint).to_be_hidden()
    expect(first).not_to_have_text(before)
    words = page.locator('#settings [data-field="words"]')
    expect(words.locator("select option:checked")).to_have_text("Unicode, by character")
    page.get_by_role("button", name="Tune with these settings").click()
    page.locator('#steps button[role=tab][data-tab-id="tune"][aria-selected=true]').wait_for()
    expect(page.locator("#tune-command textarea")).to_have_value(re.compile("--words unicode"))
