"""A new run: its folder and its rows; what it was started with; its plan and what happened to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import config as settings
from backend.config import RunConfig
from backend.errors import ConfigError, RunError, first_line
from backend.records import Pool, Scores
from backend.store import database
from backend.store.files import DAMAGE, replacing_folder, write_json
from backend.store.given_losses import write_losses
from backend.store.jobs import EventKind, add_job, note_event
from backend.store.paths import existing_run_folder, new_run_id, root_of, run_folder
from backend.store.pools import PoolInfo, column_hash, stored_edits
from backend.store.timing import Planned


@dataclass(frozen=True)
class RunPool:
    """The pools that a run was started with; `held_out_id` is None where a share of the pool is held out, or none.

    column_hash : of the values in `factor_column` then; "" where the run reads none.
    """

    id: str
    name: str
    rows: int
    held_out_id: str | None = None
    column_hash: str = ""


def create_run(
    home: Path,
    config: RunConfig,
    pool: Pool | PoolInfo,
    *,
    held_out: Pool | PoolInfo | None = None,
    allow_parallel: bool = False,
    parent: str | None = None,
    comparison: str | None = None,
    given: tuple[Scores, Mapping[str, Any] | None] | None = None,
) -> str:
    """Make a run's folder and put the run at the end of the queue; returns its id. Nothing is started.

    `pool` (and `held_out`) must be in the store for a worker to find them: see `save_pool`.
    parent : the run whose configuration this one repeats. comparison : the id of the comparison it belongs to.
    given : scores whose losses it need not compute, and what they depend on; see `give_losses`.
    """
    settings.check(config)
    database.refuse_read_only(home)
    run_id = new_run_id()
    rows = pool.rows if isinstance(pool, PoolInfo) else len(pool)
    column = column_hash(home, pool.id, config.factor_column) if config.factor_column else ""
    with replacing_folder(run_folder(home, run_id)) as folder:
        write_json(folder / "config.json", settings.to_json(config))
        write_json(
            folder / "pool.json",
            {
                "id": pool.id,
                "name": pool.name,
                "rows": rows,
                "held_out_id": held_out.id if held_out else None,
                **({"column_hash": column} if column else {}),
            },
        )
        # what the run trains on stays readable here, whatever is edited later; the worker reads it from the pool's folder
        edits = stored_edits(home, pool.id)
        if edits:
            write_json(folder / "edits.json", {"base": root_of(home, pool.id), "edits": edits})
        if given is not None:  # before the run is in the queue, from which anybody may start it
            write_losses(folder, given[0], depends_on=given[1])
    with database.writing(home) as connection:
        insert_run(connection, run_id, config, pool.id, pool.name, rows, parent=parent, comparison=comparison)
        add_job(connection, run_id, "run", run_id, allow_parallel=allow_parallel)
        note_event(connection, run_id, "queued", "waiting in the queue")
    return run_id


def insert_run(
    connection: sqlite3.Connection,
    run_id: str,
    config: RunConfig,
    pool_id: str,
    pool_name: str,
    pool_rows: int,
    *,
    parent: str | None = None,
    comparison: str | None = None,
) -> None:
    """Insert a run into the database, within a transaction; an existing one is left unchanged."""
    connection.execute(
        "INSERT OR IGNORE INTO runs (id, name, strategy, budget, pool_id, pool_name, pool_rows, model, epochs, parent,"
        " comparison) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run_id,
            config.name or default_name(config),
            config.strategy,
            config.budget,
            pool_id,
            pool_name,
            pool_rows,
            config.model,
            config.epochs,
            parent,
            comparison,
        ),
    )


def default_name(config: RunConfig) -> str:
    """A run's name where none was given: strategy and budget ("iterit 5 %", "random 75")."""
    budget = f"{config.budget * 100:g} %" if config.budget <= 1 else f"{int(config.budget):,}"
    return f"{config.strategy} {budget}"


def read_config(home: Path, run_id: str) -> RunConfig:
    """The complete configuration of a run.

    Raises
    ------
    RunError : no such run, or its config.json cannot be read.
    """
    path = existing_run_folder(home, run_id) / "config.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if "model" not in value:  # every setting has a default, and none is left out when a run is made
            raise ValueError("it does not name a model")
        return settings.config_from(value)
    except (ConfigError, *DAMAGE) as error:
        raise RunError(f"{path} is not a configuration ({first_line(error)})") from error


def read_run_pool(home: Path, run_id: str) -> RunPool:
    """Which pools a run was started with."""
    path = existing_run_folder(home, run_id) / "pool.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return RunPool(
            value["id"], value["name"], value["rows"], value.get("held_out_id"), value.get("column_hash", "")
        )
    except DAMAGE as error:
        raise RunError(f"{path} cannot be read ({first_line(error)})") from error


def check_column(home: Path, run_id: str) -> None:
    """Refuse to go on with a run whose `factor_column` holds other values than when it was started.

    Raises
    ------
    RunError : files with other values were loaded since.
    """
    config, started = read_config(home, run_id), read_run_pool(home, run_id)
    if started.column_hash and column_hash(home, started.id, config.factor_column) != started.column_hash:
        raise RunError(
            f"the values in column {config.factor_column} are others than when the run was started: files with the same samples "
            "and other values were loaded since. Load the files of then again, or start a new run"
        )


def set_plan(home: Path, run_id: str, plan: Sequence[Planned]) -> None:
    """What the run will do, stage by stage, as far as it is known: what the time left is computed from."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE runs SET plan = ? WHERE id = ?", (json.dumps([list(item) for item in plan]), run_id)
        )


def add_event(home: Path, run_id: str, kind: EventKind, text: str) -> None:
    """Note that something happened to a run."""
    run_folder(home, run_id)
    with database.writing(home) as connection:
        note_event(connection, run_id, kind, text)
