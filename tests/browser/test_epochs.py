"""The Epochs tab in a browser: step, play, press fast, list what a mark counts, and see a new epoch come."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Route, expect

from backend import store

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import ROWS, make_run, trees

EPOCHS = 7
ASKED = re.compile("component_server")
SHOWN = "document.querySelector('.st-player-words b')?.textContent === `Epoch ${epoch}`"


@pytest.fixture(scope="module")
def run(runs_dir, app_url) -> str:
    """A finished run of seven epochs whose pool has a map; its id."""
    made = make_run(runs_dir, epochs=EPOCHS, planned=EPOCHS)
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(ROWS, 2)).astype(np.float32)
    store.save_map(runs_dir, trees().id, store.PoolMap(xy, "by hand", {}))
    return made


def at_epoch(page, epoch: int) -> None:
    """Wait until an epoch has been drawn, and not only wished for: the table says which it is."""
    page.wait_for_function(f"epoch => {SHOWN}", arg=epoch)
    page.wait_for_function(
        "epoch => document.querySelector('#epochs-table .st-table-words p')?.textContent.includes(`epoch ${epoch}.`)",
        arg=epoch,
    )
    page.wait_for_url(lambda url: (f"epoch={epoch}" in url) if epoch else ("epoch=" not in url))


def count_of(text: str) -> int:
    return int(re.search(r"[\d,]+", text)[0].replace(",", ""))


def listed(page, count: int) -> None:
    """Wait until the table lists so many samples."""
    if not count:
        page.locator("#epochs-table .st-empty:not([hidden])").wait_for()
        return
    page.wait_for_function(
        "n => new RegExp(`of ${n} samples`).test(document.querySelector('#epochs-table .st-pager')?.textContent || '')",
        arg=f"{count:,}",
    )


def test_five_quick_presses_are_five_epochs(page, goto, run):
    goto(page, "epochs", run=run)
    at_epoch(page, 0)
    page.evaluate("() => { for (let i = 0; i < 5; i++) document.querySelector('#epochs-forth').click(); }")
    at_epoch(page, 5)
    for _ in range(3):
        page.click("#epochs-back")
    at_epoch(page, 2)
    page.wait_for_timeout(1500)  # nothing that was pressed comes later
    at_epoch(page, 2)


def test_arrow_keys_step_and_the_ends_hold(page, goto, run):
    goto(page, "epochs", run=run, epoch=5)
    at_epoch(page, 5)
    page.locator("#epochs-cards .st-label").first.click()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    at_epoch(page, EPOCHS - 1)
    assert page.locator("#epochs-forth").is_disabled()
    page.keyboard.press("ArrowLeft")
    at_epoch(page, EPOCHS - 2)
    page.locator("#epochs-slider").focus()
    page.keyboard.press("Home")
    at_epoch(page, 0)


def test_play_shows_every_epoch_in_turn_and_stops(page, goto, run, redrawn):
    goto(page, "epochs", run=run, epoch=3)
    at_epoch(page, 3)
    page.evaluate(
        """() => { window.seen = []; new MutationObserver(() => {
            const words = document.querySelector('#epochs-table .st-table-words p')?.textContent.match(/epoch (\\d+)/);
            if (words && window.seen.at(-1) !== words[1]) window.seen.push(words[1]);
        }).observe(document.querySelector('#epochs-table'), {subtree: true, childList: true, characterData: true}); }"""
    )
    page.click("#epochs-play")
    at_epoch(page, EPOCHS - 1)
    page.wait_for_function("document.querySelector('#epochs-play').textContent === 'Play'")
    seen = page.evaluate("window.seen")
    assert seen[seen[0] == "3" :] == [str(e) for e in range(4, EPOCHS)]


def test_the_map_keeps_its_places_and_the_charts_their_axes(page, goto, run, rev, redrawn):
    goto(page, "epochs", run=run, epoch=1)
    at_epoch(page, 1)
    page.wait_for_function(f"document.querySelector('#epochs-map .st-stage')?.dataset.points === '{ROWS}'")
    place = """(() => { const stage = document.querySelector('#epochs-map .st-stage');
        const [point, box] = [stage.place(5), stage.getBoundingClientRect()];
        return {x: point.x - box.left, y: point.y - box.top}; })()"""
    axes = """['complexity', 'diversity', 'lengths', 'moved'].map(name =>
        document.querySelector(`#epochs-${name} .st-plot`).layout.xaxis.range.join())"""
    before, ranges, map_ = page.evaluate(place), page.evaluate(axes), rev(page, "epochs-map")
    page.click("#epochs-forth")
    at_epoch(page, 2)
    redrawn(page, "epochs-map", map_)
    after = page.evaluate(place)
    assert (round(after["x"]), round(after["y"])) == (round(before["x"]), round(before["y"]))
    assert page.evaluate(axes) == ranges
    page.locator("#epochs-map select").select_option("first")
    expect(page.locator("#epochs-map .st-legend")).to_contain_text("not trained on")
    assert page.evaluate(place) == after


def test_the_player_stays_in_sight(page, goto, run):
    goto(page, "epochs", run=run, epoch=1)
    at_epoch(page, 1)
    page.locator("#epochs-table").scroll_into_view_if_needed()
    page.wait_for_function("window.scrollY > 600")
    box = page.locator(".epochs-bar").bounding_box()
    assert 0 <= box["y"] < 120
    page.locator("#epochs-table").get_by_role("button", name=re.compile("^Added")).click()
    page.evaluate("window.scrollTo(0, 0)")
    page.get_by_role("button", name="See the list").click()
    page.wait_for_function("window.scrollY > 600")


def test_every_band_lists_what_it_counts(page, goto, run):
    goto(page, "epochs", run=run, epoch=2)
    at_epoch(page, 2)
    bands = page.locator("#epochs-flow .st-band")
    bands.first.wait_for(state="attached")
    kinds = set()
    for i in range(min(bands.count(), 9)):
        words = bands.nth(i).get_attribute("aria-label")
        kinds.add(bands.nth(i).get_attribute("data-key").rpartition(":")[2])
        bands.nth(i).dispatch_event("click")
        listed(page, count_of(words))
        page.wait_for_function(
            "i => document.querySelectorAll('#epochs-flow .st-band')[i].classList.contains('on')", arg=i
        )
    assert {"kept", "new", "dropped"} <= kinds
    # what is listed can be taken along
    page.locator("#epochs-export button").click()
    page.locator("dialog.st-export select[name=which]").select_option("listed")
    expect(page.get_by_label("With what is known of each sample")).to_be_visible()
    expect(page.locator("dialog.st-export")).to_contain_text(
        "columns beside it: id, file, row and complexity"
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert f"-{count_of(words)}-samples" in download.value.suggested_filename
    page.locator(".st-player-list .st-chip button").click()
    listed(page, 10)
    assert page.locator("#epochs-flow .st-band.on").count() == 0


@pytest.mark.parametrize("chart", ["moved", "cohorts", "hardest"])
def test_every_choice_lists_what_it_counts(page, goto, run, chart):
    goto(page, "epochs", run=run, epoch=2)
    at_epoch(page, 2)
    choices = page.locator(f"#epochs-{chart} .st-choice:not(:disabled)")
    choices.first.wait_for()
    for i in range(choices.count()):
        count = count_of(choices.nth(i).locator("b").inner_text())
        choices.nth(i).click()
        listed(page, count)
        page.wait_for_function(
            "([chart, i]) => document.querySelectorAll(`#epochs-${chart} .st-choice:not(:disabled)`)[i].getAttribute('aria-pressed') === 'true'",
            arg=[chart, i],
        )


def test_complexity_can_be_compared_with_another_epoch(page, goto, run):
    goto(page, "epochs", run=run, epoch=3)
    at_epoch(page, 3)
    page.locator("#epochs-moved select").select_option("2")
    page.wait_for_function(
        "document.querySelector('#epochs-moved .st-plot').layout.xaxis.title.text.includes('before epoch 2')"
    )


def test_a_sample_opens_with_its_history_and_keys_walk(page, goto, run):
    goto(page, "epochs", run=run, epoch=1)
    at_epoch(page, 1)
    page.locator("#epochs-table tbody tr").nth(2).click()
    sample = page.locator("#epochs-sample")
    sample.get_by_text("3 of 10", exact=True).wait_for()
    assert page.locator("#epochs-history tbody tr").count() == EPOCHS
    page.keyboard.press("j")
    sample.get_by_text("4 of 10", exact=True).wait_for()
    page.wait_for_url(re.compile("sample="))
    page.click("#epochs-forth")
    at_epoch(page, 2)
    assert "sample=" in page.url and page.locator("#epochs-history tr.open").inner_text().startswith(
        "epoch 2"
    )


def test_a_new_epoch_appears_and_moves_nothing(page, goto, runs_dir, run):
    going = make_run(runs_dir, epochs=2, planned=3, state="running")
    try:
        # the watcher's first answer comes after the new epoch: what the page has drawn is older than all that it hears
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route) if '"look"' in (route.request.post_data or "") else route.continue_()

        page.route(ASKED, hold)
        goto(page, "epochs", run=going, epoch=1)
        at_epoch(page, 1)
        page.locator("#epochs-flow .st-band.new").first.dispatch_event("click")
        page.locator(".st-player-list .st-chip").wait_for()
        label = page.locator(".st-player-list .st-chip").inner_text()
        page.locator("#epochs-table tbody tr").first.click()
        page.wait_for_url(re.compile("sample="))
        address = page.url
        top = page.evaluate("window.scrollY")
        record = store.read_epoch(runs_dir, going, 1)
        store.write_epoch(runs_dir, going, dataclasses.replace(record, epoch=2))
        for route in held:
            route.continue_()
        page.unroute(ASKED)
        page.wait_for_function("document.querySelector('#epochs-slider').max === '2'")
        page.wait_for_timeout(500)
        assert page.url == address and page.evaluate("window.scrollY") == top
        assert page.locator(".st-player-list .st-chip").inner_text() == label
        at_epoch(page, 1)
    finally:
        store.set_state(runs_dir, going, "done")


def test_another_run_is_shown_from_its_first_epoch(page, goto, runs_dir, run):
    other = make_run(runs_dir, epochs=1)
    goto(page, "epochs", run=run, epoch=4)
    at_epoch(page, 4)
    page.locator("#epochs-run input").click()
    page.get_by_role("option", name=re.compile("1 epoch$")).first.click()
    page.wait_for_url(re.compile(f"run={other}"))
    page.locator("#epochs-moved").get_by_text("This is the first scoring").wait_for()
    at_epoch(page, 0)


def test_nothing_overlaps(page, goto, run, tidy_everywhere):
    goto(page, "epochs", run=run, epoch=3)
    at_epoch(page, 3)
    page.locator("#epochs-table tbody tr").first.click()
    page.locator("#epochs-history tbody tr").first.wait_for()
    tidy_everywhere(page)
