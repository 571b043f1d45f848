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
    text = WHICH_STRATEGY["text"]
    ends = {}
    for section in (
        "2026-11-29, strategies on the demo's pool and fresh held-out rows",
        "2026-11-29, the same rows with 5 % of the pool",
        "2026-11-29, the plain pool with 10 %",
        "2026-11-29, the plain pool with 5 %",
    ):
        for strategy in ("iterit-cumulative", "random-each-epoch", "iterit"):
            seeds, loss = at_the_end(section, strategy)
            ends[section, strategy] = loss
            assert f"{seeds} seeds" in text
            assert strategy == "iterit" or f"{loss:.3f}" in text, f"{strategy} ended at {loss}"
        assert ends[section, "iterit-cumulative"] < ends[section, "iterit"]
    # who wins against a fresh random draw differs, and the words say how often
    won = [
        ends[section, "iterit-cumulative"] < ends[section, "random-each-epoch"]
        for section in dict.fromkeys(section for section, _ in ends)
    ]
    assert won == [True, False, False, False]
    # and so it is with a real model
    real = "2026-11-30, a real model on real rows: SmolLM2-135M-Instruct"
    found = {name: at_the_end(real, name) for name in ("iterit-cumulative", "random-each-epoch", "iterit")}
    assert {seeds for seeds, _ in found.values()} == {"3"} and "3 seeds" in text
    losses = {name: loss for name, (_, loss) in found.items()}
    assert losses["random-each-epoch"] < losses["iterit-cumulative"] < losses["iterit"]
    assert f"SmolLM2: {losses['iterit-cumulative']:.3f} against {losses['random-each-epoch']:.3f}" in text
    assert "won one trial" in text and "lost four" in text
