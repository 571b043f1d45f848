"""The Curate tab as a curator uses it: settings, filters, marks, keys, links, two pages at once."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from backend import store
from backend.data import demo

from .conftest import WAIT
from .pools import scored, scored_pool

needs_scores = pytest.mark.skipif(not demo.SCORES.exists(), reason="the demo's scores are not built")
expect.set_options(timeout=WAIT)
SEEDS = itertools.count(1)


@pytest.fixture
def curate(runs_dir: Path, tmp_path: Path, goto: Callable) -> Callable:
    """Opens a page on a pool of its own, so that what one test marks is not there in the next."""
    pool, run = scored_pool(runs_dir.resolve(), tmp_path, seed=next(SEEDS))

    def go(page, **query):
        goto(page, "curate", pool=pool.id, scores=f"{run}/0", **query)
        expect(card(page, "Selected").locator("xpath=..")).to_contain_text("of 600")
        return page

    go.pool, go.run, go.home = pool, run, runs_dir.resolve()
    return go


def card(page, label):
    """The figure on a card."""
    return page.locator(f'#curate-cards .st-card[data-label="{label}"] .st-figure > .num')


def listed(page, name, count):
    """A list of the table and how many samples it says to hold."""
    button = page.locator("#curate-table .st-filters button", has_text=re.compile(f"^{name}"))
    expect(button.locator("b")).to_have_text(count)
    return button


def rows(page):
    return page.locator("#curate-table tbody tr")


def count_of(page, name):
    text = (
        page.locator("#curate-table .st-filters button", has_text=re.compile(f"^{name}"))
        .locator("b")
        .inner_text()
    )
    return int(text.replace(",", ""))


def lasso(page, share=0.45):
    """Draw around the lower left part of the map."""
    stage = page.locator("#curate-map canvas").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    left, right = box["x"] + 4, box["x"] + box["width"] * share
    top, bottom = box["y"] + box["height"] * 0.5, box["y"] + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 3)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


def set_budget(page, percent):
    field = page.locator('#settings [data-field="budget"] input[type=number]').first
    field.fill(str(percent))
    field.press("Enter")


def test_draw_around_exclude_and_the_selection_honours_it(page, curate):
    curate(page, budget="0.2")
    expect(card(page, "Selected")).to_have_text("120")
    lasso(page)
    chip = page.locator("#curate-filter .st-chip")
    expect(chip).to_contain_text("inside your outline")
    inside = int(re.search(r"[\d,]+", chip.inner_text())[0].replace(",", ""))
    assert 50 < inside < 400
    listed(page, "All", f"{inside:,}")
    before = count_of(page, "Selected")
    assert before > 0
    # no other screen's look may take the boxes out of their column
    shown = page.locator("#curate-table th.st-tick").evaluate("cell => getComputedStyle(cell).display")
    assert shown == "table-cell"
    page.locator("#curate-table .st-tick input").first.check()
    page.locator("#curate-table").get_by_role("button", name=re.compile("Tick all")).click()
    page.locator('#curate-table [data-act="exclude"]').click()
    listed(page, "Selected", "0")
    expect(card(page, "Selected")).to_have_text("120")
    excluded = [i for i, mark in store.marks(curate.home, curate.pool.id).items() if mark == "excluded"]
    assert len(excluded) == inside
    page.locator("#curate-tools").get_by_role("button", name=re.compile("Undo")).click()
    listed(page, "Selected", str(before))
    assert store.marks(curate.home, curate.pool.id) == {}


def test_a_click_on_a_bar_lists_its_samples(page, curate):
    curate(page)
    page.locator("#complexity-chart .barlayer path").first.wait_for(state="attached")
    page.locator("#complexity-chart .st-plot").scroll_into_view_if_needed()
    place = page.evaluate(
        """() => { const p = document.querySelector('#complexity-chart .st-plot'), f = p._fullLayout, b = p.getBoundingClientRect();
            const t = p.data[0], i = t.y.indexOf(Math.max(...t.y)), edges = t.customdata[i].slice(-2);
            return [b.x + f.xaxis._offset + f.xaxis.d2p(t.x[i]), b.y + f.yaxis._offset + f.yaxis.d2p(t.y[i] / 2), t.y[i], edges]; }"""
    )
    page.mouse.click(place[0], place[1])
    expect(page.locator("#curate-filter .st-chip")).to_contain_text("complexity")
    listed(page, "All", f"{place[2]:,}")
    expect(page.locator("#curate-filter .st-filter-count")).to_contain_text(f"{place[2]:,} of 600")
    page.wait_for_url(re.compile("filter="))
    page.locator("#curate-filter .st-chip button").click()
    expect(page.locator("#curate-filter .st-filter-count")).to_have_text("all 600 samples")


def test_search_finds_words_phrases_and_without(page, curate):
    curate(page)
    texts = curate.pool.responses().to_pylist()
    field = page.locator("#curate-filter input")

    def expected(test):
        return f"{sum(map(test, texts)):,}"

    field.fill("oak")
    listed(page, "All", expected(lambda t: "oak" in t.split()))
    field.fill("oak -elm")
    listed(page, "All", expected(lambda t: "oak" in t.split() and "elm" not in t.split()))
    field.fill('"oak elm"')
    listed(page, "All", expected(lambda t: "oak elm" in t))
    field.fill("-")
    expect(page.locator("#curate-filter .st-search-error")).to_contain_text("letter")
    field.fill("")
    expect(page.locator("#curate-filter .st-filter-count")).to_have_text("all 600 samples")


def test_a_sample_that_was_never_picked_is_pinned_and_undone(page, curate):
    curate(page, list="rejected")
    rows(page).first.click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("complexity")
    page.locator("#curate-sample").get_by_role("button", name="Pin").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pinned it (pick 1 of 30)")
    expect(page.locator("#curate-tools")).to_contain_text("1 pinned")
    page.locator("#curate-sample").get_by_role("button", name="Undo").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("Not selected")
    expect(page.locator("#curate-tools")).to_contain_text("Nothing is pinned")


def test_two_pages_see_each_others_marks_with_who(page, new_page, curate):
    curate(page)
    other = new_page(1280, 900)
    curate(other)
    page.locator(".st-you input").fill("Ada")
    page.locator(".st-you input").press("Enter")
    rows(page).nth(2).click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 3 of 30")
    rows(other).nth(2).click()
    expect(other.locator("#curate-sample .st-why")).to_contain_text("pick 3 of 30")
    page.locator("#curate-sample").get_by_role("button", name="Exclude").click()
    expect(other.locator("#curate-sample .st-why")).to_contain_text("Ada")
    expect(other.locator("#curate-tools")).to_contain_text("1 excluded")
    other.locator("#curate-tools").get_by_role("button", name=re.compile("Undo")).click()
    expect(page.locator("#curate-tools")).to_contain_text("Nothing is pinned")


def test_the_keyboard_goes_through_the_list_and_marks(page, curate):
    curate(page)
    page.locator("#curate-cards .st-label").first.click()
    page.keyboard.press("j")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 1 of 30")
    page.keyboard.press("j")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 2 of 30")
    page.keyboard.press("k")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 1 of 30")
    page.keyboard.press("x")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("Not selected")
    page.keyboard.press("z")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 1 of 30")
    page.keyboard.press("p")
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pinned")
    page.keyboard.press("n")
    page.keyboard.type("xj read again")  # in a field keys are letters
    page.keyboard.press("Control+Enter")
    expect(page.locator("#curate-sample .st-note-text")).to_have_text("xj read again")
    page.keyboard.press("/")
    expect(page.locator("#curate-filter input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog.st-keys-sheet")).to_contain_text("next sample")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.st-keys-sheet")).to_have_count(0)


def test_a_link_brings_back_filter_list_order_sample_colour_and_settings(page, new_page, curate):
    words = {"text": "oak", "complexity": [0.5, None], "sources": ["trees"]}
    curate(page, filter=quote(json.dumps(words)), sort="-tokens", colour="cluster", decay="0.5", budget="0.1")
    expect(card(page, "Selected")).to_have_text("60")
    expect(page.locator("#curate-filter .st-chip")).to_have_count(3)
    expect(page.locator("#curate-filter input")).to_have_value("oak")
    page.locator("#curate-table .st-filters button", has_text=re.compile("^All")).click()
    rows(page).nth(1).click()
    expect(page.locator("#curate-sample .st-sample-head")).to_be_visible()
    page.wait_for_url(re.compile("sample="))
    title = page.locator("#curate-sample h3").first.inner_text()
    second = new_page(1280, 900)
    second.goto(page.url)
    expect(second.locator("#curate-sample h3").first).to_have_text(title)
    expect(second.locator("#curate-filter .st-chip")).to_have_count(3)
    expect(second.locator("#curate-map select")).to_have_value("cluster")
    expect(second.locator('#settings [data-field="decay"] input[type=number]')).to_have_value("0.5")
    assert count_of(second, "All") == count_of(page, "All")


def test_settings_follow_at_once_are_undone_and_saved(page, curate):
    curate(page)
    expect(card(page, "Selected")).to_have_text("30")
    set_budget(page, 10)
    expect(card(page, "Selected")).to_have_text("60")
    expect(card(page, "Last change")).to_have_text("30")
    page.wait_for_url(re.compile("budget=0.1"))
    slider = page.locator('#settings [data-field="decay"] input[type=range]')
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("decay=1"))
    panel = page.locator("#settings")
    panel.get_by_role("button", name="undo the last change of settings").click()
    page.wait_for_url(lambda url: "decay" not in url)
    panel.get_by_role("button", name="undo the last change of settings").click()
    expect(card(page, "Selected")).to_have_text("30")
    panel.get_by_role("button", name="redo it").click()
    expect(card(page, "Selected")).to_have_text("60")
    panel.locator("summary", has_text="Saved settings").click()
    name = panel.get_by_label("Name for these settings")
    name.fill("ten percent")
    name.press("Enter")
    expect(panel.locator(".st-saved-name")).to_contain_text("ten percent")
    panel.get_by_role("button", name="Reset all").click()
    expect(card(page, "Selected")).to_have_text("30")
    panel.get_by_role("button", name="Compare them").click()
    expect(page.locator("#saved-settings tbody tr")).to_have_count(2)
    panel.locator(".st-saved-name").click()
    expect(card(page, "Selected")).to_have_text("60")


def test_a_setting_that_does_not_fit_is_refused_with_the_reason(page, curate):
    curate(page)
    address = page.url

    def refused(name: str, text: str, words: str, box: str = "input[type=number]") -> None:
        place = page.locator(f'#settings [data-field="{name}"]')
        field = place.locator(box).first
        field.fill(text)
        field.press("Enter")
        expect(place.locator(".st-field-message")).to_contain_text(words)
        expect(field).to_have_value(text)  # it stays to be mended
        expect(field).to_have_attribute("aria-invalid", "true")

    refused("decay", "7", "Allowed: 0 to 1. Not changed: still 0.1.")
    refused("budget", "250", "Not changed: still 5 %.")
    refused("budget", "0", "to 100 %", '[aria-label="Budget, percent"]')
    refused("budget", "1", "2 to 600 samples", '[aria-label="Budget, samples"]')
    page.locator("#settings summary", has_text="Limits").click()
    refused("max_complexity", "0", "Allowed: 0.1 to 2. Not changed: still 1.")
    refused("min_response_tokens", "2.5", "whole numbers")
    source = page.locator("#settings ul.st-sources li").first
    most = source.get_by_label(re.compile("^at most"))
    most.fill("130")
    most.press("Enter")
    expect(source.locator(".st-field-message")).to_contain_text(
        "Allowed: 0 to 100 %. Not changed: still 100 %."
    )
    expect(card(page, "Selected")).to_have_text("30")
    assert page.url == address
    most.fill("10")
    most.press("Enter")
    page.wait_for_url(re.compile("source_shares=.*-0.1"))
    # another value takes the refusal away
    decay = page.locator('#settings [data-field="decay"]')
    decay.locator("input[type=range]").focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("decay=1"))
    expect(decay.locator("input[type=number]")).to_have_value("1")
    expect(decay.locator(".st-field-message")).to_be_hidden()


def test_why_not_names_the_picks_that_covered_it_and_from_where_on(page, curate):
    curate(page, list="candidates", sort="-rank")
    page.locator("#curate-table .st-badge", has_text="candidate").first.click()
    panel = page.locator("#curate-sample")
    expect(panel.locator(".st-why")).to_contain_text("Not selected")
    expect(panel.locator(".st-terms.covered li").first).to_be_visible()
    panel.get_by_role("button", name="What would it take to be picked?").click()
    expect(panel.locator(".st-reach")).to_contain_text("from a budget of")
    before = panel.locator("h3").first.inner_text()
    panel.locator(".st-terms.covered button").first.click()
    expect(panel.locator("h3").first).not_to_have_text(before)
    expect(panel.locator(".st-why")).to_contain_text("Selected as pick")


def test_the_map_is_coloured_by_what_is_chosen(page, curate, rev, redrawn):
    curate(page)
    for mode in ("source", "complexity", "cluster", "rank", "status"):
        before = rev(page, "curate-map")
        page.locator("#curate-map select").select_option(mode)
        redrawn(page, "curate-map", before)
    assert "colour" not in page.url
    # nearer, what is in sight has names of its own; that of a sample opens it
    world = page.locator("#curate-map")
    at = world.locator(".st-stage").evaluate("stage => stage.place(7)")
    page.mouse.move(at["x"], at["y"])
    page.keyboard.down("Control")
    for _ in range(10):
        page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    world.locator(".st-map-label.sample:not([hidden])").first.press("Enter")
    expect(page.locator("#curate-sample h3").first).to_be_visible()
    world.locator('[data-tool="whole"]').click()
    expect(world.locator(".st-map-label.sample")).to_have_count(0)


def test_ticked_rows_are_noted_and_exported(page, curate, tmp_path):
    curate(page)
    ticks = page.locator("#curate-table tbody .st-tick input")
    ticks.nth(0).check()
    ticks.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#curate-table")).to_contain_text("3 ticked")
    page.locator('#curate-table [data-act="note"]').click()
    page.locator("#curate-table .st-act-bar input").fill("three to look at")
    page.keyboard.press("Enter")
    expect(page.locator("#curate-tools")).to_contain_text("3 with a note")
    ticks.nth(0).check()
    page.locator('#curate-table [data-act="export"]').click()
    sheet = page.get_by_role("dialog", name="Export 3 samples")
    expect(sheet.get_by_label("With the held-out samples")).to_be_disabled()
    sheet.get_by_label("With the recipe").uncheck()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download").click()
    path = tmp_path / "export.jsonl"
    download.value.save_as(path)
    assert json.loads(path.read_text().splitlines()[0])["messages"][-1]["role"] == "assistant"


@needs_scores
def test_the_demo_is_scored_on_the_first_screen(page, goto):
    goto(page, "curate")
    expect(card(page, "Selected")).to_have_text("220")
    expect(card(page, "Mean complexity")).to_contain_text("0.")
    page.locator("#complexity-chart .main-svg").first.wait_for()
    page.get_by_role("button", name="Budget", exact=True).click()
    page.locator("#frontier-chart .main-svg").first.wait_for()


@needs_scores
@pytest.mark.slow
def test_the_demo_model_shows_text_and_token_losses(page, goto):
    goto(page, "curate")
    rows(page).first.click()
    panel = page.locator("#curate-sample")
    expect(panel.locator(".st-why")).to_be_visible()
    panel.locator("summary", has_text="Exactly as the model reads it").click()
    expect(panel.locator(".st-as-read .response")).to_be_visible()
    assert "<|user|>" in panel.locator(".st-as-read").inner_text()
    response = panel.locator(".st-turn.role-assistant .st-text").last.inner_text()
    panel.locator("summary", has_text="Which tokens surprise the model").click()
    expect(panel.locator(".st-pieces span").first).to_be_visible()
    assert "".join(panel.locator(".st-pieces span").all_text_contents()).startswith(response[:20])


def test_nothing_overlaps_or_scrolls_sideways(page, curate, tidy_everywhere):
    curate(page)
    page.locator("#lengths-chart [data-rev]").wait_for()
    rows(page).nth(1).click()
    expect(page.locator("#curate-sample .st-why")).to_be_visible()
    tidy_everywhere(page)


@pytest.mark.slow
def test_a_pool_of_52002_rows_is_workable(page, goto, runs_dir, shared, capsys):
    """Timings are printed, not asserted: machines are noisy. `python -m benchmarks ui` measures them."""
    pool, run = scored(runs_dir.resolve(), shared / "data" / "pool_52k.parquet")
    begin = time.monotonic()
    goto(page, "curate", pool=pool.id, scores=f"{run}/0")
    expect(card(page, "Selected")).to_have_text("2,600")
    said = [f"opened in {time.monotonic() - begin:.1f} s"]
    begin = time.monotonic()
    set_budget(page, 10)
    expect(card(page, "Selected")).to_have_text("5,200")
    said.append(f"selected anew in {time.monotonic() - begin:.1f} s")
    begin = time.monotonic()
    page.locator("#curate-filter input").fill("python -java")
    expect(page.locator("#curate-filter .st-chip")).to_have_count(1)
    said.append(f"searched in {time.monotonic() - begin:.1f} s")
    begin = time.monotonic()
    page.locator("#curate-filter .st-chip button").click()
    expect(page.locator("#curate-filter .st-filter-count")).to_have_text("all 52,002 samples")
    lasso(page)
    expect(page.locator("#curate-filter .st-chip")).to_contain_text("inside your outline")
    said.append(f"drawn around in {time.monotonic() - begin:.1f} s")
    with capsys.disabled():
        print(f"\n52,002 rows: {', '.join(said)}")


def test_three_quick_clicks_are_three_samples(page, goto):
    goto(page, "curate")
    page.locator("#curate-table tbody tr").first.locator("td").last.click()
    place = page.locator("#curate-sample .st-position .num")
    place.get_by_text("1 of").wait_for()
    page.evaluate(
        "() => { for (let i = 0; i < 3; i++) document.querySelectorAll('#curate-sample .st-position button')[1].click(); }"
    )
    place.get_by_text("4 of").wait_for()


def test_a_later_epoch_is_looked_ahead_to(page, curate):
    curate(page)
    expect(page.locator('#settings [data-field="ahead"]')).to_have_count(0)
    page.locator('#settings [data-field="strategy"] select').select_option("iterit-cumulative")
    ahead = page.locator('#settings [data-field="ahead"] input[type=number]')
    ahead.fill("1")
    ahead.press("Enter")
    expect(page.locator("#curate-note")).to_contain_text("What epoch 1 would take")
    page.wait_for_url(re.compile(r"ahead=1"))
    page.locator("#curate-table tbody tr").first.click()
    covered = page.locator("#curate-sample .st-terms.covered")
    expect(covered).to_contain_text("epoch 0, pick")


def test_a_column_of_the_data_is_shown_narrowed_and_made_a_factor(page, curate):
    curate(page)
    table = page.locator("#curate-table")
    table.get_by_role("button", name="Columns").click()
    menu = table.locator(".st-columns-list")
    menu.get_by_label("judge", exact=True).check()
    expect(table.get_by_role("button", name="judge", exact=True)).to_be_visible()
    menu.get_by_label("judge: at least").fill("4")
    page.keyboard.press("Enter")
    expect(page.locator("#curate-filter")).to_contain_text("judge at least 4")
    expect(page.locator("#curate-filter")).to_contain_text("240 of 600 samples")
    expect(menu).to_be_visible()  # it stays open for the next limit
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    table.get_by_role("button", name="judge", exact=True).click()
    expect(table.locator("th[aria-sort]")).to_contain_text("judge")
    page.locator("#settings").get_by_text("Column of the data").click()
    page.get_by_label("Column as a factor", exact=True).select_option("judge")
    expect(card(page, "Last change")).not_to_have_text("–")
