"""Importing a file of scores that somebody sent, in a process of its own: a damaged one can end the process that reads it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from backend.distributed import launcher
from backend.errors import ScoresError

SECONDS = 600.0


def import_apart(home: Path, pool_id: str, file: Path, *, name: str, who: str = "") -> tuple[str, list[str]]:
    """The command `import-scores` on a stored pool: the key of the kept scores, and what matched and did not, in sentences.

    Raises
    ------
    ScoresError : what the command says; or the file has ended its process, or took longer than ten minutes.
    """
    words = [
        "import-scores",
        pool_id,
        str(file),
        "--name",
        name,
        "--who",
        who,
        "--runs-dir",
        str(home),
        "--json",
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "backend", *words],
            env={**launcher.environment(), "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScoresError(
            f"{file.name} took longer than {SECONDS / 60:.0f} minutes to read; use the command import-scores"
        ) from error
    if done.returncode == 0:
        said = json.loads(done.stdout)
        return said["key"], said["sentences"]
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if last.startswith("error: "):
        # where the server has put it is nobody's business
        raise ScoresError(last.removeprefix("error: ").replace(str(file), file.name))
    how = (
        signal.Signals(-done.returncode).name
        if done.returncode < 0
        else f"exit code {done.returncode}, {last}"
    )
    raise ScoresError(f"damaged: {file.name} (its reader ended: {how})")
