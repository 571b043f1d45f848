"""Reading one file after another, as the page and the commands do, in a process that may die of it.

`python -m tools.soak.probe FOLDER` takes lines of JSON {"path", "mapping"} and answers each with a line {"outcome", "said"}.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import select
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from backend import data, diversity, store
from backend.data import limits
from backend.errors import PoolError

SECONDS = 120.0  # for one file
MEMORY_GB = "1.5"  # for the process that reads it
READ, LEFT_OUT, REFUSED, ENDED, TRACEBACK, DEATH = (
    "read",
    "rows left out",
    "refused",
    "reader ended",
    "TRACEBACK",
    "DEATH",
)
OUTCOMES = (READ, LEFT_OUT, REFUSED, ENDED, TRACEBACK, DEATH)
_PYTHON = re.compile(r"\b[A-Z]\w*(Error|Exception)\b")


class Probe:
    """One such process, replaced when it is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def ask(self, path: Path, mapping: dict[str, str]) -> dict[str, Any]:
        """What came of a file."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        begun = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # it is gone: that shows in the answer
            process.stdin.write(json.dumps({"path": str(path), "mapping": mapping}).encode() + b"\n")
            process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline() if ready else b""
        if not line:
            if ready:
                process.wait()
            self.end()
            how = f"no answer in {SECONDS:.0f} s" if not ready else f"exit code {process.returncode}"
            return {"outcome": DEATH, "said": [how], "python": False}
        return {**json.loads(line), "seconds": time.monotonic() - begun}

    def end(self) -> None:
        """End it."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "tools.soak.probe", str(self._folder)],
            env={**os.environ, limits.MEMORY: MEMORY_GB},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return process


def outcome_of(path: Path, mapping: dict[str, str], home: Path) -> dict[str, Any]:
    """Preview a file, load it, store it, load it from the store, count its n-grams, and write it out anew."""
    said: list[str] = []
    try:
        try:
            data.preview_outside(path, mapping=mapping or None)
        except PoolError as error:
            said.append(str(error))
        pool = data.load_outside([path], mapping=mapping or None)
        reasons = dict(pool.about.reasons) if pool.about else {}
        store.save_pool(home, pool, inputs=[str(path)])
        again = store.load_pool_from_store(home, pool.id)
        if again.id != pool.id or len(again) != len(pool):
            raise AssertionError("the stored pool is another one")
        counts = diversity.count_ngrams(pool.responses())
        store.list_pools(home)
        json.dumps(data.preview(path, mapping=mapping or None).samples if _is_text(path) else [])
        del counts
        outcome = LEFT_OUT if pool.left_out else READ
        said += reasons
    except PoolError as error:
        said.append(str(error))
        gone = "damaged: " in str(error) or "needs more memory" in str(error)
        outcome = ENDED if gone else REFUSED
    except Exception:  # noqa: BLE001 - what this program looks for
        said.append(traceback.format_exc())
        outcome = TRACEBACK
    return {"outcome": outcome, "said": said, "python": any(_PYTHON.search(text) for text in said)}


def _is_text(path: Path) -> bool:
    return (
        path.is_file()
        and path.name.endswith((".json", ".jsonl", ".csv", ".tsv"))
        and path.stat().st_size < 1 << 20
    )


def main() -> None:
    """Answer until the input ends."""
    home = Path(sys.argv[1])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    logging.getLogger("backend.data.guard").setLevel(logging.CRITICAL)  # it is in what is said, too
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(outcome_of(Path(request["path"]), request["mapping"], home)), file=out, flush=True)


if __name__ == "__main__":
    main()
