"""Tune and Epochs in a browser: launch from the page, reload midway, step through the epochs, queue, stop."""

from __future__ import annotations

import re

import pytest

RUN = 600_000  # ms; scoring and training on a busy machine


def fill(page, name: str, value: object) -> None:
    """Type into a setting and wait until the command says so."""
    page.locator(f"#tune-{name} input").fill(str(value))
    command = page.locator("#tune-command textarea")
    page.wait_for_function(
        "([id, words]) => document.querySelector(`#${id} textarea`)?.value.includes(words)",
        arg=["tune-command", f"--{name} {value}"],
    )
    assert "backend tune" in command.input_value()


def ready(page) -> None:
    """Wait until the form has been filled and checked."""
    page.wait_for_function("document.querySelector('#tune-command textarea')?.value.includes('backend tune')")


def state(page):
    return page.locator("#tune-status .st-state")


def launch(page) -> str:
    """Launch and return the new run's id, which the address bar shows."""
    before = page.url
    page.click("#tune-launch")
    page.locator("#tune-message .st-note.good").wait_for()
    page.wait_for_url(lambda url: "run=" in url and url != before)
    return re.search(r"run=([\w-]+)", page.url).group(1)


def wait_for_state(page, words: str, timeout: int = RUN) -> None:
    page.wait_for_function(
        "words => new RegExp(`^(${words})$`).test(document.querySelector('#tune-status .st-state')?.textContent || '')",
        arg=words,
        timeout=timeout,
    )


@pytest.fixture(scope="module")
def finished(browser, app_url) -> str:
    """A run of two epochs launched from the page, reloaded midway, and seen to its end; its id."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{app_url}/?tab=tune")
    ready(page)
    fill(page, "epochs", 2)
    fill(page, "budget", 24)
    run = launch(page)
    wait_for_state(page, "running")
    assert page.locator("#tune-status .st-timeline td").count() >= 10

    page.reload()
    assert f"run={run}" in page.url
    wait_for_state(page, "running|done")
    second = context.new_page()
    second.goto(page.url)
    wait_for_state(second, "running|done")
    second.close()

    wait_for_state(page, "running|done|failed|stopped")
    wait_for_state(page, "done|failed|stopped")
    assert state(page).text_content() == "done", page.locator("#tune-status").inner_text()
    context.close()
    return run


def test_a_finished_run_shows_its_losses(page, goto, finished, tidy):
    goto(page, "tune", run=finished)
    wait_for_state(page, "done")
    loss = page.locator("#tune-loss .st-plot")
    loss.locator(".main-svg").first.wait_for()
    traces = loss.evaluate("plot => plot.data.map(trace => [trace.name, trace.y.length])")
    assert dict(traces)["held-out loss"] == 3  # before training and after each of two epochs
    assert page.locator("#tune-cards .st-card[data-label='Held-out loss'] .num").inner_text() != "–"
    tidy(page)


def test_from_the_run_to_its_epochs(page, goto, finished, tidy):
    goto(page, "tune", run=finished)
    page.click("#tune-open")
    page.wait_for_url(re.compile("tab=epochs.*epoch=1"))
    cards = page.locator("#epochs-cards")
    cards.locator(".st-card").first.wait_for()
    figure = "document.querySelector(`#epochs-cards .st-card[data-label='${label}'] .num`)?.textContent"
    page.wait_for_function(f"label => {figure} === '24'", arg="Selected")
    kept, added = (int(page.evaluate(f"label => {figure}", label)) for label in ("Kept", "Added"))
    assert kept + added == 24

    page.click("#epochs-back")
    page.wait_for_function(f"label => {figure} === '–'", arg="Kept")
    page.wait_for_url(lambda url: "epoch=" not in url)
    axis = "document.querySelector('#epochs-complexity .st-plot').layout.xaxis.range.join()"
    first = page.evaluate(axis)
    page.click("#epochs-forth")
    page.wait_for_function(f"label => {figure} === '{kept}'", arg="Kept")
    page.wait_for_url(re.compile("epoch=1"))
    assert page.evaluate(axis) == first
    tidy(page)


def test_play_ends_at_the_last_epoch(page, goto, finished):
    goto(page, "epochs", run=finished)
    page.locator("#epochs-cards .st-card").first.wait_for()
    page.click("#epochs-play")
    page.wait_for_url(re.compile("epoch=1"))
    page.wait_for_function("document.querySelector('#epochs-play').textContent.trim() === 'Play'")


def test_a_sample_opens_with_its_reasons_and_its_link(page, new_page, goto, finished):
    goto(page, "epochs", run=finished, epoch=1)
    row = page.locator("#epochs-table tbody tr").nth(2)
    row.click()
    page.wait_for_url(re.compile("sample="))
    sample = page.locator("#epochs-sample")
    sample.get_by_text("pick 3 of 24").wait_for()
    assert sample.locator(".st-terms li").count() > 0
    assert page.locator("#epochs-history tbody tr").count() == 2
    beginning = sample.locator(".st-talk .st-text").last.inner_text()[:40]

    other = new_page()
    other.goto(page.url)
    other.locator("#epochs-sample").get_by_text("pick 3 of 24").wait_for()
    assert other.locator("#epochs-sample .st-talk .st-text").last.inner_text()[:40] == beginning


def test_filters_and_order_are_the_servers(page, goto, finished):
    goto(page, "epochs", run=finished, epoch=1)
    table = page.locator("#epochs-table")
    table.locator("tbody tr").first.wait_for()
    table.get_by_role("button", name=re.compile("^Tokens")).click()
    page.wait_for_function(
        """() => { const cells = [...document.querySelectorAll('#epochs-table tbody tr')].map(row => +row.children[3].textContent);
            return cells.length === 24 && cells.every((value, i) => !i || value <= cells[i - 1]); }"""
    )
    kept = table.get_by_role("button", name=re.compile("^Kept"))
    count = int(kept.locator(".num").inner_text())
    kept.click()
    page.wait_for_function(
        "count => document.querySelectorAll('#epochs-table tbody tr').length === count", arg=count
    )


def test_a_second_run_waits_and_both_can_be_stopped(page, goto):
    goto(page, "tune")
    ready(page)
    fill(page, "budget", 31)
    first = launch(page)
    wait_for_state(page, "running")
    fill(page, "budget", 32)
    second = launch(page)
    assert second != first
    wait_for_state(page, "queued")
    page.click("#tune-stop")
    wait_for_state(page, "stopped")
    page.locator("#tune-runs tbody tr").nth(1).click()
    page.wait_for_url(re.compile(f"run={first}"))
    wait_for_state(page, "running")
    page.click("#tune-stop")
    wait_for_state(page, "stopped")
    assert page.locator("#tune-resume").is_visible()


@pytest.mark.parametrize(
    ("tab", "note", "words"),
    [("epochs", "epochs-note", "cannot be shown"), ("tune", "tune-watch-note", "not found")],
)
def test_links_to_what_is_not_there_say_so(page, goto, finished, tab, note, words):
    goto(page, tab, run="20200101-000000-abcdef")
    page.locator(f"#{note}").get_by_text(words).first.wait_for()


def test_wide_and_dark(wide_page, goto, finished, tidy):
    goto(wide_page, "epochs", run=finished, epoch=1, __theme="dark")
    wide_page.locator("#epochs-cards .st-card").first.wait_for()
    wide_page.locator("#epochs-map .st-plot").first.wait_for()
    tidy(wide_page)
