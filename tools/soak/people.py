"""A person on Curate, in a page of Chromium that acts by itself, at moments and on samples that are drawn."""

from __future__ import annotations

import random
from typing import Any

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve")

# runs in a page: acts at their moments, writes down how long each was awaited, in ms, and says when it is through
ACT = """([acts, hasty]) => {
  const rest = (ms) => new Promise((go) => setTimeout(go, ms));
  const key = (shiftKey) =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key: shiftKey ? 'Z' : 'z', shiftKey, bubbles: true, cancelable: true}));
  window.actsDone = false;
  window.actsWaits = [];
  (async () => {
    for (const {wait, kind, nth} of acts) {
      await rest(wait);
      const among = (selector) => {
        const found = [...document.querySelectorAll(selector)].filter((node) => !node.disabled);
        found[nth % found.length]?.click();
      };
      if (kind === 'open') among('#curate-table tbody tr td:last-child');
      else if (kind === 'mark') among('#curate-sample button[data-key="pin"], #curate-sample button[data-key="exclude"], #curate-sample button[data-key="unmark"]');
      else key(kind === 'redo');
      if (hasty) continue;
      const began = performance.now();
      await rest(160); // after 150 ms a line shows that an answer is awaited
      while (document.body.classList.contains('awaiting')) await rest(20);
      window.actsWaits.push([kind, performance.now() - began]);
    }
    window.actsDone = true;
  })();
}"""


def opened(page: Any, address: str, who: str) -> None:
    """Open the Curate tab in a page under a name, with the first sample beside it."""
    page.goto(address)
    page.locator("#curate-table tbody tr").nth(3).wait_for()
    page.locator(".st-you input").fill(who)
    page.locator(".st-you input").press("Enter")
    page.locator("#curate-table tbody tr").first.locator("td").last.click()
    page.locator(
        '#curate-sample button[data-key="pin"], #curate-sample button[data-key="unmark"]'
    ).first.wait_for()
    page.wait_for_function("!document.body.classList.contains('awaiting')")


def begin(page: Any, acts: int, pause: float, rng: random.Random, *, hasty: bool = False) -> None:
    """Let the page act so many times. pause : mean milliseconds between two. hasty : it waits for no answer."""
    page.evaluate(ACT, [drawn_acts(acts, pause, rng), hasty])


def waits(page: Any) -> list[tuple[str, float]]:
    """(what was done, seconds until nothing was awaited any more, in steps of 20 ms and 0.16 at least) of each act so far."""
    return [(kind, ms / 1000) for kind, ms in page.evaluate("window.actsWaits")]


def drawn_acts(count: int, pause: float, rng: random.Random) -> list[dict[str, Any]]:
    """Acts for a page: what is done after so many milliseconds, `pause` on average, and to which of those that are there."""
    kinds = rng.choices(["open", "mark", "undo", "redo"], weights=[3, 4, 2, 2], k=count)
    return [
        {"wait": round(pause * rng.uniform(0.2, 1.8)), "kind": kind, "nth": rng.randrange(1000)}
        for kind in kinds
    ]
