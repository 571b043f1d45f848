"""What a link shows, made while the browser that opened it still loads the page: then the page's first question is answered
from memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import store
from backend.errors import StudioError
from iterit_ui.curate import draw as curate
from iterit_ui.curate.state import CurateState
from iterit_ui.epochs import draw as epochs
from iterit_ui.epochs.state import EpochsState
from iterit_ui.shared import address
from iterit_ui.shared.map_functions import drawn_points
from iterit_ui.shared.session import first_pool


def reader(home: Path) -> Callable[[dict[str, str]], None]:
    """A function of a link's query parameters that reads ahead in a thread of its own; two links at a time, others are left
    to their pages."""
    free = threading.BoundedSemaphore(2)

    def work(query: dict[str, str]) -> None:
        try:
            read_ahead(home, query)
        except StudioError:
            return  # the page asks for the same, and says what is wrong with it
        finally:
            free.release()

    def start(query: dict[str, str]) -> None:
        if query.get("tab") in MADE and free.acquire(blocking=False):
            threading.Thread(target=work, args=(query,), name="reading ahead", daemon=True).start()

    return start


def read_ahead(home: Path, query: dict[str, str]) -> bool:
    """Make what a link's first screen shows, so that it is kept; False where its screen has nothing that takes long.

    Raises
    ------
    StudioError : it names what is not there.
    """
    view = address.read(query)
    make = MADE.get(view["tab"])
    if make is None:
        return False
    with store.read_together(home):
        make(home, view)
    return True


def _curate(home: Path, view: dict[str, Any]) -> None:
    if not view["pool"]:
        curate.all_values(home, CurateState(pool=first_pool()))
        return
    pool = store.root_of(home, view["pool"])
    asked = {name: view[name] for name in ("scores", "sample", "filter", "view", "settings")}
    curate.all_values(home, CurateState(pool=pool, **asked))
    drawn_points(home, pool)
    curate.trade_offs(home, pool, view["scores"], view["settings"])


def _epochs(home: Path, view: dict[str, Any]) -> None:
    asked = EpochsState(run=view["run"], epoch=view["epoch"], sample=view["sample"])
    epochs.all_values(home, epochs.normalised(home, asked))


MADE: dict[str, Callable[[Path, dict[str, Any]], None]] = {"curate": _curate, "epochs": _epochs}
"""For each tab that takes long to compute: the function that computes its first screen from the parsed link."""
