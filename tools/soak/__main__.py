"""python -m tools.soak files --count 500 --seed 0; it ends with 1 where something ended in an error, a traceback or a death."""

from __future__ import annotations

import argparse
import importlib
import sys

NAMES = {
    "files": "malformed and damaged files that a pool is read from",
    "stores": "damaged files in a pool's and a run's folder",
    "clients": "many visitors of one app at once",
    "models": "a model's folder that is gone while a run uses it",
    "checkpoints": "checkpoints that are cut short before a run is resumed",
    "clock": "a clock that is set while runs train and wait",
    "curation": "several people who mark samples at once, with undo and redo",
    "kills": "workers and apps that are killed while a run goes on",
    "writes": "everything that writes into a runs folder, killed at each point of it",
    "disks": "a runs folder that cannot be written, and disks that fill",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    names = parser.add_subparsers(title="what is broken", metavar="NAME", dest="name", required=True)
    for name, text in NAMES.items():
        one = names.add_parser(name, help=text, description=text)
        one.add_argument("--seed", type=int, default=0, help="makes the same inputs again (default 0)")
        if name == "files":
            one.add_argument("--count", type=int, default=500, help="inputs of each sort (default 500)")
        if name in sys.argv:
            importlib.import_module(f"tools.soak.{name}").add_options(one)
    options = parser.parse_args()
    return int(importlib.import_module(f"tools.soak.{options.name}").run(options))


if __name__ == "__main__":
    sys.exit(main())
