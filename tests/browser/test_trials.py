"""Trials before a long run, in a browser: each is queued from its form, and its verdict comes as the runs end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from backend import store
from backend.config import config_from
from backend.data import load_pool
from backend.jobs import processes
from backend.records import Metrics
from tests.browser.conftest import serving

LOSSES = {
    "iterit": 2.4,
    "iterit-cumulative": 2.35,
    "diversity": 2.1,
    "random": 2.3,
    "random-each-epoch": 2.31,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder in which a run is at work, by the process of these tests, so that nothing that is queued starts."""
    tmp_path = tmp_path_factory.mktemp("trials")
    pool = load_pool(["demo"])
    store.save_pool(tmp_path, pool)
    config = config_from({"pool": ("demo",), "model": "demo", "name": "at work", "make_map": False})
    run = store.create_run(tmp_path, config, pool)
    host, pid = processes.this_host(), os.getpid()
    store.claim_next(tmp_path, host)
    store.set_process(tmp_path, run, host=host, pid=pid, process_started=processes.start_time(pid))
    return tmp_path


@pytest.fixture(scope="module")
def app_url(home: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app over this folder."""
    with serving(home, data_root, tmp_path_factory.mktemp("trials-app")) as url:
        yield url


def shows(page, elem_id: str, words: str) -> None:
    page.wait_for_function(
        "([id, words]) => document.querySelector(`#${id}`)?.innerText.includes(words)", arg=[elem_id, words]
    )


def end(home: Path, runs: Sequence[str], losses: Mapping[str, float] = LOSSES) -> None:
    """These runs are done, with losses by strategy."""
    for run in runs:
        config = store.read_config(home, run)
        for epoch, loss in enumerate((2.5, losses[config.strategy] + 0.001 * config.seed)):
            store.append_metrics(
                home, run, Metrics(9 * epoch, float(epoch), held_out=loss, held_out_epoch=epoch)
            )
        store.set_state(home, run, "done")


def test_a_pilot_from_the_form_to_its_verdict(page, goto, home: Path) -> None:
    goto(page, "tune")
    page.locator("#tune-epochs input").fill("1")
    page.locator("#tune-pilot > summary").click()
    shows(page, "tune-pilot-plan", "Each trains 7 of the run's 28 steps")
    button, share = page.locator("#tune-pilot-queue"), page.locator("#tune-pilot-share input")
    share.fill("0")
    shows(page, "tune-pilot-plan", "Share is 0; a pilot takes 0.05 to 1")
    assert button.is_disabled() and page.locator("#tune-launch").is_enabled()
    share.fill("0.5")
    page.locator("#tune-pilot-seeds input").fill("x")
    shows(page, "tune-pilot-plan", "'x' is not a seed")
    page.locator("#tune-pilot-seeds input").fill("0-1")
    page.locator("#tune-pilot-strategies").get_by_text("Diversity alone", exact=True).click()
    shows(page, "tune-pilot-plan", "10 runs, one after the other")
    page.locator("#tune-pilot-queue:not([disabled])").click()
    shows(page, "tune-pilot-message", "10 runs queued")
    shows(page, "tune-pilot-newest", "0 of 10 runs are done.")
    shows(page, "tune-queue", "pilot diversity seed 0")
    (info,) = store.comparisons(home)
    assert info.kind == "pilot" and {store.run_info(home, run).state for run in info.runs} == {"queued"}

    end(home, info.runs[:3])
    shows(page, "tune-pilot-newest", "3 of 10 runs are done.")  # by itself
    page.reload()  # fold, what was asked for and the newest pilot are there again
    shows(page, "tune-pilot-newest", "3 of 10 runs are done.")
    assert share.input_value() == "0.5"
    end(home, info.runs)
    shows(page, "tune-pilot-newest", "Launch “Diversity alone”: it ended 0.2100 below")

    page.locator("#tune-pilot-newest button", has_text="Use this strategy").click()
    page.wait_for_function(
        "document.querySelector('#tune-command textarea').value.includes('--strategy diversity')"
    )
    assert page.locator("#tune-strategy select").input_value() == "diversity"
    page.locator("#tune-pilot-newest button", has_text="See it on Compare").click()
    page.wait_for_url(lambda url: f"comparison={info.id}" in url and "tab=compare" in url)
    shows(page, "compare-answer", "Lowest at the end: Diversity alone")


def test_a_search_for_a_budget_ends_early_by_itself(page, goto, home: Path) -> None:
    goto(page, "compare")
    page.locator("#compare-smallest button").first.click()
    page.locator("#budget-smallest input").fill("10 %")
    page.locator("#budget-epochs input").fill("1")
    shows(
        page, "budget-plan", "The full pool, then 1,100, 550 and 275 samples an epoch, with 2 seeds: 8 runs"
    )
    shows(page, "budget-plan", "At most 1,034 optimizer steps in all, 550 of them on the full pool.")
    page.locator("#budget-launch:not([disabled])").click()
    shows(page, "budget-plan", "8 runs queued")
    shows(page, "search-answer", "Still running: 0 of 8 runs are done. 8 are queued.")
    info = store.comparisons(home)[0]
    assert info.kind == "budget"
    page.wait_for_url(lambda url: f"comparison={info.id}" in url)

    end(home, info.runs[:4], {"full": 2.0, "iterit": 2.0})
    shows(page, "search-answer", "1,100 samples an epoch do as well as the full pool, so far")
    end(home, info.runs[4:6], {"iterit": 2.4})  # 550 samples are too few: nobody needs the two runs of 275
    shows(
        page,
        "search-answer",
        "Ended early: 6 of 8 runs are done. 2 that could no longer change the verdict left the queue.",
    )
    shows(page, "search-budgets", "2 taken out of the queue")
    assert [store.run_info(home, run).state for run in info.runs[6:]] == ["stopped", "stopped"]
