"""Memory that the app no longer needs goes back to the system, where the system's heap is glibc's; elsewhere nothing is done.

Twenty visitors of 52,002 samples took a third more without the first part, and a tenth more without the second.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import threading
import time
from typing import Any

import psutil

EVERY = 1.0  # seconds
GROWN = 16 << 20  # bytes more than after the last time, from which on it is worth the 20 ms that it takes
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3


def give_memory_back() -> None:
    """Two heaps for all threads, not one for nearly each of the forty that answer; arrays of a megabyte and more go back to
    the system when they are freed, and what lies free between smaller ones does so from time to time."""
    library = heap()
    if library is None:
        return
    library.mallopt(M_ARENA_MAX, 2)
    library.mallopt(M_MMAP_THRESHOLD, 1 << 20)
    if not any(thread.name == trim_forever.__name__ for thread in threading.enumerate()):
        threading.Thread(
            target=trim_forever, args=(library,), name=trim_forever.__name__, daemon=True
        ).start()


@functools.cache
def heap() -> Any:
    """glibc, None where the system has another library."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        if all(hasattr(library, name) for name in ("mallopt", "malloc_trim")):
            return library
    return None


def trim_forever(library: Any) -> None:
    """Give back what lies free, again and again, where the app has grown."""
    process = psutil.Process()
    before = 0
    while True:
        if process.memory_info().rss > before + GROWN:
            library.malloc_trim(0)
            before = process.memory_info().rss
        time.sleep(EVERY)
