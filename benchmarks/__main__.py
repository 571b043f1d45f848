"""`python -m benchmarks selection --pool FILE --budget N --json`; without arguments all of them on the demo."""

from __future__ import annotations

import argparse
import json
import os
import platform

from benchmarks import selection


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=["selection"], default="selection", help="which benchmark")
    parser.add_argument("--pool", default="demo", help="a pool file, or demo")
    parser.add_argument("--budget", type=int, default=220, help="samples to pick (default 220)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    result = {
        "benchmark": arguments.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        **selection.measure(arguments.pool, budget=arguments.budget),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:16} {value}")


if __name__ == "__main__":
    main()
