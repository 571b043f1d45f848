"""The Data tab as a visitor uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Route, expect

from tests.damaged import damaged_arrow

from .conftest import PAYLOADS, WAIT
from .pools import scored_pool

expect.set_options(timeout=WAIT)


def card(page, label):
    """The figure on a card."""
    return page.locator(f'#data-cards .st-card[data-label="{label}"] .st-figure > .num')


def press(page, label):
    page.locator(f'#data-cards .st-card[data-label="{label}"]').click()


def choose(page, *names):
    """Files of the data folder, by name."""
    page.locator("#pool-files input").click()
    for name in names:
        page.get_by_role("option", name=re.compile(rf"\b{re.escape(name)}$")).click()
    page.keyboard.press("Escape")


def load(page, samples):
    expect(page.locator("#load-pool")).to_be_enabled()
    page.locator("#load-pool").click()
    expect(card(page, "Samples")).to_have_text(samples)


def deed(page, words):
    return page.locator("#finding").get_by_role("button", name=re.compile(words))


def rows(page):
    return page.locator("#data-table tbody tr")


@pytest.fixture(scope="package")
def noisy(data_root: Path) -> str:
    """A file with what the health cards count, and every text another one, so that nobody else has this pool."""
    long = "Once a week the small shop at the corner sells bread, cheese and apples from the valley behind the hills"
    found = [("What does it sell?", long)] * 3
    found += [(f"What does it sell on day {i}?", f"{long}, day {i}") for i in range(4)]
    found += [(f"Do it {i}", "I'm sorry, but I cannot help with that request.") for i in range(5)]
    found += [(f"Say nothing {i}", "") for i in range(2)]
    found += [(f"Count to {i}", " ".join(map(str, range(i)))) for i in range(5, 25)]
    lines = [json.dumps({"prompt": ask, "completion": reply}) for ask, reply in found]
    (data_root / "noisy.jsonl").write_text("\n".join([*lines, '{"prompt": "cut of']))
    return "noisy.jsonl"


def test_first_screen_shows_the_demo(page, goto, tidy):
    goto(page)
    expect(card(page, "Samples")).to_have_text("2,200")
    expect(rows(page)).to_have_count(50)
    page.locator("#data-table").get_by_label("next page").click()
    expect(page.locator("#data-table .st-pager .num")).to_contain_text("51–100 of 2,200")
    rows(page).nth(2).click()
    expect(page.locator("#data-sample .st-turn.role-assistant")).to_be_visible()
    tidy(page)


SEEN = """window.seen = {card: new Set(), row: new Set()};
const look = () => {
  for (const node of document.querySelectorAll('.st-card')) window.seen.card.add(node.innerText);
  for (const node of document.querySelectorAll('.st-table tbody tr')) window.seen.row.add(node.innerText);
  requestAnimationFrame(look);
};
look();"""


def test_a_link_to_another_pool_never_shows_the_demo(fresh_page, goto, runs_dir, tmp_path):
    """Who clicks on the first row that comes up reads a sample of the pool that the link names."""
    pool, _ = scored_pool(runs_dir, tmp_path, rows=90, seed=41)
    fresh_page.add_init_script(SEEN)
    for tab in ("data", "curate"):
        goto(fresh_page, tab, pool=pool.id)
        fresh_page.locator(f"#{tab}-table tbody tr").first.click()
        expect(fresh_page.locator(f"#{tab}-sample .st-turn.role-user").first).to_contain_text("please (41-")
        cards, rows = fresh_page.evaluate("[[...window.seen.card], [...window.seen.row]]")
        assert cards and not [text for text in cards if "2,200" in text], cards
        assert rows and all(re.search("birds|tools|trees", text) for text in rows), rows


def test_a_file_that_cannot_be_read_is_a_message(page, goto):
    goto(page)
    choose(page, "broken.json")
    expect(page.locator("#preview")).to_contain_text("broken.json")
    expect(page.locator("#preview")).to_contain_text(re.compile("JSON", re.I))
    expect(page.locator("#load-pool")).to_be_disabled()
    expect(card(page, "Samples")).to_have_text("2,200")


def test_a_file_that_ends_its_reader_is_a_message_and_the_app_lives(page, goto, data_root):
    path = damaged_arrow(data_root / "damaged.arrow")
    try:
        goto(page)
        choose(page, "damaged.arrow")
        expect(page.locator("#preview")).to_contain_text("damaged.arrow: cannot be read as Arrow")
        expect(page.locator("#load-pool")).to_be_disabled()
        rows(page).first.click()
        expect(page.locator("#data-sample .st-turn.role-assistant")).to_be_visible()
    finally:
        path.unlink()


def test_payloads_are_text(page, goto):
    goto(page)
    choose(page, "payloads.jsonl")
    expect(page.locator("#preview")).to_contain_text("alpaca")
    load(page, "40")
    expect(card(page, "Rejected rows")).to_have_text("1")
    for row, payload in enumerate(PAYLOADS):
        rows(page).nth(row).click()
        expect(page.locator("#data-sample .st-turn.role-assistant .st-text")).to_have_text(
            f"{payload} answer {row}"
        )
    press(page, "Rejected rows")
    expect(rows(page)).to_have_count(1)
    page.locator("#steps").get_by_role("tab", name="Curate").click()
    expect(page.locator("#curate-note")).to_contain_text("not been scored")
    page.locator('#settings [data-field="strategy"] select').select_option(label="Diversity alone")
    expect(page.locator('#curate-cards .st-card[data-label="Selected"] .num').first).not_to_have_text("0")
    rows_of_curate = page.locator("#curate-table tbody tr")
    rows_of_curate.first.click()
    expect(page.locator("#curate-sample .st-turn.role-assistant")).to_be_visible()
    assert page.locator("#curate-table img, #curate-sample img, #settings img, #data-table img").count() == 0


def test_columns_can_be_mapped_by_hand(page, goto):
    goto(page)
    choose(page, "columns.json")
    expect(page.locator("#preview")).to_contain_text("not recognised")
    for role, column in (("Prompt", "question text"), ("Response", "reply")):
        page.locator("label.st-role", has_text=re.compile(f"^{role}")).locator("select").select_option(
            label=column
        )
    expect(page.locator("#preview")).to_contain_text("It is 4.")
    load(page, "30")


def test_files_are_offered_once_those_of_now_are_known(page, app_url, data_root):
    """A list that grows while somebody reads it would move another file under the pointer."""
    path = data_root / "arrived.jsonl"
    path.write_text('{"prompt": "Who came late?", "completion": "This file did."}\n')
    held: list[Route] = []
    asked = re.compile("gradio_api/(run|queue/join)")
    page.route(asked, lambda route: held.append(route))
    try:
        page.goto(f"{app_url}/?tab=data")
        expect(page.locator("#pool-files input")).to_be_disabled()
        page.route(asked, lambda route: route.continue_())
        for route in held:
            route.continue_()
        choose(page, "arrived.jsonl")
        expect(page.locator("#preview")).to_contain_text("This file did.")
    finally:
        path.unlink()


def test_a_known_format_can_be_read_another_way_and_back(page, goto):
    goto(page)
    choose(page, "payloads.jsonl")
    role = page.locator("label.st-role", has_text=re.compile("^Source")).locator("select")
    expect(role).to_have_value("source")
    role.select_option(label="(none)")
    back = page.get_by_role("button", name="Back to what was found")
    expect(back).to_be_visible()
    back.click()
    expect(role).to_have_value("source")


def test_speakers_get_roles_by_hand_and_the_pool_says_how_it_was_read(page, goto, data_root):
    talks = [[("user", "assistant"), ("Customer", "agent"), ("user", "nobody")][i % 3] for i in range(9)]
    lines = [
        json.dumps({"messages": [{"role": a, "content": f"ask {i}"}, {"role": b, "content": f"reply {i}"}]})
        for i, (a, b) in enumerate(talks)
    ]
    (data_root / "talks.jsonl").write_text("\n".join(lines))
    goto(page)
    choose(page, "talks.jsonl")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("role 'Customer' is unknown")
    for speaker, role in (("customer", "user"), ("agent", "assistant")):
        preview.locator(f'select[data-role="role.{speaker}"]').select_option(role)
    expect(preview).to_contain_text("reply 1")
    load(page, "6")
    expect(page.locator("#data-note")).to_contain_text(
        "9 rows: 6 read, 3 left out because a turn of \"messages\" role 'nobody' is unknown. "
        "Read as role.agent=assistant, role.customer=user."
    )


def test_groups_are_thinned_out_and_taken_back(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    expect(card(page, "Rejected rows")).to_have_text("1")
    expect(card(page, "Empty responses")).to_have_text("2")
    press(page, "Exact duplicates")
    expect(rows(page)).to_have_count(3)
    deed(page, "exclude the other 2").click()
    expect(page.locator("#finding")).to_contain_text("Excluded 2 samples")
    expect(page.locator("#data-table .st-badge", has_text="excluded")).to_have_count(2)
    deed(page, "Undo").click()
    expect(page.locator("#data-table .st-badge", has_text="excluded")).to_have_count(0)
    expect(card(page, "Near-duplicates")).to_have_text(re.compile(r"^\d+$"))
    press(page, "Near-duplicates")
    found = int(card(page, "Near-duplicates").inner_text())
    assert found >= 7
    expect(rows(page)).to_have_count(found)
    slider = page.get_by_label("Alike from")
    slider.focus()
    page.keyboard.press("End")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Home")
    page.wait_for_function("n => document.querySelectorAll('#data-table tbody tr').length >= n", arg=found)


def test_an_answer_that_comes_late_does_not_win(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    press(page, "Exact duplicates")
    expect(rows(page)).to_have_count(3)
    deed(page, "exclude the other 2").click()
    expect(page.locator("#data-table .st-badge", has_text="excluded")).to_have_count(2)
    late, holding = [], [True]  # what the page is told after Undo, computed by then and still under way

    def hold(route):
        if holding:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/gradio_api/run/**", hold)
    deed(page, "Undo").click()
    while not any("list_key" in answer.text() for _, answer in late):
        page.evaluate("() => new Promise(requestAnimationFrame)")
    page.locator("body.awaiting").wait_for()  # that an answer is awaited shows
    holding.clear()
    press(page, "Refusals")
    expect(rows(page)).to_have_count(5)
    for route, answer in late:
        route.fulfill(response=answer)
    page.locator("body:not(.awaiting)").wait_for()
    rows(page).first.click()  # asked and answered after all of them
    expect(page.locator("#data-sample .st-turn.role-assistant")).to_contain_text("I cannot help")
    expect(rows(page)).to_have_count(5)


def test_the_list_ends_at_what_the_slider_shows(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    expect(card(page, "Near-duplicates")).to_have_text(re.compile(r"^\d+$"))
    press(page, "Near-duplicates")
    slider = page.get_by_label("Alike from")
    slider.focus()
    for _ in range(15):  # sooner than answers come
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#finding h3")).to_have_text("Near-duplicates from 0.65")
    expect(slider).to_have_value("0.65")


def test_of_rows_clicked_in_haste_the_last_is_open(page, goto):
    goto(page)
    expect(rows(page)).to_have_count(50)
    # in one go, so that the first click is still under way at the others
    page.evaluate(
        "() => [...document.querySelectorAll('#data-table tbody tr')].slice(0, 5).forEach(tr => tr.querySelector('td:last-child').click())"
    )
    expect(rows(page).nth(4)).to_have_class(re.compile("open"))
    asked = (
        rows(page).nth(4).locator("td").last.get_attribute("title")
        or rows(page).nth(4).locator("td").last.inner_text()
    )
    expect(page.locator("#data-sample .st-turn.role-assistant .st-text")).to_contain_text(asked[:20])
    expect(page).to_have_url(re.compile("sample="))


def test_refusals_and_openings_are_excluded(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    press(page, "Refusals")
    expect(rows(page)).to_have_count(5)
    opening = page.locator("#openings button", has_text="i'm sorry but i")
    opening.click()
    expect(opening).to_have_attribute("aria-pressed", "true")
    expect(rows(page)).to_have_count(5)
    deed(page, "Exclude these 5").click()
    expect(page.locator("#finding")).to_contain_text("Excluded 5 samples")
    deed(page, "Undo").click()
    expect(deed(page, "Exclude these 5")).to_be_enabled()


def test_the_list_is_searched(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    expect(card(page, "Near-duplicates")).to_have_text(re.compile(r"^\d+$"))  # the index is there by then
    field = page.locator("#data-table .st-search input")
    field.fill('"corner sells" -day')
    expect(rows(page)).to_have_count(3)
    field.fill("zebra")
    expect(page.locator("#data-table .st-empty")).to_contain_text("No samples match")


@pytest.mark.slow
def test_tokens_are_counted_and_the_text_is_shown_as_the_model_reads_it(page, goto, noisy):
    goto(page)
    choose(page, noisy)
    load(page, "34")
    page.locator("#length-limit input").fill("40")
    page.locator("#length-limit input").press("Enter")
    page.locator("#count-tokens").click()
    expect(card(page, "Over length")).to_have_text(re.compile(r"^\d+$"))
    expect(card(page, "Unscorable")).to_have_text(re.compile(r"^\d+$"))
    rows(page).first.click()
    panel = page.locator("#data-sample")
    panel.locator("summary", has_text="Exactly as the model reads it").click()
    expect(panel.locator(".st-as-read .response")).to_contain_text("small shop")


def test_a_pool_that_was_loaded_stays_and_is_opened_again(page, goto, noisy):
    goto(page)
    page.wait_for_url(re.compile("pool="))
    before = page.url
    choose(page, noisy)
    load(page, "34")
    page.wait_for_url(lambda url: url != before and "pool=" in url)
    page.reload()
    expect(card(page, "Samples")).to_have_text("34")
    page.locator("#pools .st-pool", has_text="2,200 samples").click()
    expect(card(page, "Samples")).to_have_text("2,200")
    page.locator("#pools .st-pool", has_text="noisy").click()
    expect(card(page, "Samples")).to_have_text("34")


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


def test_nothing_overlaps_or_scrolls_sideways(page, goto, tidy_everywhere):
    goto(page)
    page.locator("#characters-chart .main-svg").first.wait_for()
    press(page, "Refusals")
    expect(page.locator("#finding")).to_be_visible()
    rows(page).first.click()
    expect(page.locator("#data-sample .st-turn.role-assistant")).to_be_visible()
    tidy_everywhere(page)


def test_a_click_before_the_page_is_set_up_counts(page, app_url):
    """The first rows come with the page; which pool they are of is known once the address has been read."""
    held: list[Route] = []
    asked = re.compile("gradio_api/(run|queue/join)")
    page.route(asked, lambda route: held.append(route))
    page.goto(f"{app_url}/?tab=data")
    page.locator("#data-table tbody tr").nth(2).locator("td").last.click()
    page.locator("#data-table tbody tr.open").wait_for()
    assert held
    page.route(asked, lambda route: route.continue_())  # the last one counts
    for route in held:
        route.continue_()
    page.locator("#data-sample .st-talk").wait_for()
    page.wait_for_url(re.compile("sample="))
