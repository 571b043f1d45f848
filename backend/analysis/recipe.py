"""How to pick the same samples again: settings, pins, exclusions, model, pool, and the command.

A recipe is a JSON document:

    made : when, UTC. studio : version. samples : how many.
    ids_sha256 : of the samples' ids in pick order, one a line; whoever repeats it can see whether the same came out.
    pool : {id: hash of its content, name, samples, inputs, mapping}
    model : whose scores they are. strategy. run : id, or null. epoch : number, "all", or null where no run picked.
    settings : all of the selection, or of the run. pinned, excluded : sample ids; `--pinned @RECIPE` reads them here.
    ids : of samples that no strategy picked but a person chose; `--ids @RECIPE` reads them here.
    changes : what a review changed for single epochs.
    commands : in their order. notes : what they do not repeat.
"""

from __future__ import annotations

import dataclasses
import shlex
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from backend import __version__, store
from backend.config import SelectionSettings, to_json
from backend.config.command_line import option, shortest_command
from backend.records import Pool, Selection

INLINE = 10  # pins or exclusions that a command still names one by one
ONLY_RUNS = ("update_ratio", "ranking")  # which a selection from stored scores does not read
SAMPLES = ("pinned", "excluded")


def recipe_of_settings(
    pool: Pool,
    selection: Selection,
    settings: SelectionSettings,
    *,
    inputs: tuple[str, ...],
    mapping: dict[str, str],
    scores_files: tuple[str, ...],
    model: str,
    ahead: int,
    budget: int | None,
    out: Path,
    options: list[str],
) -> dict[str, Any]:
    """The recipe of a selection from stored scores; see `picks_of_settings`.

    out : the file that the samples are written to. options : with which of the command line.
    """
    words = ["python", "-m", "backend", "select", *inputs]
    words += option("mapping", mapping)
    commands, notes = [], []
    if not scores_files:
        notes.append("The pool was not scored; `select` needs a scores file, which `score` writes.")
    else:
        words += [word for name in scores_files for word in ("--scores", name)]
        default = SelectionSettings()
        for field in dataclasses.fields(SelectionSettings):
            value = getattr(settings, field.name)
            if field.name == "budget" and budget is not None and budget > 1:
                value = budget
            if field.name not in ONLY_RUNS and value != getattr(default, field.name):
                words += option(field.name, _named(field.name, value, out))
        words += ["--ahead", str(ahead)] if ahead else []
        commands.append(shlex.join([*words, "--export", out.name, *options]))
    return {
        **head_of(pool, selection.rows, inputs, mapping),
        "model": model,
        "strategy": settings.strategy,
        "run": None,
        "epoch": ahead or None,
        "settings": _without_samples(to_json(settings)),
        "pinned": list(settings.pinned),
        "excluded": list(settings.excluded),
        "changes": {},
        "commands": commands,
        "notes": notes + _edits_note(pool),
    }


def recipe_of_run(
    home: Path, run_id: str, pool: Pool, rows: np.ndarray, epoch: int, *, out: Path, options: list[str]
) -> dict[str, Any]:
    """The recipe of what a run picked. epoch : `store.ALL_EPOCHS` for all of them. out, options : as above."""
    config = store.read_config(home, run_id)
    every = epoch == store.ALL_EPOCHS
    named = {name: _named(name, getattr(config, name), out) for name in SAMPLES}
    which = ["--all-epochs"] if every else ["--epoch", str(epoch)]
    again = ["python", "-m", "backend", "export", "last", *which, "--out", out.name, *options]
    changes = {
        str(one): store.read_epoch(home, run_id, one).changes
        for one in store.epochs(home, run_id)
        if every or one <= epoch
    }
    changes = {one: changed for one, changed in changes.items() if changed}
    notes = ["The first command runs it again, the second writes its picks."]
    if changes:
        notes.append("A review changed single epochs (“changes”); the command does not repeat that.")
    return {
        **head_of(pool, rows, tuple(config.pool), dict(config.mapping)),
        "model": config.model,
        "strategy": config.strategy,
        "run": run_id,
        "epoch": "all" if every else epoch,
        "settings": _without_samples(to_json(config)),
        "pinned": list(config.pinned),
        "excluded": list(config.excluded),
        "changes": changes,
        "commands": [
            shortest_command(dataclasses.replace(config, **named), home=home),
            shlex.join([*again, "--runs-dir", str(home)]),
        ],
        "notes": notes + _edits_note(pool),
    }


def recipe_of_rows(
    pool: Pool,
    rows: np.ndarray,
    *,
    inputs: tuple[str, ...],
    mapping: dict[str, str],
    out: Path,
    options: list[str],
) -> dict[str, Any]:
    """The recipe of samples that a person chose, by a filter or one by one: it lists their ids. out, options : as above."""
    ids = [str(one) for one in pool.ids[rows]]
    words = ["python", "-m", "backend", "export"]
    words += [word for one in inputs for word in ("--pool", one)] + option("mapping", mapping)
    chosen = [f"@{recipe_name(out)}"] if len(ids) > INLINE else ids
    words += [word for one in chosen for word in ("--ids", one)]
    return {
        **head_of(pool, rows, inputs, mapping),
        "model": "",
        "strategy": "chosen by a person",
        "run": None,
        "epoch": None,
        "settings": {},
        "pinned": [],
        "excluded": [],
        "ids": ids,
        "changes": {},
        "commands": [shlex.join([*words, "--out", out.name, *options])],
        "notes": _edits_note(pool),
    }


def without_folders(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe for readers on other machines: files are named without the folders that they lie in here, and commands have
    no runs folder."""
    given = [*recipe["pool"]["inputs"], recipe["model"], *recipe["settings"].values()]
    # the longest first, as one may lie in another
    paths = sorted(
        {one for one in given if isinstance(one, str) and Path(one).is_absolute()}, key=len, reverse=True
    )

    def named(value: Any) -> Any:
        if isinstance(value, str):
            for path in paths:
                value = value.replace(path, Path(path).name)
            return value
        if isinstance(value, dict):
            return {named(key): named(one) for key, one in value.items()}
        return [named(one) for one in value] if isinstance(value, list | tuple) else value

    def command(text: str) -> str:
        words = shlex.split(text)
        if "--runs-dir" in words:
            at = words.index("--runs-dir")
            words = words[:at] + words[at + 2 :]
        return shlex.join(named(words))

    return {**named(recipe), "commands": [command(text) for text in recipe["commands"]]}


def _edits_note(pool: Pool) -> list[str]:
    """That the commands need the edits, where responses were edited."""
    if not pool.edits:
        return []
    return [
        "Some responses were edited (“edits”, by sample id). The commands use the edits that the runs folder holds now: give them "
        "the same --runs-dir, or put the edits there with “python -m backend edit”."
    ]


def ids_hash(ids: np.ndarray) -> str:
    """SHA-256 of sample ids in their order, one a line."""
    return sha256("\n".join(map(str, ids)).encode()).hexdigest()


def head_of(pool: Pool, rows: np.ndarray, inputs: tuple[str, ...], mapping: dict[str, str]) -> dict[str, Any]:
    """When it was made, of which pool, and which samples ((k,) int64 rows) in which order."""
    return {
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "studio": __version__,
        "samples": len(rows),
        "ids_sha256": ids_hash(pool.ids[rows]),
        "pool": {
            "id": pool.id,
            "name": pool.name,
            "samples": len(pool),
            "inputs": list(inputs),
            "mapping": mapping,
        },
        **({"edits": dict(pool.edits)} if pool.edits else {}),
    }


def recipe_path(out: Path) -> Path:
    """Where the recipe of an exported file or folder lies."""
    return out / "recipe.json" if not out.suffix else out.with_name(f"{out.stem}.recipe.json")


def recipe_name(out: Path) -> str:
    """The same as it is seen from where the export lies."""
    return recipe_path(out).relative_to(out.parent).as_posix()


def _named(name: str, value: Any, out: Path) -> Any:
    """Of many pins or exclusions, the recipe that lists them."""
    return (f"@{recipe_name(out)}",) if name in SAMPLES and len(value) > INLINE else value


def _without_samples(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in SAMPLES}
