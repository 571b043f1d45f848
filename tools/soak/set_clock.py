"""A clock that can be set without touching the machine's: in a process, and in all that it starts.

`time.time`, `time.time_ns` and what psutil says of the machine's start, which Linux moves with the clock, are so many
seconds ahead as a file says, from one call to the next. What the system itself notes stays: the times of files.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.common import REPOSITORY

OFFSET = "ITERIT_SOAK_CLOCK"  # names the file


def install(offset: Path) -> None:
    """Have this process read its clock with the offset that a file holds; 0 where there is no file."""

    def ahead() -> float:
        with contextlib.suppress(OSError, ValueError):  # none yet, or just being written
            return float(offset.read_text(encoding="ascii"))
        return 0.0

    def moved(clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: clock() + ahead()

    nanoseconds = time.time_ns
    time.time = moved(time.time)
    time.time_ns = lambda: nanoseconds() + int(1e9 * ahead())
    psutil._psplatform.boot_time = moved(psutil._psplatform.boot_time)


@contextlib.contextmanager
def settable_clock() -> Iterator[Callable[[float], None]]:
    """Within the block this process and those it starts have a clock that can be set: gives what sets it, to so many
    seconds ahead of the machine's."""
    before = time.time, time.time_ns, psutil._psplatform.boot_time
    known = {name: os.environ.get(name) for name in ("PYTHONPATH", OFFSET)}
    with tempfile.TemporaryDirectory(prefix="iterit-clock-") as folder:
        offset = Path(folder) / "offset"
        (Path(folder) / "sitecustomize.py").write_text(
            f"import os\nfrom pathlib import Path\nfrom tools.soak.set_clock import install\ninstall(Path(os.environ[{OFFSET!r}]))\n"
        )
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, (folder, str(REPOSITORY), known["PYTHONPATH"]))
        )
        os.environ[OFFSET] = str(offset)
        install(offset)

        def set_to(seconds: float) -> None:
            fresh = offset.with_suffix(".new")
            fresh.write_text(str(seconds), encoding="ascii")
            fresh.replace(offset)

        try:
            yield set_to
        finally:
            time.time, time.time_ns, psutil._psplatform.boot_time = before
            for name, value in known.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
