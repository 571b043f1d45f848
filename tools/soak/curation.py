"""Three people who mark samples of one pool at once, each with undo and redo, in pages of Chromium: what they see in the end.

Each page acts by itself, at moments and on samples that are drawn: it opens a sample, pins, excludes or unmarks it by the
buttons beside it, and presses the keys of undo and redo (`people`). What it asks the browser to send is written down: the order of a
person's acts.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend import data, store
from backend.store import curation_revision
from benchmarks import ui
from tools.soak.orders import Act, Effect, effects, moments, note_order, unexplained
from tools.soak.people import NAMES, begin, opened

KINDS = {"pin": "pinned", "exclude": "excluded", "unmark": "clear", "undo": "undo", "redo": "redo"}
REST_SECONDS = 60.0  # until all pages show the same, after the last act
QUIET_SECONDS = 3.0  # for which nothing changes then

# runs in a page: writes down the acts that its scripts send, as they send them and before anything orders them
WRITE_DOWN = """(kinds) => {
  const names = Object.fromEntries(window.gradio_config.dependencies.map((one) => [one.id, (one.targets[0] || [])[1]]));
  const fetched = window.fetch;
  window.actsSent = [];
  window.fetch = function fetch(resource, options) {
    if (typeof options?.body === 'string' && String(resource?.url ?? resource).includes('/gradio_api/')) {
      const {fn_index, event_data} = JSON.parse(options.body);
      const kind = kinds[names[fn_index]];
      if (kind) window.actsSent.push([kind, ['undo', 'redo'].includes(kind) ? '' : String(event_data.id)]);
    }
    return fetched.call(this, resource, options);
  };
}"""

# what a page shows of marks, and of what follows from them
SHOWN = """() => ({
  rows: [...document.querySelectorAll('#curate-table tbody tr')].map((row) => [row.dataset.key.slice(4), row.classList.contains('excluded'), row.innerText.trim()]),
  marks: document.querySelector('#curate-tools')?.innerText.trim(),
  // but for what each page changed last
  cards: [...document.querySelectorAll('#curate-cards .st-card:not([data-label="Last change"])')].map((card) => card.innerText),
  busy: document.body.classList.contains('awaiting') || !window.actsDone,
})"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--pages", type=int, default=3, help="people at once, up to 5 (default 3)")
    parser.add_argument("--acts", type=int, default=60, help="acts of each (default 60)")
    parser.add_argument(
        "--pause", type=float, default=600, help="mean milliseconds between two acts (default 600)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often, each on a new runs folder (default 3)"
    )
    parser.add_argument(
        "--hasty", action="store_true", help="nobody waits for the answer to an act before the next one"
    )


def run(options: argparse.Namespace) -> int:
    """Let them act; 1 where pages and store differ once all rest, or hold what no order of the acts gives."""
    bad = 0
    for number in range(options.rounds):
        rng = random.Random(f"curation-{options.seed}-{number}")
        with tempfile.TemporaryDirectory(prefix="iterit-curation-") as name:
            home = Path(name).resolve() / "runs"
            log = home.with_name("app.log")
            pool = data.load_pool(["demo"])
            store.save_pool(home, pool, inputs=["demo"])
            scores = ui.recorded_run(home, pool)
            with log.open("w") as out, ui.running(home, log=out) as (url, _), ui.browser_page() as page:
                pages = [page, *(page.context.browser.new_page() for _ in range(options.pages - 1))]
                address = f"{url}/?tab=curate&pool={pool.id}&scores={scores}/0"
                wrong = race(
                    pages,
                    address,
                    home,
                    pool.id,
                    acts=options.acts,
                    pause=options.pause,
                    rng=rng,
                    hasty=options.hasty,
                )
            if tracebacks := log.read_text().count("Traceback"):
                wrong.append(f"{tracebacks} tracebacks in the app's log")
        bad += bool(wrong)
        print(f"round {number + 1}: {'; '.join(wrong) or 'pages and store agree, and an order of the acts gives it'}", flush=True)  # fmt: skip
    return int(bool(bad))


def race(
    pages: Sequence[Any],
    address: str,
    home: Path,
    pool_id: str,
    *,
    acts: int,
    pause: float,
    rng: random.Random,
    hasty: bool = False,
) -> list[str]:
    """Let a person act in each of Playwright's pages; what was wrong once all rest, in words.

    hasty : nobody waits for the answer to an act before the next one.
    """
    note_order(home)
    people = NAMES[: len(pages)]
    for who, page in zip(people, pages, strict=True):
        opened(page, address, who)
        page.evaluate(WRITE_DOWN, KINDS)
    for page in pages:
        begin(page, acts, pause, rng, hasty=hasty)
    shown = at_rest(pages, home, pool_id)
    sent = {
        who: [Act(kind, sample) for kind, sample in page.evaluate("window.actsSent")]
        for who, page in zip(people, pages, strict=True)
    }
    done, marks = effects(home), dict(store.marks(home, pool_id))
    turns = sum(act.kind in ("undo", "redo") for one in sent.values() for act in one)
    print(
        f"  {sum(map(len, sent.values()))} acts, of them {turns} undo and redo; {len(done)} changed something, {len(marks)} marks hold"
    )
    return differences(shown, marks) + disorder(sent, done, marks)


def disorder(
    sent: Mapping[str, Sequence[Act]], done: Sequence[Effect], marks: Mapping[str, str]
) -> list[str]:
    """Where what was written down is not what each person's acts give, in words."""
    try:
        held = moments(done)
    except ValueError as error:
        return [str(error)]
    found = [text for who, acts in sent.items() if (text := unexplained(who, acts, done, held))]
    if held[-1].marks != marks:
        found.append("the marks are not what the acts that changed something give")
    return found if done else [*found, "nobody changed anything"]


def at_rest(pages: Sequence[Any], home: Path, pool_id: str) -> list[dict[str, Any]]:
    """What each page shows once all have acted, nothing changes any more and all show the same, or time is up."""
    until, last, since = time.monotonic() + REST_SECONDS, None, time.monotonic()
    while True:
        shown = [page.evaluate(SHOWN) for page in pages]
        now = (curation_revision(home, pool_id), shown)
        if now != last or any(one["busy"] for one in shown):
            last, since = now, time.monotonic()
        if any(not page.evaluate("window.actsDone") for page in pages):
            until = time.monotonic() + REST_SECONDS
        quiet = time.monotonic() - since > QUIET_SECONDS
        if (quiet and all(one == shown[0] for one in shown)) or time.monotonic() > until:
            return shown
        pages[0].wait_for_timeout(100)


def differences(shown: Sequence[dict[str, Any]], marks: Mapping[str, str]) -> list[str]:
    """Where pages differ from one another, or from the marks that the store holds, in words."""
    found = [
        f"page {place} shows other {part} than page 1: {_apart(one[part], shown[0][part])}"
        for place, one in enumerate(shown[1:], start=2)
        for part in ("rows", "marks", "cards")
        if one[part] != shown[0][part]
    ]
    for place, one in enumerate(shown, start=1):
        counts = {mark: list(marks.values()).count(mark) for mark in ("pinned", "excluded")}
        for mark, count in counts.items():
            if count and f"{count} {mark}" not in " ".join(one["marks"].split()):
                found.append(f"page {place} does not show {count} {mark}: {one['marks']!r}")
        for sample, excluded, _ in one["rows"]:
            if excluded != (marks.get(sample) == "excluded"):
                found.append(f"page {place}: sample {sample} is {marks.get(sample)} in the store")
    return found


def _apart(one: Any, other: Any) -> str:
    """The first lines, or rows, in which two pages differ."""
    lines = [part.splitlines() if isinstance(part, str) else part or [] for part in (one, other)]
    first = next(
        (pair for pair in itertools.zip_longest(*lines, fillvalue="nothing") if pair[0] != pair[1]), None
    )
    return "other ends of lines" if first is None else f"{first[0]!r} and {first[1]!r}"
