"""Every file of a pool's and of a run's folder damaged in turn: what the commands and screens say of it, and of the others."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import logging
import random
import shutil
import subprocess
import tempfile
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper, cache
from pathlib import Path
from typing import Any

from typer.main import get_command

from backend import store
from backend.cli.commands import app
from backend.errors import StudioError
from backend.jobs import lifecycle
from backend.store import lost_runs
from backend.store.shelf import SHELF
from iterit_ui.compare import runs_table, tab, views
from iterit_ui.curate import draw as curate
from iterit_ui.curate.state import CurateState
from iterit_ui.data import draw as data_screen
from iterit_ui.data import sources
from iterit_ui.epochs import draw as epochs
from iterit_ui.epochs.run_choices import known_runs
from iterit_ui.epochs.state import EpochsState
from iterit_ui.layout import restored
from iterit_ui.tune import views as tune
from iterit_ui.tune.review.state import VIEW
from iterit_ui.watching import watched
from tools.soak.store_folder import make_folder
from tools.soak.table import print_table

GOOD, SAID, NOT_NAMED, HIDES, TRACEBACK = "answered", "said", "NOT NAMED", "HIDES OTHERS", "TRACEBACK"
OUTCOMES = (GOOD, SAID, NOT_NAMED, HIDES, TRACEBACK)
BAD = (NOT_NAMED, HIDES, TRACEBACK)
DATABASE = "studio.sqlite"
DAMAGES = ("empty", "{}", "garbage", "cut in half", "missing", "a folder", "bits")
Ids = tuple[str, str]
Question = tuple[str, Callable[[], str], tuple[str, ...]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", default="", help="files whose names hold this text")


def run(options: argparse.Namespace) -> int:
    """Damage each file in every way; 1 where another pool or run was hidden, or something ended in a traceback."""
    found = damage_all(options.seed, only=options.only)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for file, _, _, outcome, _ in found:
        rows[file][outcome] += 1
    print_table(
        f"Stores, seed {options.seed}: questions to commands and screens by damaged file",
        "file",
        OUTCOMES,
        rows,
    )
    bad = [one for one in found if one[3] in BAD]
    for file, how, asked, outcome, text in bad:
        print(f"\n{outcome}: {file}, {how}: {asked}\n{text}")
    return 1 if bad else 0


def damage_all(seed: int, *, only: str = "") -> list[tuple[str, str, str, str, str]]:
    """(file, damage, question, outcome, what was said) of every file, damage and question."""
    found = []
    logging.disable(logging.CRITICAL)
    # what is queued is claimed and started as ever, and does nothing
    lifecycle.spawn = lambda command, log, *, threads=0: subprocess.Popen(["true"])
    warnings.simplefilter("ignore")  # Gradio's, where no page is there to be told
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        whole = Path(name) / "whole" / "runs"
        whole.mkdir(parents=True)
        first, second = make_folder(whole, seed=seed)
        folders = {"pool": store.pool_folder(whole, first[0]), "run": store.run_folder(whole, first[1])}
        for kind, folder in folders.items():
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                if only not in path.name:
                    continue
                for how in DAMAGES:
                    rng = random.Random(f"{seed}-{path.name}-{how}")
                    home = Path(name) / "home"
                    shutil.copytree(whole, home)
                    place = home / path.relative_to(whole)
                    damage(place, how, rng)
                    label = f"{kind}/{path.relative_to(folder)}"
                    found += [(label, how, *one) for one in ask_all(home, place, how, first, second)]
                    shutil.rmtree(home)
        if only in DATABASE:
            found += repaired_all(whole, seed, first, second)
    return found


def repaired_all(whole: Path, seed: int, first: Ids, second: Ids) -> Iterator[tuple[str, str, str, str, str]]:
    """The same for the database, which everything is listed in: damaged, asked, repaired, and asked again."""
    lost_runs.FRESH_SECONDS = 0.0  # the folders were made just now
    home = whole.parent.parent / "home"
    for how in DAMAGES:
        shutil.copytree(whole, home)
        place = home / DATABASE
        damage(place, how, random.Random(f"{seed}-{how}"))
        for name, outcome, text in ask_all(home, place, "", first, second):
            # nothing can be listed: what must not be is an error that nobody wrote a sentence for
            yield "database", how, name, SAID if outcome == HIDES else outcome, text
        store.repair(home)
        for one in ask_all(home, place, "", first, second):
            yield "database, repaired", how, *one
        shutil.rmtree(home)


def damage(path: Path, how: str, rng: random.Random) -> None:
    """Damage one file in place."""
    raw = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "bits":
        changed = bytearray(raw)
        for _ in range(8):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
    else:
        path.write_bytes(
            {"empty": b"", "{}": b"{}", "garbage": rng.randbytes(200)}.get(how, raw[: len(raw) // 2])
        )


def ask_all(home: Path, place: Path, how: str, first: Ids, second: Ids) -> Iterator[tuple[str, str, str]]:
    """(question, outcome, what was said) of every command and screen, of what is damaged and of what is not."""
    for cached in [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]:
        if str(cached.__module__).startswith(("backend.", "iterit_ui.")):
            cached.cache_clear()
    SHELF.empty()
    # a file that anybody can see to be broken must be in the list of what is damaged
    if how in ("empty", "garbage") and not place.name.endswith((".txt", ".jsonl")):
        told = "\n".join(store.damaged_files(home))
        yield "list of what is damaged", GOOD if place.name in told else NOT_NAMED, told
    for name, ask, mentions in questions(home, first, second):
        try:
            text = ask()
        except StudioError as error:
            outcome, text = (HIDES if mentions else SAID), str(error)
        except Exception:  # noqa: BLE001 - what this program looks for
            outcome, text = TRACEBACK, traceback.format_exc()
        else:
            outcome = GOOD if all(word in text for word in mentions) else HIDES
        yield name, outcome, text[-3000:]


def questions(home: Path, first: Ids, second: Ids) -> Iterator[Question]:
    """Each question, and what its answer must hold: the pool and the run that are whole."""
    pool, run = second
    for words in (["runs"], ["runs", "--json"]):
        yield " ".join(words), _command(home, *words), (run,)
    yield "queue", _command(home, "queue"), ()
    yield "pump", lambda: repr(lifecycle.pump(home)), ()
    yield "show the other", _command(home, "show", run), (run,)
    yield "export the other", _command(home, "export", run, "--out", str(home / "o.jsonl")), ()
    yield "Data: pools", lambda: json.dumps(sources.listed(home, pool)), (pool,)
    yield "Tune: runs", lambda: repr(tune.run_values(home, run, "tune", dict(VIEW), {})), (run,)
    yield "Epochs: runs", lambda: repr(known_runs(home)), (run,)
    yield (
        "Compare: runs",
        lambda: json.dumps(runs_table.table_value(home, dict(runs_table.ASKED), "")),
        (run,),
    )
    yield "look", lambda: repr([watched(home)([pool, run, name]) for name in ("tune", "epochs")]), ()
    yield from _screens(home, "damaged", *first, must=False)
    yield from _screens(home, "other", *second, must=True)
    yield "Compare: both", lambda: repr(views.results(home, "", [first[1], run], "", "epoch", -1)), ()
    yield "Compare: newest", lambda: repr(tab.comparison_values(home, "compare", "", [], "")), ()
    pool, run = first
    for words in (["show", run], ["diff", run, second[1]], ["label", run, "--tag", "x"], ["receipt", run], ["report", run, "--out", str(home / "r.html")], ["export", run, "--out", str(home / "x.jsonl")], ["health", pool], ["search", pool, "tea"], ["findings", pool], ["stop", run], ["again", run], ["delete", run, "--yes"]):  # fmt: skip
        yield words[0], _command(home, *words), ()


def _screens(home: Path, who: str, pool: str, run: str, *, must: bool) -> Iterator[Question]:
    """The screens with a pool and a run open. must : whether the answer must hold their ids."""
    state = CurateState(pool=pool)
    pool_id, run_id = ((pool,), (run,)) if must else ((), ())
    yield f"address of the {who}", lambda: repr(restored(home, {"pool": pool, "run": run})), pool_id
    yield (
        f"Data: {who}",
        lambda: repr([data_screen.opened_pool(home, pool), data_screen.first_screen(home, pool)]),
        (),
    )
    yield f"Curate: {who}", lambda: repr(curate.all_values(home, curate.normalised(home, state))), ()
    yield f"Tune: {who}", lambda: repr(tune.run_values(home, run, "tune", dict(VIEW), {})), run_id
    yield f"Epochs: {who}", lambda: repr(epochs.all_values(home, EpochsState(run=run))), ()
    yield f"Compare: {who}", lambda: repr(views.results(home, "", [run], "", "epoch", -1)), ()


@cache
def commands() -> Any:
    """The command line, made once."""
    return get_command(app)


def _command(home: Path, *words: str) -> Callable[[], str]:
    """A command in this process; what it says as an error is a StudioError again."""

    def ask() -> str:
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = commands().main([*words, "--runs-dir", str(home)], standalone_mode=False)
        if code:
            raise StudioError(said.getvalue())
        return out.getvalue()

    return ask
