"""A daily copy of the database, made while the app is open."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from backend import store
from backend.errors import StudioError

LOOK_SECONDS = 600.0


def copy_daily(home: Path) -> None:
    """Start the thread that does so, where none does for this folder."""
    name = f"daily copy of {home}"
    if not any(thread.name == name for thread in threading.enumerate()):
        threading.Thread(target=_copy_forever, args=(home,), name=name, daemon=True).start()


def _copy_forever(home: Path) -> None:
    while True:
        try:
            store.keep_copy(home)
        except StudioError:
            return  # a newer version's database: every page says so
        time.sleep(LOOK_SECONDS)
