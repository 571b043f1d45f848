"""Many visitors of one app at once: what they wait for, what goes wrong, and how much memory the app takes.

One page in Chromium is opened and used, and what it sends is written down. Each visitor is a thread that sends the same
under a session of its own, with values of its own, and pauses between two acts as a person does. Some are pages of
Chromium instead, which draw what they are answered.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from pathlib import Path

import numpy as np
import psutil

from backend.config import config_from
from backend.errors import RunError
from backend.jobs import lifecycle, run_launch
from benchmarks import ui
from benchmarks.common import pool_input
from tools.soak.people import NAMES, begin, opened, waits
from tools.soak.visitors import REDRAWS, Told, let_in, recorded


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--clients", type=int, default=20, help="visitors at once (default 20)")
    parser.add_argument("--minutes", type=float, default=10, help="how long they stay (default 10)")
    parser.add_argument(
        "--pause", type=float, default=8, help="mean seconds between two acts of a visitor (default 8)"
    )
    parser.add_argument(
        "--browsers", type=int, default=2, help="pages of Chromium that act among them (default 2)"
    )
    parser.add_argument("--train", action="store_true", help="a run of the demo trains meanwhile")
    parser.add_argument("--runs-dir", type=Path, help="folder to keep the pool, its map and the run in")


def run(options: argparse.Namespace) -> int:
    """Let the visitors in; 1 where one of them met an error or the log has a traceback."""
    with ui.kept_home(options.runs_dir) as home:
        pool, scores = ui.prepared(home, pool_input(options.pool))
        log = home / "app.log"
        with log.open("w") as out, ui.running(home, log=out) as (url, _):
            (app,) = (child for child in psutil.Process().children() if "app.py" in " ".join(child.cmdline()))
            with ui.browser_page() as page:
                script = recorded(page, home, url, pool, scores)
                pages = [page, *(page.context.browser.new_page() for _ in range(options.browsers - 1))]
                pages = pages[: options.browsers]
                told, memory = Told(), []
                for nth, one in enumerate(pages):
                    one.on("pageerror", lambda error: told.errors.update([f"in a page: {error}"]))
                    opened(
                        one, f"{url}/?tab=curate&pool={pool.id}&scores={scores}/0", NAMES[nth % len(NAMES)]
                    )
                job = started(home) if options.train else ""
                visitors = let_in(
                    url,
                    script,
                    pool,
                    clients=options.clients - len(pages),
                    seconds=60 * options.minutes,
                    pause=options.pause,
                    seed=options.seed,
                    told=told,
                )
                for nth, one in enumerate(pages):
                    begin(one, 100_000, 1000 * options.pause, random.Random(f"{options.seed}-{nth}"))
                while any(visitor.is_alive() for visitor in visitors):
                    memory.append((time.monotonic(), app.memory_info().rss / 2**20))
                    page.wait_for_timeout(1000)
                for one in pages:
                    for kind, seconds in waits(one):
                        told.seconds[f"in a page: {kind}"].append(seconds)
            if job:
                with contextlib.suppress(RunError):  # it is done already
                    lifecycle.kill(home, job)
        tracebacks = log.read_text().count("Traceback")
    report(told, memory, tracebacks, options)
    return int(bool(told.errors or tracebacks))


def started(home: Path) -> str:
    """A run of the demo that trains for longer than visitors stay."""
    config = config_from({"pool": ("demo",), "model": "demo", "epochs": 40, "make_map": False}, preset="demo")
    return run_launch.launch(home, config)


def report(
    told: Told, memory: list[tuple[float, float]], tracebacks: int, options: argparse.Namespace
) -> None:
    """Print what was waited for, what went wrong and the memory by minute."""
    print(f"{options.clients} visitors, {options.minutes:g} minutes, {options.pool}{', a run trains meanwhile' if options.train else ''}\n")  # fmt: skip
    print(f"{'act':<18}{'times':>8}{'median ms':>11}{'p95 ms':>9}{'max ms':>9}")
    shown = {**told.seconds, "all redraws": [s for name in REDRAWS for s in told.seconds[name]]}
    for name, seconds in shown.items():
        if seconds:
            ms = 1000 * np.array(seconds)
            print(
                f"{name:<18}{len(ms):>8}{np.median(ms):>11.0f}{np.quantile(ms, 0.95):>9.0f}{ms.max():>9.0f}"
            )
    print(f"\nerrors: {sum(told.errors.values())}; tracebacks in the app's log: {tracebacks}")
    for text, count in told.errors.most_common(10):
        print(f"  {count} x {text}")
    begun = memory[0][0]
    minutes: dict[int, float] = {}
    for at, mb in memory:
        minutes[int((at - begun) // 60)] = max(mb, minutes.get(int((at - begun) // 60), 0.0))
    print(f"memory of the app, MB: {memory[0][1]:.0f} at first; the most in each minute: " + ", ".join(f"{mb:.0f}" for mb in minutes.values()))  # fmt: skip
