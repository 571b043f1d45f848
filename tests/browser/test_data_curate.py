"""The Data and Curate tabs as a visitor uses them."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from backend.data import demo

from .conftest import PAYLOADS, WAIT

needs_scores = pytest.mark.skipif(not demo.SCORES.exists(), reason="the demo's scores are not built")
expect.set_options(timeout=WAIT)


def card(page, tab, label):
    """The figure on a card."""
    return page.locator(f'#{tab}-cards .st-card[data-label="{label}"] .st-figure > .num')


def open_limits_free_strategy(page):
    """A strategy that needs no model, so that a pool without scores has a selection."""
    page.locator("#strategy input").click()
    page.get_by_role("option", name="Diversity alone").click()


def test_first_screen_shows_the_demo(page, goto, tidy):
    goto(page)
    expect(card(page, "data", "Samples")).to_have_text("2,200")
    expect(page.locator("#data-table tbody tr")).to_have_count(50)
    page.locator("#data-table").get_by_label("next page").click()
    expect(page.locator("#data-table .st-pager .num")).to_contain_text("51–100 of 2,200")
    page.locator("#data-table tbody tr").nth(2).click()
    expect(page.locator("#data-sample .st-turn.role-assistant")).to_be_visible()
    tidy(page)


def test_a_file_that_cannot_be_read_is_a_message(page, goto):
    goto(page)
    page.locator("#pool-files input").click()
    page.get_by_role("option", name=re.compile("broken.json")).click()
    page.keyboard.press("Escape")
    expect(page.locator("#source-note .st-note.error")).to_contain_text("broken.json")
    expect(card(page, "data", "Samples")).to_have_text("2,200")


def test_payloads_are_text(page, goto):
    goto(page)
    page.locator("#pool-files input").click()
    page.get_by_role("option", name=re.compile("payloads.jsonl")).click()
    page.keyboard.press("Escape")
    expect(page.locator("#source-note")).to_contain_text("alpaca")
    page.locator("#load-pool").click()
    expect(card(page, "data", "Samples")).to_have_text("40")
    expect(card(page, "data", "Rejected rows")).to_have_text("1")
    for row, payload in enumerate(PAYLOADS):
        page.locator("#data-table tbody tr").nth(row).click()
        expect(page.locator("#data-sample .st-turn.role-assistant .st-text")).to_have_text(
            f"{payload} answer {row}"
        )
    page.locator("#data-table").get_by_role("button", name=re.compile("Rejected rows")).click()
    expect(page.locator("#data-table tbody tr")).to_have_count(1)
    page.locator("#steps").get_by_role("tab", name="Curate").click()
    expect(page.locator("#curate-note")).to_contain_text("not been scored")
    open_limits_free_strategy(page)
    expect(card(page, "curate", "Selected")).not_to_have_text("0")
    assert page.locator("#curate-table img, #curate-sample img, #source-weights img").count() == 0


def test_columns_can_be_mapped_by_hand(page, goto):
    goto(page)
    page.locator("#pool-files input").click()
    page.get_by_role("option", name=re.compile("columns.json")).click()
    page.keyboard.press("Escape")
    expect(page.locator("#source-note")).to_contain_text("not recognised")
    for role, column in (("prompt", "question text"), ("response", "reply")):
        page.locator(f"#map-{role} input").click()
        page.locator(f"#map-{role}").get_by_role("option", name=column).click()
    page.locator("#load-pool").click()
    expect(card(page, "data", "Samples")).to_have_text("30")


def test_budget_by_keyboard_moves_the_selection_and_the_link(page, goto, new_page, reload):
    goto(page, "curate", strategy="diversity")
    expect(card(page, "curate", "Selected")).to_have_text("220")
    page.locator("#budget-share input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, "curate", "Selected")).to_have_text("231")
    expect(page.locator("#budget-count input")).to_have_value("231")
    expect(card(page, "curate", "Last change")).to_have_text("220")
    page.wait_for_url(re.compile("budget=0.105"))
    reload(page)
    expect(card(page, "curate", "Selected")).to_have_text("231")
    second = new_page(1280, 900)
    second.goto(page.url)
    expect(card(second, "curate", "Selected")).to_have_text("231")
    page.locator("#reset").click()
    page.wait_for_url(lambda url: "budget" not in url)


def test_a_row_of_the_table_opens_its_sample_and_says_why(page, goto, reload):
    goto(page, "curate", strategy="diversity")
    page.locator("#curate-table tbody tr").nth(3).click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 4 of 220")
    expect(page.locator("#curate-sample .st-terms li").first).to_be_visible()
    page.wait_for_url(re.compile("sample="))
    reload(page)
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pick 4 of 220")


def test_pin_exclude_and_undo(page, goto):
    goto(page, "curate", strategy="diversity")
    page.locator("#curate-table").get_by_role("button", name=re.compile("^Candidates")).click()
    page.locator("#curate-table .st-badge", has_text="candidate").first.click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("Not selected")
    page.locator("#curate-sample").get_by_role("button", name="Pin").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("pinned it (pick 1 of 220)")
    page.locator("#curate-sample").get_by_role("button", name="Undo").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("Not selected")
    page.locator("#curate-sample").get_by_role("button", name="Exclude").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text("a person excluded it")
    page.locator("#curate-sample").get_by_role("button", name="Unmark").click()
    expect(page.locator("#curate-sample .st-why")).to_contain_text(
        "outranked".replace("outranked", "others gained more")
    )


@pytest.mark.skipif(not demo.MAP.exists(), reason="the demo's map is not built")
def test_a_point_of_the_map_opens_its_sample(page, goto, rev):
    goto(page, "curate", strategy="diversity")
    rev(page, "curate-map")
    page.locator("#curate-map .nsewdrag").first.wait_for()
    page.locator("#curate-map").scroll_into_view_if_needed()
    place = page.evaluate(
        """() => { const p = document.querySelector('#curate-map .st-plot'), f = p._fullLayout, b = p.getBoundingClientRect();
            const x = p.data[1].x[0], y = p.data[1].y[0];
            return [b.x + f.xaxis._offset + f.xaxis.d2p(x), b.y + f.yaxis._offset + f.yaxis.d2p(y)]; }"""
    )
    page.mouse.move(*place)
    expect(page.locator("#curate-map .st-tip")).to_be_visible()
    page.mouse.click(*place)
    expect(page.locator("#curate-sample .st-why")).to_be_visible()


@needs_scores
def test_the_demo_is_scored_on_the_first_screen(page, goto):
    goto(page, "curate")
    expect(card(page, "curate", "Selected")).to_have_text("220")
    expect(card(page, "curate", "Mean complexity")).to_contain_text("0.")
    page.locator("#complexity-chart .main-svg").first.wait_for()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_overlaps_or_scrolls_sideways(new_page, goto, tidy, width, dark):
    page = new_page(width, 900 if width == 1280 else 1080)
    goto(page, "curate", strategy="diversity", __theme="dark" if dark else "light")
    page.locator("#lengths-chart [data-rev]").wait_for()
    page.locator("#curate-table tbody tr").nth(1).click()
    expect(page.locator("#curate-sample .st-why")).to_be_visible()
    tidy(page)


def test_light_and_dark(page, goto):
    goto(page, "data", __theme="light")
    page.locator("#sources-chart .main-svg").first.wait_for()
    light = page.evaluate("getComputedStyle(document.querySelector('.st-card')).backgroundColor")
    page.locator(".st-theme").click()
    dark = page.evaluate("getComputedStyle(document.querySelector('.st-card')).backgroundColor")
    assert light != dark
    page.wait_for_function(
        "() => { const t = document.querySelector('#sources-chart .ytick text'); return t && getComputedStyle(t).fill === 'rgb(163, 175, 192)'; }"
    )


def test_bars_do_not_depend_on_the_address(page, goto) -> None:
    # a clip path that names the page's address cuts everything off once the address bar has changed
    goto(page, "data")
    page.locator("#characters-chart .barlayer path").first.wait_for(state="attached")
    paths = page.evaluate(
        "[...document.querySelectorAll('[clip-path]')].map(e => e.getAttribute('clip-path'))"
    )
    assert paths and not [path for path in paths if "http" in path]
