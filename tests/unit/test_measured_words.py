"""Figures that the page quotes are those of docs/measurements.md."""

from __future__ import annotations

import re
from pathlib import Path

from iterit_ui.tune.words import WHICH_STRATEGY

MEASURED = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")


def at_the_end(section: str, strategy: str) -> tuple[str, float]:
    """(seeds, mean loss at the end) in the table of a section of the measurements."""
    part = MEASURED.split(f"## {section}")[1].split("\n## ")[0]
    row = re.search(
        rf"^\| {re.escape(strategy)} \| (\d) of \d \|.*\| ([\d.]+) ± [\d.]+ \|$", part, re.MULTILINE
    )
    assert row, f"{strategy} is not in {section}"
    return row[1], float(row[2])


def test_which_strategy_quotes_what_was_measured() -> None:
    section = "2026-11-29, strategies on the demo's pool and fresh held-out rows"
    text = WHICH_STRATEGY["text"]
    for strategy in ("iterit-cumulative", "random-each-epoch", "iterit"):
        seeds, loss = at_the_end(section, strategy)
        assert f"{loss:.3f}" in text, f"{strategy} ended at {loss}"
        assert f"{seeds} seeds" in text
    # the ladder of random draws, on the demo's own held-out rows
    ladder = MEASURED.split("## 2026-11-29, compute multipliers on the demo")[1].split("\n## ")[0]
    half = float(re.search(r"^\| 0.5x \|.*\| ([\d.]+) ± [\d.]+ \|$", ladder, re.MULTILINE)[1])
    ours = float(re.search(r"^\| iterit-cumulative \| 84 \| ([\d.]+) ±", ladder, re.MULTILINE)[1])
    assert half < ours and f"{half:.3f}" in text and f"{ours:.3f}" in text
