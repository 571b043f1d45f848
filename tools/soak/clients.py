"""Many visitors of one app at once: what they wait for, what goes wrong, and how much memory the app takes.

One page in Chromium is opened and used, and what it sends is written down. Each visitor is a thread that sends the same
under a session of its own, with values of its own, and pauses between two acts as a person does.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from backend import store
from backend.config import config_from
from backend.errors import RunError
from backend.jobs import lifecycle, run_launch
from backend.records import Pool
from benchmarks import ui
from benchmarks.common import NotRun, pool_input

LOOK_SECONDS = 1.0  # between two looks at what others have changed, as the page does it (watcher.js)
LOOK_PATIENCE = 10  # or so many times as long as the last look took,
LOOK_LONGEST = 4.0  # but no longer than this
ACTS = {
    "budget": ui.SLIDE % 7.5,
    "search": ui.SEARCH % "the",
    "row": ui.ROW % ("curate", 3),
    "page": "document.querySelector('#curate-table [aria-label=\"next page\"]').click()",
    "pin": ui.KEY % "p",
    "undo": ui.KEY % "z",
}
REDRAWS = ("budget", "search", "page")  # of these a person waits for a picture


@dataclass
class Sent:
    """One request: path with query, and its body."""

    path: str
    body: dict[str, Any]


@dataclass
class Script:
    """What a page sends.

    opening : in order. acts : by name, the first request being the one that is waited for.
    look : what asks whether something was changed elsewhere. seen : what follows where something was.
    """

    opening: list[Sent]
    acts: dict[str, list[Sent]]
    look: Sent
    seen: list[Sent]


@dataclass
class Told:
    """What the visitors saw. seconds: by act. errors: in words. Guarded by `lock`."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--clients", type=int, default=20, help="visitors at once (default 20)")
    parser.add_argument("--minutes", type=float, default=10, help="how long they stay (default 10)")
    parser.add_argument(
        "--pause", type=float, default=8, help="mean seconds between two acts of a visitor (default 8)"
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
            script = recorded(home, url, pool, scores)
            job = started(home) if options.train else ""
            told, memory, words = Told(), [], ui.search_words(pool)
            until = time.monotonic() + 60 * options.minutes
            visitors = [
                threading.Thread(
                    target=visit,
                    args=(
                        url,
                        script,
                        pool,
                        words,
                        random.Random(1000 * options.seed + k),
                        until,
                        options.pause,
                        told,
                    ),
                )
                for k in range(options.clients)
            ]
            for visitor in visitors:
                visitor.start()
            while any(visitor.is_alive() for visitor in visitors):
                memory.append((time.monotonic(), app.memory_info().rss / 2**20))
                time.sleep(1)
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


def recorded(home: Path, url: str, pool: Pool, scores: str) -> Script:
    """What one page sends for being opened on Curate, and for each act."""
    sent: list[Sent] = []
    looks: list[Sent] = []

    def write_down(request: Any) -> None:
        if request.method == "POST" and "/gradio_api/" in request.url and "/upload" not in request.url:
            body = json.loads(request.post_data or "{}")
            (looks if body.get("fn_name") == "look" else sent).append(
                Sent(request.url.removeprefix(url), body)
            )

    with ui.browser_page() as page:
        page.on("request", write_down)
        page.goto(f"{url}/?tab=curate&pool={pool.id}&scores={scores}/0")
        page.locator("#curate-cards .st-unit", has_text=f"of {len(pool):,}").first.wait_for()
        page.locator("#curate-table tbody tr").nth(3).wait_for()
        page.wait_for_timeout(4000)
        opening, acts = list(sent), {}
        for name, act in ACTS.items():
            sent.clear()
            page.evaluate(f"() => {{ {act} }}")
            page.wait_for_timeout(2500)
            if not sent:
                raise NotRun(f"the page sends nothing for {name}")
            acts[name] = list(sent)
        sent.clear()
        store.set_mark(home, pool.id, [str(pool.ids[-1])], "excluded", "somebody else")
        page.wait_for_timeout(4000)
        store.undo(home, pool.id, "somebody else")
        seen = list(sent)
    return Script(opening, acts, looks[-1], seen)


def visit(
    url: str,
    script: Script,
    pool: Pool,
    words: list[str],
    rng: random.Random,
    until: float,
    pause: float,
    told: Told,
) -> None:
    """One visitor: open the page, then act until the time is up."""
    session = f"{rng.getrandbits(50):x}"
    time.sleep(pause * rng.random())
    with httpx.Client(base_url=url, timeout=120) as client:

        def send(one: Sent, event: Any = None) -> None:
            body = {**one.body, "session_hash": session}
            if event is not None:
                body["event_data"] = event
            answer = client.post(one.path, json=body)
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.status_code} {answer.text[:120]}")
            if "/queue/join" in one.path:
                finish(client, session)

        def timed(name: str, requests: list[Sent], event: Any = None) -> None:
            began = time.monotonic()
            try:
                send(requests[0], event)
                with told.lock:
                    told.seconds[name].append(time.monotonic() - began)
                for one in requests[1:]:
                    send(one)
            except (httpx.HTTPError, RuntimeError, ValueError) as error:
                with told.lock:
                    told.errors[
                        f"{name}: {type(error).__name__} {re.sub('[0-9a-f]{8,}', '', str(error))[:160]}"
                    ] += 1

        def look(known: str) -> tuple[str, float]:
            """Look whether others have changed something, and draw what they have; when to look again."""
            began = time.monotonic()
            answer = client.post(script.look.path, json={**script.look.body, "session_hash": session})
            took = time.monotonic() - began
            found = answer.json() if answer.status_code == 200 else {}
            stamp = str((found.get("stamps") or {}).get("watch", ""))
            with told.lock:
                told.seconds["look"].append(took)
                if not stamp:
                    told.errors[f"look: {answer.status_code} {answer.text[:120]}"] += 1
            if known and stamp and stamp != known:
                timed("what others did", script.seen)
            return stamp or known, time.monotonic() + max(
                LOOK_SECONDS, min(LOOK_LONGEST, LOOK_PATIENCE * took)
            )

        began = time.monotonic()
        for one in script.opening:
            timed("open", [one])
        with told.lock:
            told.seconds["the whole page"].append(time.monotonic() - began)
        known, again = look("")
        for nth in itertools.count(1):
            if time.monotonic() > until:
                return
            name = rng.choices(list(script.acts), weights=[4, 2, 4, 2, 1, 1])[0]
            event = dict(script.acts[name][0].body.get("event_data") or {})
            if name == "budget":
                event |= {"value": round(rng.uniform(0.01, 0.3), 3), "seq": nth}
            elif name == "search":
                event |= {"text": rng.choice(words)}
            elif name == "row":
                event |= {"id": str(pool.ids[rng.randrange(len(pool))]), "nth": nth}
            timed(name, script.acts[name], event)
            then = time.monotonic() + rng.expovariate(1 / pause)
            while (now := time.monotonic()) < then:
                if now >= again:
                    known, again = look(known)
                else:
                    time.sleep(max(0.0, min(then, again) - now))


def finish(client: httpx.Client, session: str) -> None:
    """Listen until what stands in the queue for a session is done."""
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream.iter_lines():
            if not line.startswith("data:"):
                continue
            message = json.loads(line[5:])
            if message.get("msg") == "process_completed" and not message.get("success", True):
                raise RuntimeError(f"the queue: {message.get('output')}")
            if message.get("msg") == "close_stream":
                return


def report(
    told: Told, memory: list[tuple[float, float]], tracebacks: int, options: argparse.Namespace
) -> None:
    """Print what was waited for, what went wrong and the memory by minute."""
    print(f"{options.clients} visitors, {options.minutes:g} minutes, {options.pool}{', a run trains meanwhile' if options.train else ''}\n")  # fmt: skip
    print(f"{'act':<16}{'times':>8}{'median ms':>11}{'p95 ms':>9}{'max ms':>9}")
    shown = {**told.seconds, "all redraws": [s for name in REDRAWS for s in told.seconds[name]]}
    for name, seconds in shown.items():
        if seconds:
            ms = 1000 * np.array(seconds)
            print(
                f"{name:<16}{len(ms):>8}{np.median(ms):>11.0f}{np.quantile(ms, 0.95):>9.0f}{ms.max():>9.0f}"
            )
    print(f"\nerrors: {sum(told.errors.values())}; tracebacks in the app's log: {tracebacks}")
    for text, count in told.errors.most_common(10):
        print(f"  {count} x {text}")
    begun = memory[0][0]
    minutes: dict[int, float] = {}
    for at, mb in memory:
        minutes[int((at - begun) // 60)] = max(mb, minutes.get(int((at - begun) // 60), 0.0))
    print(f"memory of the app, MB: {memory[0][1]:.0f} at first; the most in each minute: " + ", ".join(f"{mb:.0f}" for mb in minutes.values()))  # fmt: skip
