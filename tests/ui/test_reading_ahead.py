"""What a link shows is made while its page is loaded, and is there when the page asks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from run_folders import make_run

from backend import store
from backend.errors import StudioError
from backend.store.shelf import SHELF
from iterit_ui import reading_ahead
from iterit_ui.curate import draw
from iterit_ui.curate.state import CurateState
from iterit_ui.shared.selections import SelectionView
from iterit_ui.shared.session import first_pool


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> str:
    return make_run(home)


def test_the_selection_of_a_link_is_made_once(home: Path, run: str) -> None:
    pool = store.run_info(home, run).pool_id
    link = {"tab": "curate", "pool": pool, "scores": f"{run}/0", "budget": "3"}
    SHELF.clear(SelectionView)
    assert reading_ahead.read_ahead(home, link)
    assert SHELF.count(SelectionView) == 1
    here = CurateState(pool=pool, scores=f"{run}/0", settings={"budget": 3.0})
    assert draw.all_values(home, draw.normalised(home, here))[2]["cards"]
    assert SHELF.count(SelectionView) == 1


def test_a_run_is_read(home: Path, run: str) -> None:
    assert reading_ahead.read_ahead(home, {"tab": "epochs", "run": run, "epoch": "1"})


@pytest.mark.parametrize("link", [{}, {"tab": "data"}, {"tab": "tune"}, {"tab": "<script>"}])
def test_other_links_have_nothing_that_takes_long(home: Path, link: dict[str, str]) -> None:
    assert not reading_ahead.read_ahead(home, link)


def test_the_first_selection_is_made_before_anybody_asks(home: Path) -> None:
    SHELF.clear(SelectionView)
    assert reading_ahead.read_ahead(home, {"tab": "curate"})
    assert SHELF.count(SelectionView) == 1
    here = draw.normalised(home, CurateState(pool=first_pool()))
    assert draw.all_values(home, here)[2]["cards"]
    assert SHELF.count(SelectionView) == 1


def test_two_links_at_a_time_and_what_is_not_there_is_left_to_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = [], threading.Event()
    began, done = threading.Semaphore(0), threading.Semaphore(0)

    def make(home: Path, query: dict[str, str]) -> bool:
        asked.append(query["pool"])
        began.release()
        assert go.wait(30)
        done.release()
        raise StudioError("there is no such pool")

    monkeypatch.setattr(reading_ahead, "read_ahead", make)
    start = reading_ahead.reader(tmp_path)
    for pool in ("first", "second"):
        start({"tab": "curate", "pool": pool})
        assert began.acquire(timeout=30)
    start({"tab": "curate", "pool": "third"})  # its page makes it
    go.set()
    assert done.acquire(timeout=30) and done.acquire(timeout=30)
    for thread in threading.enumerate():
        if thread.name == "reading ahead":
            thread.join(30)
    start({"tab": "curate", "pool": "fourth"})
    assert done.acquire(timeout=30)
    assert asked == ["first", "second", "fourth"]
