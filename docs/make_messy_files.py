"""Writes the three messy files of the walk in guide.md, from the embedded pool: `python docs/make_messy_files.py FOLDER`.

Three formats, columns that no format has, rows that stand there twice, empty answers, refusals, broken lines.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in (ROOT / "assets/demo/pool.jsonl").read_text().splitlines()]
    by_source: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(row)
    textbook(folder / "textbook.json", by_source["textbook"] + by_source["office"])
    helpdesk(folder / "helpdesk.csv", by_source["forum"])
    scrape(folder / "scrape.jsonl", by_source["scrape"] + by_source["crowd"])


def textbook(path: Path, rows: list[dict[str, Any]]) -> None:
    """Alpaca; the first thirty rows stand there a second time."""
    found = [{"instruction": asked(row), "input": "", "output": answer(row)} for row in rows]
    path.write_text(json.dumps(found + found[:30], indent=1, ensure_ascii=False))


def helpdesk(path: Path, rows: list[dict[str, Any]]) -> None:
    """A table whose columns no format knows; every fortieth reply is missing."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket", "what they asked", "what we replied"])
        for number, row in enumerate(rows):
            writer.writerow([f"T-{number:04}", asked(row), "" if number % 40 == 0 else answer(row)])


def scrape(path: Path, rows: list[dict[str, Any]]) -> None:
    """ShareGPT, a line each; three lines are broken."""
    lines = [
        json.dumps(
            {"conversations": [{"from": "human", "value": asked(row)}, {"from": "gpt", "value": answer(row)}]}
        )
        for row in rows
    ]
    for place in (10, 200, 400):
        lines[place] = lines[place][:40]
    path.write_text("\n".join(lines) + "\n")


def asked(row: dict[str, Any]) -> str:
    """The question."""
    return f"{row['instruction']}\n{row['input']}" if row["input"] else str(row["instruction"])


def answer(row: dict[str, Any]) -> str:
    """The response."""
    return str(row["output"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
