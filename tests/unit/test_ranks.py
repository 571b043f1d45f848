"""A process of several ends."""

from __future__ import annotations

import subprocess
import sys

LEAVES = """
import atexit, logging, sys
from backend.distributed.ranks import leave

logging.basicConfig(stream=sys.stderr, format="%(message)s")
atexit.register(print, "Python takes itself down")
logging.warning("said")
sys.stdout.write("written")  # and not flushed: nothing but `leave` brings it out
leave({code})
"""


def test_leaving_says_everything_and_nothing_is_taken_down() -> None:
    for code in (0, 3):
        done = subprocess.run(
            [sys.executable, "-c", LEAVES.format(code=code)], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (code, "written", "said\n")
