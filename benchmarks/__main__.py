"""`python -m benchmarks NAME --json`; without a name all of them, one after another."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

from benchmarks.common import NotRun, machine

# module -> what it measures; a module has `add_options(parser)` and `measure(options) -> dict`
BENCHMARKS = {
    "selection": "n-grams, TF-IDF and picks against scikit-learn and a full search, on 52,002 rows",
    "scale": "50,000 picks of a million generated responses: seconds and memory",
    "complexity": "scoring against batches in file order, padded, with all logits, on 600 samples",
    "shards": "scoring in two processes against one, on the same 600 samples",
    "map": "vectors, a first picture and UMAP, with its quality and umap-learn's by itself, on 52,002 rows",
    "run": "a whole run of three epochs: what is neither training nor scoring, and the bare steps",
    "ui": "what a person waits for on the page, in Chromium, on 52,002 rows",
    "encode": "rendering and tokenising against transformers' public methods, on 52,002 rows",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.set_defaults(name="", json=False)
    names = parser.add_subparsers(title="benchmarks", metavar="NAME")
    for name, help_text in BENCHMARKS.items():
        one = names.add_parser(name, help=help_text, description=help_text)
        if name in sys.argv or not set(BENCHMARKS) & set(sys.argv):  # what is not asked for is not imported
            importlib.import_module(f"benchmarks.{name}").add_options(one)
        one.set_defaults(name=name)
        _add_json(one)
    _add_json(parser)
    options = parser.parse_args()
    for name in [options.name] if options.name else BENCHMARKS:
        given = options if options.name else parser.parse_args([name])
        _show({"benchmark": name, **machine(), **_measured(name, given)}, as_json=options.json)


def _add_json(parser: argparse.ArgumentParser) -> None:
    # no default of its own: a subparser's would overwrite what stood before the name
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one line of JSON"
    )


def _measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    try:
        return importlib.import_module(f"benchmarks.{name}").measure(options)
    except NotRun as reason:
        return {"not_run": str(reason)}


def _show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        # JSON has no NaN; what could not be measured is null, and another key says why
        print(
            json.dumps({key: None if value != value else value for key, value in result.items()}), flush=True
        )
        return
    for key, value in result.items():
        print(f"{key:20} {value}", flush=True)
    print()


if __name__ == "__main__":
    main()
