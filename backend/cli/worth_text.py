"""A comparison's compute multipliers as text: tables, and values for a program."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from backend.analysis import multiplier_words as words
from backend.analysis.multiplier_table import worth, worth_values
from backend.cli import console

if TYPE_CHECKING:
    from backend.analysis import Comparison

HOW = f"{words.HOW} (compare start ... --random-ladder)"


def worth_tables(found: Comparison) -> list[tuple[str, list[str], list[list[str]], str]]:
    """The compute multipliers, and the random runs that they are read off; nothing where there is no random ladder.

    Each is title, columns, rows, and what it says.
    """
    value = worth(found)
    if value is None:
        return []
    rows = [
        [
            arm.label,
            console.number(arm.steps, 0),
            _spread(arm.mean, arm.sd),
            words.reached_words(arm.in_steps),
            words.range_words(arm.in_steps),
            words.seeds_words(arm.in_steps),
            words.reached_words(arm.in_compute),
            console.number(arm.scored, 0),
        ]
        for arm in value.arms
    ]
    columns = [
        "strategy",
        "steps",
        "at the end",
        "multiplier",
        "range",
        "by seed",
        "with scoring",
        "tokens scored",
    ]
    points = [
        [
            point.label,
            console.number(point.steps, 0),
            console.number(point.trained, 0),
            str(point.n),
            _spread(point.mean, point.sd),
        ]
        for point in value.points
    ]
    return [
        (words.TITLE, columns, rows, " ".join([words.headline(value), *words.remarks(value), *_definitions(value)])),
        (
            "Fresh random draws by steps",
            ["strategy", "steps", "tokens trained", "seeds", "at the end"],
            points,
            "Each is a run of its own, trained to its end. Tokens: mean over the seeds, prompts included.",
        ),
    ]  # fmt: skip


def worth_as_values(found: Comparison) -> dict[str, Any] | None:
    """The same as JSON values; None where there is no random ladder."""
    value = worth(found)
    if value is None:
        return None
    return worth_values(value) | {
        "headline": words.headline(value),
        "remarks": words.remarks(value),
        "definitions": [words.DEFINITION, words.SCORING],
    }


def _definitions(value: Any) -> list[str]:
    return [words.DEFINITION, words.SCORING, *words.unknown(value)]


def _spread(mean: float, sd: float) -> str:
    if not math.isfinite(mean):
        return "-"
    return f"{mean:.4f}" + (f" ± {sd:.4f}" if math.isfinite(sd) else "")
