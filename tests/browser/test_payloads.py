"""What somebody writes is shown as text wherever it can be written: nothing of it runs."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright.sync_api")

from backend import store
from iterit_ui.present.run_report import write_report
from tests.browser.pools import recorded_run, scored

RUNS = "ran=1"
PAYLOADS = [
    f"<img src=x onerror={RUNS}>",
    f"<script>{RUNS}</script>",
    f'"><svg onload={RUNS}>',
    f"'><iframe srcdoc='<script>parent.{RUNS}</script>'>",
    "${ran=1} {{constructor.constructor('ran=1')()}}",
    f'<a href="javascript:{RUNS}" autofocus onfocus={RUNS}>x</a>',
    f'[x](javascript:{RUNS}) ![x](x" onerror="{RUNS})',
    f"</textarea></title></script><script>{RUNS}</script>",
    f"<details open ontoggle={RUNS}>",
    f"<math><mtext><form><mglyph><style></math><img src onerror={RUNS}>",
    f"&lt;img src=x onerror={RUNS}&gt; \\u003cimg src=x onerror={RUNS}\\u003e",
    f"<input autofocus onfocus={RUNS}><video src=x onerror={RUNS}>",
]


@pytest.fixture(scope="module")
def written(runs_dir, tmp_path_factory) -> tuple[str, str, str, int]:
    """(pool, run, comparison, how many texts): every text that a person can write holds each payload once."""
    folder = tmp_path_factory.mktemp("payloads")
    file = folder / f"<img src=x onerror={RUNS}>.jsonl"
    lines = [
        {"instruction": f"{one} asked", "output": f"{one} said {i}", "source": one, one: i}
        for i, one in enumerate(PAYLOADS * 4)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    pool, run = scored(runs_dir, file, seed=31)
    texts = 4 * len(PAYLOADS)  # prompt, response, source and the name of a column
    ids = [str(one) for one in pool.ids]
    runs = [run, *(recorded_run(runs_dir, pool) for _ in PAYLOADS[1:])]
    comparison = ""
    for i, one in enumerate(PAYLOADS):
        store.set_note(runs_dir, pool.id, [ids[i]], one, who=one[:60])
        store.set_mark(runs_dir, pool.id, [ids[12 + i]], "excluded", who=one[:60])
        store.save_settings(runs_dir, pool.id, one, {"budget": 5}, scores="", who=one[:60])
        store.label_run(runs_dir, runs[i], name=one, tags=[one[:30].replace(",", " ")], notes=one)
        comparison = store.create_comparison(runs_dir, one, notes=one, who=one[:60])
        texts += 11
    store.add_to_comparison(runs_dir, comparison, runs)
    store.set_responses(
        runs_dir, pool.id, {ids[24 + i]: f"{one} edited" for i, one in enumerate(PAYLOADS)}, who="x"
    )
    return pool.id, run, comparison, texts + len(PAYLOADS)


def says(page, part: str, words: str) -> None:
    page.wait_for_function(
        "([id, words]) => document.getElementById(id)?.innerText.includes(words)", arg=[part, words]
    )


def unharmed(page) -> None:
    page.wait_for_timeout(300)  # what was planted would run a moment after it was drawn
    assert page.evaluate("window.ran") is None
    planted = "#steps img[src=x], #steps iframe, #steps svg[onload], #steps details[ontoggle], #steps math, #steps video"
    assert page.locator(planted).count() == 0


def test_nothing_that_was_written_runs(page, new_page, goto, written, runs_dir, tmp_path):
    pool, run, comparison, texts = written
    assert texts == 192
    goto(page, "data", pool=pool)
    page.locator("#data-table tbody tr").nth(1).click()
    page.locator("#data-sample .st-turn").first.wait_for()
    unharmed(page)
    goto(page, "curate", pool=pool, scores=f"{run}/0")
    page.locator("#curate-table tbody tr").first.click()
    page.locator("#curate-sample .st-turn").first.wait_for()
    page.locator("#settings summary", has_text="Saved settings").click()
    says(page, "settings", PAYLOADS[0])
    unharmed(page)
    goto(page, "tune", run=run)
    page.locator("#tune-status .st-state").wait_for()
    says(page, "tune-runs", PAYLOADS[0])
    unharmed(page)
    goto(page, "epochs", run=run, epoch=1)
    page.locator("#epochs-table tbody tr").nth(1).click()
    page.locator("#epochs-sample .st-turn").first.wait_for()
    unharmed(page)
    goto(page, "compare", comparison=comparison)
    says(page, "compare-runs", PAYLOADS[-1])
    unharmed(page)
    write_report(runs_dir, run, tmp_path / "report.html")
    page.route("**/report.html", lambda route: route.fulfill(path=tmp_path / "report.html"))
    page.goto(f"{page.url.split('?')[0]}report.html")
    page.locator("h1").wait_for()
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src=x], iframe, video").count() == 0
