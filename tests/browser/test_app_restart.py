"""A run goes on while the app is ended and started again, and the page shows it as before."""

from __future__ import annotations

from backend import store
from backend.config import config_from
from backend.jobs import lifecycle
from tests.browser.conftest import serving

RUN = 600_000  # ms; scoring and training on a busy machine


def state_is(page, words: str) -> None:
    page.wait_for_function(
        "words => new RegExp(`^(${words})$`).test(document.querySelector('#tune-status .st-state')?.textContent || '')",
        arg=words,
        timeout=RUN,
    )


def test_the_app_is_restarted_while_a_run_is_going(browser, tmp_path):
    home, data = tmp_path / "runs", tmp_path / "data"
    data.mkdir()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    with serving(home, data, tmp_path / "first") as url:
        page.goto(f"{url}/?tab=tune")
        page.wait_for_function(
            "document.querySelector('#tune-command textarea')?.value.includes('backend tune')"
        )
        page.locator("#tune-budget input").fill("24")
        page.locator("#tune-epochs input").fill("1")
        page.evaluate("document.querySelector('#tune-make-map input').click()")  # off
        page.wait_for_function(
            "document.querySelector('#tune-command textarea').value.includes('--epochs 1') && document.querySelector('#tune-command textarea').value.includes('--no-make-map') && !document.querySelector('#tune-launch').disabled"
        )
        page.click("#tune-launch")
        state_is(page, "running")
        (run,) = store.runs(home)
    # the app is gone, and its worker is not
    assert store.run_info(home, run.id).state == "running"
    assert lifecycle.alive(store.run_info(home, run.id))
    with serving(home, data, tmp_path / "second") as url:
        page.goto(f"{url}/?tab=tune&run={run.id}")
        state_is(page, "running|done")
        state_is(page, "done")
        assert page.locator("#tune-status .st-timeline td").count() >= 10
    info = store.run_info(home, run.id)
    assert (info.state, info.attempt) == ("done", 1)
    assert store.read_config(home, run.id) == config_from(
        {"pool": ("demo",), "model": "demo", "budget": 24, "epochs": 1, "make_map": False}, preset="demo"
    )
    context.close()
