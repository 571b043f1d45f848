"""How long a person waits for the page on 52,002 samples: the app and Chromium as they are, medians of many tries."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend import diversity, selection, store
from backend.config import config_from
from backend.data import load_pool
from backend.records import EpochRecord, Metrics, Pool, Scores
from benchmarks.common import REPOSITORY, NotRun, pool_input
from benchmarks.scale import zipf_responses

BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
WAIT = 120_000  # ms
DRAWN = ("curate-cards", "complexity-chart", "diversity-chart", "lengths-chart", "curate-map", "curate-table")

# runs in the page: milliseconds from what `act` does until all of these components have drawn another value
UNTIL_DRAWN = """([ids, act]) => new Promise((resolve, reject) => {
  const root = (id) => document.querySelector(`#${id} [data-rev]`);
  const before = new Map(ids.map((id) => [id, root(id)?.dataset.rev]));
  const late = setTimeout(() => reject(new Error('not drawn: ' + ids.filter((id) => root(id)?.dataset.rev === before.get(id)))), 30000);
  let started = performance.now();
  const look = () => {
    if (!ids.every((id) => root(id) && root(id).dataset.rev !== before.get(id))) return requestAnimationFrame(look);
    clearTimeout(late);
    resolve(performance.now() - started);
  };
  requestAnimationFrame(look);
  if (act === 'pointerup') window.addEventListener('pointerup', () => { started = performance.now(); }, {once: true, capture: true});
  else { started = performance.now(); new Function(act)(); }
})"""
SLIDE = """const s = document.querySelector('#settings [data-field="budget"] input[type=range]');
s.value = %s; s.dispatchEvent(new Event('input', {bubbles: true}));"""

ROW = "document.querySelectorAll('#%s-table tbody tr')[%d].lastElementChild.click()"
SEARCH = """const i = document.querySelector('#curate-filter input');
i.value = '%s'; i.dispatchEvent(new Event('input', {bubbles: true}));"""
KEY = (
    "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true, cancelable: true}))"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument(
        "--rows",
        type=int,
        default=0,
        help="a generated pool of so many samples instead (with --runs-dir, made once)",
    )
    parser.add_argument(
        "--tries", type=int, default=9, help="of each, of which the median counts (default 9)"
    )
    parser.add_argument(
        "--pause", type=float, default=1.5, help="seconds between two tries, in which the page comes to rest"
    )
    parser.add_argument(
        "--runs-dir", type=Path, help="folder to keep the pool, its map and the run in between two calls"
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Medians of what a visitor does, with complexity drawn from a fixed seed: the times do not depend on its values."""
    source = "" if options.rows else pool_input(options.pool)
    with kept_home(options.runs_dir) as home, browser_page() as page:
        pool, run = prepared(home, source or generated_pool(home, options.rows))
        # a kept folder may have this mark; the sample is excluded below
        store.set_mark(home, pool.id, [str(pool.ids[3])], None)
        server = server_ms(home, pool, run, options.tries)
        with running(home) as (url, start_s):
            found = visited(page, url, pool, run, options.tries, 1000 * options.pause)
    return {"rows": len(pool), "start_s": round(start_s, 2), **found, "server_ms": round(server, 1)}


def visited(page: Any, url: str, pool: Pool, run: str, tries: int, pause: float) -> dict[str, float]:
    """What a visitor waits for, on the Curate, the Epochs and the Data tab. pause : ms between two tries."""
    n = len(pool)
    began = time.perf_counter()
    page.goto(f"{url}/?tab=curate&pool={pool.id}&scores={run}/0")
    page.locator("#curate-cards .st-unit", has_text=f"of {n:,}").first.wait_for()
    page.wait_for_function(f"document.querySelector('#curate-map .st-stage')?.dataset.points === '{n}'")
    page.locator("#curate-table tbody tr").nth(min(49, n // 20 - 1)).wait_for()
    ready = time.perf_counter() - began
    page.wait_for_timeout(2 * pause)  # what comes after the first screen

    def again(ids: tuple[str, ...], acts: Iterator[str] | list[str]) -> float:
        times = []
        for act in acts:
            times.append(float(page.evaluate(UNTIL_DRAWN, [list(ids), act])))
            page.wait_for_timeout(pause)
        return float(np.median(times[1:]))  # the first try warms up

    shares = [6 + 0.5 * k for k in range(tries + 1)]
    preview = again(DRAWN, [SLIDE % share for share in shares])
    turn = "document.querySelector('#curate-table [aria-label=\"next page\"]').click()"
    paging = again(("curate-table",), [turn] * (tries + 1))
    rows = [ROW % ("curate", 3 + k) for k in range(tries + 1)]
    row_click = again(("curate-sample",), rows)
    words = [SEARCH % word for word in search_words(pool)]
    search = again(("curate-table", "curate-filter"), [words[k % len(words)] for k in range(tries + 1)])
    page.evaluate(SEARCH % "")
    page.wait_for_timeout(2 * pause)
    lasso = lassoed(page, tries, pause)
    page.goto(f"{url}/?tab=epochs&run={run}")
    page.wait_for_function(f"document.querySelector('#epochs-map .st-stage')?.dataset.points === '{n}'")
    page.wait_for_timeout(2 * pause)
    steps = [f"document.querySelector('#epochs-{name}').click()" for name in ("forth", "back")]
    epochs = again(("epochs-map", "epochs-cards"), [steps[k % 2] for k in range(tries + 1)])
    began = time.perf_counter()
    page.goto(f"{url}/?tab=data&pool={pool.id}")
    page.locator("#data-cards .st-card").nth(10).wait_for()
    page.locator("#data-table tbody tr").nth(9).wait_for()
    data_ready = time.perf_counter() - began
    page.wait_for_timeout(2 * pause)
    page.evaluate(ROW % ("data", 3))
    page.locator("#data-sample .st-talk").wait_for()
    marks = [KEY % key for key in ("x", "u")]  # excluded, and not any more
    cards = again(("data-cards",), [marks[k % 2] for k in range(tries + 1)])
    return {
        "data_ready_s": round(data_ready, 2), "row_click_ms": round(row_click), "search_ms": round(search), "cards_ms": round(cards),
        "curate_ready_s": round(ready, 2), "preview_ms": round(preview), "epoch_switch_ms": round(epochs),
        "lasso_ms": round(lasso), "page_ms": round(paging),
    }  # fmt: skip


def search_words(pool: Pool) -> list[str]:
    """Ten frequent words of a pool's responses."""
    some = np.linspace(0, len(pool) - 1, min(len(pool), 2000)).astype(np.int64)
    found = Counter(
        word for row in some for word in set(re.findall(r"[^\W\d_]{3,}\d*", pool.response(int(row)).lower()))
    )
    return [word for word, _ in found.most_common(10)]


def lassoed(page: Any, tries: int, pause: float) -> float:
    """From the end of drawing around samples until the table lists them. pause : ms between two tries."""
    page.locator("#curate-map").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = page.locator("#curate-map canvas").first.bounding_box()
    times = []
    for k in range(tries + 1):
        left, top = box["x"] + box["width"] * (0.2 + 0.03 * (k % 5)), box["y"] + box["height"] * 0.2
        across, down = box["width"] * 0.4, box["height"] * 0.5
        page.evaluate(
            f"void (window.waited = ({UNTIL_DRAWN})([{['curate-table', 'curate-filter']}, 'pointerup']).catch((e) => String(e)))"
        )
        page.mouse.move(left, top)
        page.mouse.down()
        for x, y in ((across, 0), (across, down), (0, down), (0, 4)):
            page.mouse.move(left + x, top + y, steps=4)
        page.mouse.up()
        waited = page.evaluate("window.waited")
        if not isinstance(waited, (int, float)):
            raise NotRun(f"the drawn samples were not listed: {waited}")
        times.append(float(waited))
        page.wait_for_timeout(pause)
    return float(np.median(times[1:]))


def server_ms(home: Path, pool: Pool, run: str, tries: int) -> float:
    """The server's part of a change of settings: selecting, and everything that is drawn of it at once."""
    from iterit_ui.curate import draw
    from iterit_ui.curate.state import CurateState

    here, times = CurateState(pool=pool.id, scores=f"{run}/0"), []
    for k in range(tries + 1):
        began = time.perf_counter()
        here = draw.normalised(home, replace(here, settings={"decay": round(0.15 + 0.05 * k, 2)}))
        draw.all_values(home, here)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times[1:]))


@contextmanager
def kept_home(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="iterit-ui-") as folder:
        yield Path(folder).resolve()


@contextmanager
def browser_page() -> Iterator[Any]:
    """A page of 1280 x 900 in Chromium; it is closed after the block.

    Raises
    ------
    NotRun : playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NotRun("playwright is not installed (requirements-dev.txt has it)") from error
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise NotRun("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(WAIT)
        yield page
        browser.close()


@contextmanager
def running(home: Path, *, log: Any = subprocess.DEVNULL) -> Iterator[tuple[str, float]]:
    """The app over a runs folder: its address, and the seconds until it answered. log : a file for what it complains of."""
    began = time.perf_counter()
    command = [sys.executable, "app.py", "--no-browser", "--runs-dir", str(home)]
    app = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert app.stdout is not None
        address = re.search(r"http://\S+", app.stdout.readline())
        if address is None:
            raise NotRun("the app did not start")
        url = address[0].rstrip("/")
        urllib.request.urlopen(url, timeout=60).read()
        yield url, time.perf_counter() - began
    finally:
        app.terminate()
        app.wait()


def prepared(home: Path, source: str) -> tuple[Pool, str]:
    """The stored pool with its map and search index, and a run of three epochs with drawn complexities."""
    pool = load_pool([source])
    store.save_pool(home, pool, inputs=[source])
    for command in ("map", "findings"):
        _quietly([sys.executable, "-m", "backend", command, pool.id, "--runs-dir", str(home)])
    for info in store.runs(home):
        if info.pool_id == pool.id and info.name == "drawn complexities":
            return pool, info.id
    return pool, recorded_run(home, pool)


def generated_pool(home: Path, rows: int) -> str:
    """A file of so many generated responses from six sources, kept in the runs folder."""
    path = home / f"generated-{rows}.parquet"
    if not path.is_file():
        responses = pa.concat_arrays(zipf_responses(rows, words=60).chunks)
        prompts = pc.binary_join_element_wise("Write about", pc.utf8_slice_codeunits(responses, 0, 40), " ")
        sources = pa.array([f"source {row % 6 + 1}" for row in range(rows)])
        pq.write_table(pa.table({"instruction": prompts, "output": responses, "source": sources}), path)
    return str(path)


def _quietly(command: list[str]) -> None:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotRun(f"{' '.join(command[2:4])} failed: {done.stderr[-400:]}")


def recorded_run(home: Path, pool: Pool) -> str:
    """A finished run of three epochs whose complexities are drawn, as no model is needed to time a page."""
    rng = np.random.default_rng(0)
    n = len(pool)
    config = config_from(
        {"pool": ("drawn",), "model": "drawn", "name": "drawn complexities", "epochs": 3, "make_map": False}
    )
    run = store.create_run(home, config, pool)
    counts = store.ngram_counts(home, pool)
    loss = rng.uniform(0.5, 3, n).astype(np.float32)
    lengths = np.array([1 + len(text.as_py().split()) for text in pool.responses()], dtype=np.int32)
    complexity = np.exp(rng.normal(-0.25, 0.25, n)).astype(np.float32)
    who: dict[str, Any] = {"ids": pool.ids, "source_codes": pool.source_codes, "sources": pool.sources}
    for epoch in range(3):
        scores = Scores(loss + np.log(complexity), loss, complexity, lengths, np.full(n, "", dtype=object))
        tfidf = diversity.tfidf(counts, selection.candidates(scores, config, **who).rows)
        by_row = np.full(n, np.nan)
        by_row[tfidf.rows] = diversity.initial_diversity(tfidf)
        made = selection.select(counts, scores, config, budget=n // 20, tfidf=tfidf, **who)
        store.write_epoch(home, run, EpochRecord(epoch, scores, np.ones(n, dtype=bool), by_row, made, {}))
        store.append_metrics(home, run, Metrics(10 * epoch, float(epoch), loss=2.0 - 0.1 * epoch))
        complexity = (complexity * np.exp(rng.normal(-0.03, 0.08, n))).astype(np.float32)
    store.set_state(home, run, "done")
    return run
