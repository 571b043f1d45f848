"""Compare in a browser: runs side by side, chosen in the table, labelled in place, deleted with a question."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import store
from tests.browser.conftest import serving
from tests.unit.compared import made_run, random_ladder, two_strategies
from tests.unit.searches import made_search
from tests.unit.studies import made_study

NAME = "<img src=x onerror=alert(1)> ${alert(2)}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with a comparison of two strategies and a random ladder, an older sensitivity study, a search for a budget
    that ended early, and two runs outside them: one failed, one was exported."""
    home = tmp_path_factory.mktemp("compared")
    made_search(
        home,
        lambda one: 2.0 + 0.1 * one.seed + 0.4 * (one.strategy != "full" and one.budget < 20),
        state=lambda one: "stopped" if one.strategy != "full" and one.budget < 10 else "done",
    )
    made_study(home, {"decay": [0.5]}, lambda one: 2.0 + 0.1 * one.seed + one.decay, references=["random"])
    ids = two_strategies(home) + random_ladder(home, {1: 3.0, 2: 2.5, 4: 2.0, 8: 1.5, 16: 1.0}, seeds=2)
    made = store.create_comparison(home, "two strategies")
    store.add_to_comparison(home, made, ids)
    made_run(home, (3.0,), strategy="diversity", state="failed", name="broken")
    exported = made_run(home, (3.0, 2.0, 1.9), strategy="longest", name=NAME)
    store.note_export(home, exported, 1, rows=4, file="/tmp/picked.jsonl", who="somebody")
    return home


@pytest.fixture(scope="module")
def app_url(home: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app over these runs."""
    with serving(home, data_root, tmp_path_factory.mktemp("compare-app")) as url:
        yield url


@pytest.fixture(scope="module")
def study(home: Path) -> str:
    """The id of the sensitivity study among them."""
    return next(info.id for info in store.comparisons(home) if info.kind == "sensitivity")


def rows(page):
    return page.locator("#compare-runs tbody tr")


def tick(page, words: str) -> None:
    rows(page).filter(has_text=words).locator("input[type=checkbox]").first.click()


def shows(page, elem_id: str, words: str) -> None:
    page.wait_for_function(
        "([id, words]) => document.querySelector(`#${id}`)?.innerText.includes(words)", arg=[elem_id, words]
    )


def test_the_newest_comparison_is_shown(new_page, goto, tidy_everywhere) -> None:
    page = goto(new_page(), "compare")
    shows(page, "compare-answer", "Lowest at the end: IterIT, 1.6100 ± 0.1100 (3 seeds)")
    shows(page, "compare-against", "lower, by more than the spread between seeds")
    page.locator("#compare-final .main-svg").first.wait_for()
    page.wait_for_url(lambda url: "comparison=c" in url)
    rows(page).first.wait_for()
    tidy_everywhere(page)
    # the same in another page, from the address alone
    other = new_page()
    other.goto(page.url)
    shows(other, "compare-answer", "Lowest at the end: IterIT")


def test_whether_selecting_is_worth_it(page, goto) -> None:
    goto(page, "compare")
    shows(page, "compare-worth", "IterIT ends where fresh random draws need 1.8 times the steps")
    page.locator("#compare-random-curve .main-svg").first.wait_for()
    shows(page, "compare-multipliers", "With scoring")
    # where there is no ladder, the page says which switch makes one
    page.locator("#compare-ladder-input").click()
    shows(page, "compare-plan", "are for the compute multiplier")
    rows(page).first.wait_for()
    tick(page, "onerror")
    page.locator("#compare-runs [data-act=compare]").click()
    shows(page, "compare-worth", "Compute multiplier")
    page.locator("#compare-random-curve").wait_for(state="hidden")


def test_runs_are_chosen_and_stay_in_the_address(page, goto) -> None:
    goto(page, "compare")
    rows(page).first.wait_for()
    tick(page, "onerror")
    tick(page, "broken")
    page.locator("#compare-runs [data-act=compare]").click()
    page.wait_for_url(lambda url: "runs=" in url)
    shows(page, "compare-note", "1 of 2 runs are not done")
    page.reload()
    shows(page, "compare-note", "1 of 2 runs are not done")
    shows(page, "compare-missing", "out of memory")
    page.locator("#compare-save-name :is(input, textarea)").fill("kept")
    page.locator("#compare-save").click()
    page.wait_for_url(lambda url: "comparison=c" in url)


def test_labels_are_written_in_their_cells(page, goto, home: Path) -> None:
    goto(page, "compare")
    rows(page).first.wait_for()
    broken = rows(page).filter(has_text="broken")
    broken.locator(".st-cell-edit").nth(1).click()
    page.keyboard.type("night, gpu")
    page.keyboard.press("Enter")
    shows(page, "compare-runs", "night, gpu")  # at once, before the run has it
    deadline = time.monotonic() + 60
    while (tags := next(info.tags for info in store.runs(home) if info.name == "broken")) != ("night", "gpu"):
        assert time.monotonic() < deadline, f"the run's tags are {tags}"
        page.wait_for_timeout(50)
    # Escape takes back what was typed
    broken.locator(".st-cell-edit").first.click()
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    shows(page, "compare-runs", "broken")
    page.locator("#compare-runs .st-search input").fill("gpu")
    page.locator("#compare-runs .st-search input").press("Enter")
    page.wait_for_function("document.querySelectorAll('#compare-runs tbody tr').length === 1")


def test_an_exported_run_is_asked_about_twice_and_comes_back(page, goto, home: Path) -> None:
    goto(page, "compare")
    rows(page).first.wait_for()
    tick(page, "onerror")
    page.locator("#compare-runs [data-act=delete]").click()
    shows(page, "compare-confirm", "Delete 1 run?")
    page.locator("#compare-yes").click()
    shows(page, "compare-confirm", "only record")
    assert any(info.name == NAME for info in store.runs(home))
    page.locator("#compare-yes").click()
    page.locator("#compare-confirm").wait_for(state="hidden")
    page.wait_for_function("!document.querySelector('#compare-runs tbody').innerText.includes('onerror')")
    assert not any(info.name == NAME for info in store.runs(home))
    page.locator("#compare-runs .st-filters button", has_text="Deleted").click()
    shows(page, "compare-runs", "onerror")
    tick(page, "onerror")
    page.locator("#compare-runs [data-act=restore]").click()
    shows(page, "compare-runs", "Nothing is deleted")
    assert any(info.name == NAME for info in store.runs(home))


def test_the_form_says_what_it_would_run(page, goto) -> None:
    goto(page, "compare")
    shows(page, "compare-plan", "7 strategies with 5 seeds: 35 runs")
    seeds = page.locator("#compare-seeds input")
    seeds.fill("x")
    shows(page, "compare-plan", "'x' is not a seed")
    assert page.locator("#compare-launch").is_disabled()
    seeds.fill("0")
    shows(page, "compare-plan", "With one seed there is no spread")


def test_a_study_is_drawn_first_and_its_form_says_what_is_wrong(
    new_page, goto, tidy_everywhere, study: str
) -> None:
    page = goto(new_page(), "compare", comparison=study)
    shows(page, "study-answer", "A difference from the base is shown for: diversity decay")
    page.locator("#study-figure .main-svg").first.wait_for()
    shows(page, "study-values", "the base")
    shows(page, "compare-strategies-table", "IterIT, decay 0.5")
    page.locator("#compare-final").wait_for(state="hidden")  # its figure says the same
    tidy_everywhere(page)
    page.locator("#compare-sensitivity button").first.click()
    decay = page.locator("#study-decay input")
    decay.fill("0, 5")
    shows(page, "study-plan", "Diversity decay is 5; allowed: 0 to 1")
    assert page.locator("#study-launch").is_disabled()
    decay.fill("0, 0.5")
    shows(page, "study-plan", "9 runs, one after the other")
    assert page.locator("#study-launch").inner_text() == "Queue 9 runs"


def test_a_search_for_a_budget_is_drawn_first_and_its_form_says_what_is_wrong(
    new_page, goto, tidy_everywhere, home: Path
) -> None:
    search = next(info.id for info in store.comparisons(home) if info.kind == "budget")
    page = goto(new_page(), "compare", comparison=search)
    shows(page, "search-answer", "20 samples an epoch do as well as the full pool")
    shows(
        page,
        "search-answer",
        "Ended early: 6 of 8 runs are done. 2 that could no longer change the verdict left the queue.",
    )
    page.locator("#search-figure .main-svg").first.wait_for()
    shows(page, "search-budgets", "2 taken out of the queue")
    page.locator("#compare-final").wait_for(state="hidden")  # its figure says the same
    page.locator("#compare-study").wait_for(state="hidden")
    tidy_everywhere(page)
    page.locator("#compare-smallest button").first.click()
    smallest = page.locator("#budget-smallest input")
    smallest.fill("90 %")
    shows(page, "budget-plan", "there is no budget to try")
    assert page.locator("#budget-launch").is_disabled()
