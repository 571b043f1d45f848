"""Draws disjoint sets of rows from a file of samples, for comparisons whose held-out rows nothing was tuned on.

`python -m tools.split_rows FILE --out DIR pool=600 heldout=150` writes DIR/pool.json and DIR/heldout.json.
"""

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any


def main() -> None:
    """Read the arguments, draw the sets and write them."""
    parser = argparse.ArgumentParser(prog="python -m tools.split_rows", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON file with an array of rows")
    parser.add_argument("sets", nargs="+", metavar="NAME=ROWS", help="a set's name and how many rows it gets")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: %(default)s)")
    arguments = parser.parse_args()
    sizes = {name: int(count) for name, _, count in (word.partition("=") for word in arguments.sets)}
    rows = json.loads(arguments.file.read_text(encoding="utf-8"))
    try:
        drawn = split_rows(rows, sizes, seed=arguments.seed)
    except ValueError as error:
        parser.error(str(error))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, part in drawn.items():
        text = json.dumps(part, ensure_ascii=False, indent=1)
        (arguments.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{arguments.out / name}.json: {len(part):,} rows")


def split_rows(rows: list[Any], sizes: dict[str, int], *, seed: int) -> dict[str, list[Any]]:
    """Disjoint sets of these sizes, drawn with this seed. Of rows that are alike one is kept, so none is in two sets.

    Raises
    ------
    ValueError : there are not as many distinct rows.
    """
    distinct = list({json.dumps(row, sort_keys=True): row for row in rows}.values())
    wanted = sum(sizes.values())
    if wanted > len(distinct):
        raise ValueError(f"{wanted:,} rows are asked for; there are {len(distinct):,} distinct ones")
    Random(seed).shuffle(distinct)
    found, start = {}, 0
    for name, size in sizes.items():
        found[name] = distinct[start : start + size]
        start += size
    return found


if __name__ == "__main__":
    main()
