"""What a page sends, written down once, and visitors who send it: each a thread with a session and values of its own."""

from __future__ import annotations

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

from backend import store
from backend.records import Pool
from benchmarks import ui
from benchmarks.common import NotRun

LOOK_SECONDS = 1.0  # between two looks at what others have changed, as the page does it (watcher.js)
LOOK_PATIENCE = 10  # or so many times as long as the last look took,
LOOK_LONGEST = 4.0  # but no longer than this
BEGINS_WITHIN = 20.0  # seconds until a page has sent something for an act
ACTS = {
    "budget": ui.SLIDE % 7.5,
    "search": ui.SEARCH % "the",
    "row": ui.ROW % ("curate", 3),
    "page": "document.querySelector('#curate-table [aria-label=\"next page\"]').click()",
    "pin": ui.KEY % "p",
    "undo": ui.KEY % "z",
}
ACT_WEIGHTS = (4, 2, 4, 2, 1, 1)
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


def recorded(page: Any, home: Path, url: str, pool: Pool, scores: str, *, rest: float = 2.5) -> Script:
    """What a page of Playwright's sends for being opened on Curate, and for each act.

    rest : seconds without a request after which an act has come to its end.

    Raises
    ------
    NotRun : the page sends nothing for an act.
    """
    sent: list[Sent] = []
    looks: list[Sent] = []

    def write_down(request: Any) -> None:
        if request.method == "POST" and "/gradio_api/" in request.url and "/upload" not in request.url:
            body = json.loads(request.post_data or "{}")
            (looks if body.get("fn_name") == "look" else sent).append(
                Sent(request.url.removeprefix(url), body)
            )

    def sent_for(name: str) -> list[Sent]:
        until = time.monotonic() + BEGINS_WITHIN
        while not sent:
            if time.monotonic() > until:
                raise NotRun(f"the page sends nothing for {name}")
            page.wait_for_timeout(50)
        known = 0
        while known < len(sent):
            known = len(sent)
            page.wait_for_timeout(1000 * rest)
        found = list(sent)
        sent.clear()
        return found

    page.on("request", write_down)
    page.goto(f"{url}/?tab=curate&pool={pool.id}&scores={scores}/0")
    page.locator("#curate-cards .st-unit", has_text=f"of {len(pool):,}").first.wait_for()
    page.locator("#curate-table tbody tr").nth(3).wait_for()
    opening, acts = sent_for("being opened"), {}
    for name, act in ACTS.items():
        page.evaluate(f"() => {{ {act} }}")
        acts[name] = sent_for(name)
    store.set_mark(home, pool.id, [str(pool.ids[-1])], "excluded", "somebody else")
    seen = sent_for("what others did")
    store.undo(home, pool.id, "somebody else")
    page.remove_listener("request", write_down)
    return Script(opening, acts, looks[-1], seen)


def let_in(
    url: str, script: Script, pool: Pool, *, clients: int, seconds: float, pause: float, seed: int, told: Told
) -> list[threading.Thread]:
    """Visitors who come within one pause, and act for so many seconds, but each until it has done every act; `told` gets what
    they see.

    pause : mean seconds between two acts of a visitor.
    """
    words, until = ui.search_words(pool), time.monotonic() + seconds
    visitors = [
        threading.Thread(
            target=visit,
            args=(url, script, pool, words, random.Random(1000 * seed + k), until, pause, told),
        )
        for k in range(clients)
    ]
    for visitor in visitors:
        visitor.start()
    return visitors


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
    """One visitor: open the page, do each act once, then any of them until the time is up."""
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
        each = rng.sample(list(script.acts), len(script.acts))
        for nth in itertools.count(1):
            if nth > len(each) and time.monotonic() > until:
                return
            name = each[nth - 1] if nth <= len(each) else rng.choices(list(script.acts), ACT_WEIGHTS)[0]
            event = dict(script.acts[name][0].body.get("event_data") or {})
            if name == "budget":
                event |= {"value": round(rng.uniform(0.01, 0.3), 3), "seq": nth}
            elif name == "search":
                event |= {"text": rng.choice(words)}
            elif name == "row":
                event |= {"id": str(pool.ids[rng.randrange(len(pool))])}
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
