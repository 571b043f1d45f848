"""Malformed and damaged files: what reading each of them ends with, as a table of kinds by outcome."""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.soak.damaged import damaged_files
from tools.soak.inputs import Input
from tools.soak.malformed import malformed_files
from tools.soak.probe import DEATH, OUTCOMES, TRACEBACK, Probe
from tools.soak.table import print_table

BAD = (TRACEBACK, DEATH)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", choices=("malformed", "damaged"), help="one of both")
    parser.add_argument("--kind", default="", help="only kinds whose names hold this text")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep what ended in a traceback or a death here"
    )
    parser.add_argument("--told", action="store_true", help="print what was said of every file, too")


def run(options: argparse.Namespace) -> int:
    """Read `count` malformed and as many damaged files; 1 where one ended in a traceback or a death."""
    inputs: list[Iterable[Input]] = []
    if options.only != "damaged":
        inputs.append(malformed_files(options.count, options.seed))
    if options.only != "malformed":
        inputs.append(damaged_files(options.count, options.seed))
    chosen = (one for one in itertools.chain(*inputs) if options.kind in one.kind)
    found = read_all(chosen, keep=options.keep, told=options.told)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for one, answer in found:
        kinds[one.kind.split(",")[0] if options.only != "malformed" else one.kind][answer["outcome"]] += 1
    print_table(f"Files, seed {options.seed}", "kind", OUTCOMES, kinds)
    python = [(one, answer) for one, answer in found if answer["python"] and answer["outcome"] not in BAD]
    print(f"\nin Python's or Arrow's words: {len(python)}")
    for one, answer in python[:10]:
        print(f"  {one.kind}: {_short(answer)}")
    bad = [(one, answer) for one, answer in found if answer["outcome"] in BAD]
    for one, answer in bad:
        print(f"\n{answer['outcome']}: {one.kind}, {one.name!r}\n{answer['said'][-1]}")
    return 1 if bad else 0


def read_all(
    inputs: Iterable[Input], *, keep: Path | None = None, told: bool = False
) -> list[tuple[Input, dict[str, Any]]]:
    """Each input with what came of it: its outcome and what was said."""
    found = []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        probe = Probe(folder / "home")
        try:
            for number, one in enumerate(inputs):
                path = one.write(folder / str(number))
                begun = time.monotonic()
                answer = probe.ask(path, one.mapping)
                if told:
                    print(
                        json.dumps([number, one.kind, one.name, answer, round(time.monotonic() - begun, 2)]),
                        flush=True,
                    )
                if keep is not None and answer["outcome"] in BAD:
                    one.write(keep / str(number))
                found.append((Input(one.kind, one.name), answer))
                path.unlink() if path.is_file() else None
        finally:
            probe.end()
    return found


def _short(answer: dict[str, Any]) -> str:
    return str(answer["said"][-1]).replace("\n", " | ")[:200]
