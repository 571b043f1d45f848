"""What was freed goes back to the system."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from iterit_ui.shared import freed_memory

# many small pieces, of which the last stays: without a trim the heap keeps what lies before it
FRAGMENTED = """
import json, psutil, time
from iterit_ui.shared import freed_memory
freed_memory.EVERY = 0.2
if {trims}:
    freed_memory.give_memory_back()
pieces = [bytes(10_000 + k % 7) for k in range(20_000)]
last = pieces[-1]
full = psutil.Process().memory_info().rss
del pieces
time.sleep(1.0)
print(json.dumps([full, psutil.Process().memory_info().rss]))
"""


@pytest.mark.skipif(freed_memory.heap() is None, reason="the system's heap is not glibc's")
def test_what_lies_free_between_small_pieces_goes_back() -> None:
    def left(trims: bool) -> float:
        done = subprocess.run(
            [sys.executable, "-c", FRAGMENTED.format(trims=trims)], capture_output=True, text=True, check=True
        )
        full, after = json.loads(done.stdout)
        return after / full

    assert left(True) < 0.5 < left(False)


def test_an_app_that_is_started_again_has_one_thread_for_it() -> None:
    freed_memory.give_memory_back()
    freed_memory.give_memory_back()
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("trim_forever") == (freed_memory.heap() is not None)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_memory, "heap", lambda: None)
    freed_memory.give_memory_back()
