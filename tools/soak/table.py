"""A table of kinds by outcome on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


def print_table(title: str, first: str, outcomes: Sequence[str], rows: Mapping[str, Counter[str]]) -> None:
    """Print how often each kind came to each outcome, and the sums."""
    total: Counter[str] = Counter()
    for counts in rows.values():
        total.update(counts)
    lines = [[first, "inputs", *outcomes]]
    for name, counts in [*rows.items(), ("all", total)]:
        lines.append(
            [name, str(sum(counts.values())), *(str(counts[key]) if counts[key] else "-" for key in outcomes)]
        )
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    print(f"{title}\n")
    for number, line in enumerate(lines):
        print(
            "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:]))])
        )
        if number in (0, len(lines) - 2):
            print("  ".join("-" * w for w in widths))
