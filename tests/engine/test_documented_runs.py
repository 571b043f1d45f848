"""Every command in README and docs is run, in the order of its page, on a small pool with the demo's model.

What would train is asked for what it would do (--dry-run), but for the run that the others are about.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.data import load_pool
from backend.data.demo import POOL
from backend.jobs import lifecycle
from tests.unit.test_documented_commands import PROGRAM, PROGRAM_LINES, words

pytestmark = pytest.mark.slow

ROWS = 120
TRAINS = {"tune", "pilot start", "budget start", "compare start", "sensitivity start"}
LOG = "measurements.md"  # whose commands are of the data and runs of their day
BESIDE = {
    "app",
    "map",
}  # which stays open, and compiles for half a minute: tests/ui/test_app.py, tests/unit/test_umap.py
# what a command says where its page supposes more than one small run: a larger pool, studies, a review that waits, an extra
REFUSALS = {
    "review": "does not wait for a review",
    "pilot start": "a pilot needs 4 or more",
    "pilot show": "no pilot",
    "budget start": "there is no budget to try",
    "budget show": "no search for a budget yet",
    "sensitivity show": "no sensitivity study",
    "evaluate": "pip install lm-eval",
    "tune": "name a pool",
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the capitals of the pages stand for; the working folder holds the files that they name, and a finished run."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("documented")
    os.chdir(folder)
    rows = [json.loads(line) for line in POOL.read_text(encoding="utf-8").splitlines()[: ROWS + 20]]
    for number, row in enumerate(rows):
        row["judge"] = number % 5
    rows[7]["output"] += "<p>"
    for file in (
        "pool.jsonl",
        "messy/textbook.json",
        "FRESH/hard/pool.jsonl",
        "FRESH/hard/heldout.jsonl",
        "eval.jsonl",
    ):
        some = rows[ROWS:] if file.endswith(("heldout.jsonl", "eval.jsonl")) else rows[:ROWS]
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(some) if file.endswith(".json") else "\n".join(map(json.dumps, some))
        Path(file).write_text(text, encoding="utf-8")
    tune = "tune pool.jsonl --model demo --preset demo --budget 8 --threads 1 --no-make-map"
    done = CliRunner().invoke(app, tune.split())
    assert done.exit_code == 0, done.output
    run = store.runs(Path("runs"))[0].id
    compared = store.create_comparison(Path("runs"), "small", kind="comparison")
    store.add_to_comparison(Path("runs"), compared, [run])
    assert CliRunner().invoke(app, ["receipt", run, "--out", "receipt.json"]).exit_code == 0
    sample, another = load_pool(["pool.jsonl"]).ids[:2].tolist()
    yield {
        "POOL.json": "pool.jsonl",
        "POOL": "pool.jsonl",
        "MODEL_FOLDER": "demo",
        "MODEL": "demo",
        "RUN": run,
        "SAMPLE": sample,
        "ANOTHER": another,
        "HELDOUT.json": "eval.jsonl",
        "TEXT": "a better answer",
        "FILE": "scores.parquet",
        "NAME": compared,
        "ID": compared,
        "/scratch/runs": "runs",
    }
    for info in store.runs(Path("runs")):
        if info.active:
            lifecycle.kill(Path("runs"), info.id)
    os.chdir(before)


def command_of(given: list[str]) -> str:
    """The command's name, with that of its part: `compare show`."""
    return " ".join(given[: 2 if given[0] in ("pilot", "budget", "compare", "sensitivity") else 1])


def given_words(line: str, names: dict[str, str]) -> list[list[str]]:
    """The words of each command that a line stands for: one, or those of an array of two jobs."""
    found = [names.get(word, word) for word in words(PROGRAM.sub("", line))]
    if command_of(found) in TRAINS and "--dry-run" not in found:
        found.append("--dry-run")
    if command_of(found) == "ask":
        found += ["--max-new-tokens", "8"]
    if "$SLURM_ARRAY_TASK_ID" not in line:
        return [found]
    jobs = [[word.replace("$SLURM_ARRAY_TASK_ID/16", f"{one}/2") for word in found] for one in (1, 2)]
    return [
        [word.replace("$SLURM_ARRAY_TASK_ID", str(one)) for word in job] for one, job in enumerate(jobs, 1)
    ]


@pytest.mark.parametrize("page", sorted({page for page, _ in PROGRAM_LINES} - {LOG}))
def test_commands_of_a_page_run_one_after_the_other(page: str, names: dict[str, str]) -> None:
    failed = []
    for line in dict.fromkeys(line for on, line in PROGRAM_LINES if on == page):
        for given in given_words(line, names):
            command = command_of(given)
            if command in BESIDE:
                continue
            done = CliRunner().invoke(app, given, input="a long password\n" * 2)
            said = re.sub(r"\s+", " ", done.output)
            refused = command in REFUSALS and REFUSALS[command] in said
            if not (done.exit_code == 0 or (refused and isinstance(done.exception, SystemExit))):
                failed.append(f"{shlex.join(given)}\n{done.output}{done.exception!r}")
    assert not failed, "\n".join(failed)
