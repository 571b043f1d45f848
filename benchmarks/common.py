"""What every benchmark needs: a clock, the machine it ran on, and the pools it reads."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

REPOSITORY = Path(__file__).parent.parent
SHARED = Path(os.environ.get("ITERIT_SHARED", REPOSITORY.parent / "shared"))
POOLS = {"pool_52k": "data/pool_52k.parquet", "pool_small": "data/pool_small.json"}


class NotRun(Exception):
    """A benchmark that cannot be run here; the message says what it lacks."""


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` returns, and the seconds it took."""
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def pool_input(name: str) -> str:
    """What `load_pool` reads for a benchmark's pool: a shared pool by name, "demo", or a file.

    Raises
    ------
    NotRun : a shared pool that is not there.
    """
    if name not in POOLS:
        return name
    path = SHARED / POOLS[name]
    if not path.is_file():
        raise NotRun(f"{path} is not there (ITERIT_SHARED names the folder; --pool takes any other pool)")
    return str(path)


def machine() -> dict[str, str | int | float]:
    """Where and when: processor, cores, memory, versions, and how busy the machine was beforehand."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gib": _memory_gib(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "torch")),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
