"""A runs folder that can only be read, and disks that fill: with mounts of this machine (root, Linux).

A tmpfs of a few MiB is the disk that fills, a read-only bind mount the archive; both are taken away again.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from backend import store
from backend.errors import DiskError, StudioError
from backend.jobs import lifecycle
from backend.records import EpochRecord, Metrics
from tools.soak.store_folder import make_folder
from tools.soak.stores import OUTCOMES, TRACEBACK, questions
from tools.soak.table import print_table

KINDS = ("database", "record of an epoch", "metrics", "pool")
MIB = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--training", action="store_true", help="also fill the disk under the checkpoint of a run of the demo"
    )


def run(options: argparse.Namespace) -> int:
    """Ask everything of a read-only folder, and fill a disk under each kind of file; 1 where something ended in a traceback."""
    logging.disable(logging.CRITICAL)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        whole = Path(name) / "whole" / "runs"
        whole.mkdir(parents=True)
        first, second = make_folder(whole, seed=options.seed)
        place = Path(name) / "mounted"
        place.mkdir()
        with mounted(
            ["mount", "--bind", str(whole), str(place)],
            place,
            then=["mount", "-o", "remount,ro,bind", str(place)],
        ):
            for question, ask, mentions in questions(place, first, second):
                outcome, text = answer(ask, mentions)
                rows["read-only folder"][outcome] += 1
                print(
                    f"read-only: {question}: {outcome}"
                    + ("" if outcome == OUTCOMES[0] else f": {text.strip().splitlines()[-1][:200]}")
                )
                bad += [f"{question}\n{text}"] if outcome in OUTCOMES[2:] else []
        for kind in KINDS:
            with mounted(["mount", "-t", "tmpfs", "-o", f"size={MIB}m", "tmpfs", str(place)], place):
                home = place / "runs"
                shutil.copytree(whole, home)
                outcome, text = answer(lambda kind=kind, home=home: fill(home, kind, first[1]), ())  # type: ignore[misc]
                rows[f"full disk: {kind}"][outcome] += 1
                print(f"full disk: {kind}: {outcome}: {text.strip()[:400]}")
                bad += [f"{kind}\n{text}"] if outcome != OUTCOMES[1] else []
                (home.parent / "filler").unlink()
                kept = [len(store.epochs(home, run_id)) for _, run_id in (first, second)]
                print(
                    f"  room again: {len(store.runs(home))} runs, epochs {kept}, damaged: {store.damaged_files(home) or 'nothing'}"
                )
        if options.training:
            bad += full_checkpoint(place)
    print()
    print_table(f"Disks, seed {options.seed}", "disk", OUTCOMES, rows)
    for text in bad:
        print(f"\n{text}")
    return 1 if bad else 0


def fill(home: Path, kind: str, run_id: str) -> str:
    """Take all room on the disk and write one more thing of a kind."""
    record = store.read_epoch(home, run_id, 0)
    pool = store.load_pool_from_store(home, store.list_pools(home)[0].id)
    take_all(home.parent / "filler")
    for number in range(100_000):
        if kind == "database":
            store.add_event(home, run_id, "started", "x" * 2000)
        elif kind == "metrics":
            store.append_metrics(home, run_id, Metrics(number + 100, 1.0, loss=1.0))
        elif kind == "pool":
            store.write_json(home / f"pools/{number}.json", pool.responses().to_pylist())
        else:
            store.write_epoch(home, run_id, _numbered(record, number))
    raise AssertionError("the disk never filled")


def _numbered(record: EpochRecord, number: int) -> EpochRecord:
    return dataclasses.replace(record, epoch=100 + number)


def take_all(path: Path) -> None:
    """Write a file until the disk has no room left."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def full_checkpoint(place: Path) -> list[str]:
    """A run of the demo on a disk that is too small for its checkpoint, then room, then `resume`; what went wrong."""
    command = [sys.executable, "-m", "backend"]
    with mounted(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], place):
        home = place / "runs"
        words = [
            "tune",
            "demo",
            "--model",
            "demo",
            "--epochs",
            "1",
            "--max-steps",
            "2",
            "--no-make-map",
            "--runs-dir",
            str(home),
        ]
        made = subprocess.run([*command, *words], capture_output=True, text=True, timeout=300)
        info = store.runs(home)[0]
        print(f"full disk: checkpoint: tune ended with {made.returncode}; {info.state}: {info.error}")
        subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
        lifecycle.refresh(home)
        again = subprocess.run(
            [*command, "resume", info.id, "--runs-dir", str(home)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        state = store.run_info(home, info.id).state
        steps = [line.step for line in store.read_metrics(home, info.id) if line.held_out is None]
        raw = [
            json.loads(line)["step"]
            for line in (home / info.id / "metrics.jsonl").read_text().splitlines()
            if json.loads(line)["held_out"] is None
        ]
        print(
            f"  room again: resume ended with {again.returncode}; {state}; steps {steps}, in the file {raw}"
        )
        right = (
            made.returncode
            and "disk is full" in (info.error or "")
            and state == "done"
            and len(set(raw)) == len(raw)
        )
        return [] if right else [f"checkpoint\n{made.stderr[-2000:]}\n{again.stderr[-2000:]}"]


def answer(ask: Callable[[], str], mentions: tuple[str, ...]) -> tuple[str, str]:
    """What came of a question, as in `stores`."""
    try:
        text = ask()
    except (DiskError, StudioError) as error:
        return (OUTCOMES[3] if mentions else OUTCOMES[1]), str(error)
    except Exception:  # noqa: BLE001 - what this program looks for
        return TRACEBACK, traceback.format_exc()
    return (OUTCOMES[0] if all(word in text for word in mentions) else OUTCOMES[3]), text


@contextlib.contextmanager
def mounted(command: list[str], place: Path, *, then: list[str] | None = None) -> Iterator[None]:
    """Mount something for the block."""
    subprocess.run(command, check=True)
    try:
        if then:
            subprocess.run(then, check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
