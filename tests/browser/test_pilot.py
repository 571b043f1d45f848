"""Try before you launch, in a browser: a pilot is queued from the Tune form, its verdict comes as its runs end, and is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A runs folder in which a run is at work, by the process of this test, so that nothing that is queued starts."""
    pool = load_pool(["demo"])
    store.save_pool(tmp_path, pool)
    config = config_from({"pool": ("demo",), "model": "demo", "name": "at work", "make_map": False})
    run = store.create_run(tmp_path, config, pool)
    host, pid = processes.this_host(), os.getpid()
    store.claim_next(tmp_path, host)
    store.set_process(tmp_path, run, host=host, pid=pid, process_started=processes.start_time(pid))
    return tmp_path


@pytest.fixture
def app_url(home: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app over this folder."""
    with serving(home, data_root, tmp_path_factory.mktemp("pilot-app")) as url:
        yield url


def shows(page, elem_id: str, words: str) -> None:
    page.wait_for_function(
        "([id, words]) => document.querySelector(`#${id}`)?.innerText.includes(words)", arg=[elem_id, words]
    )


def end(home: Path, runs: tuple[str, ...]) -> None:
    """These runs are done, with losses by strategy."""
    for run in runs:
        config = store.read_config(home, run)
        for epoch, loss in enumerate((2.5, LOSSES[config.strategy] + 0.001 * config.seed)):
            store.append_metrics(
                home, run, Metrics(9 * epoch, float(epoch), held_out=loss, held_out_epoch=epoch)
            )
        store.set_state(home, run, "done")


def test_a_pilot_from_the_form_to_its_verdict(page, goto, reload, home: Path) -> None:
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
    reload(page)  # fold, what was asked for and the newest pilot are there again
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
    shows(page, "compare-answer", "Lowest at the end: diversity")
