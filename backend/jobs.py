"""Starting, watching and stopping workers: one process per run, one run at a time unless a run allows more.

Nothing is kept in this process's memory: whoever opens the runs folder, the app, a second app or a terminal, sees
the same runs and may stop them. A run is alive when its process id and that process's start time both match what
was written down, and its heartbeat is fresh.
"""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from backend import data, store
from backend.config import RunConfig
from backend.data import inputs
from backend.data import mapping as mappings
from backend.data.demo import HELDOUT
from backend.data.formats import ROLES, head_of
from backend.distributed import launcher
from backend.errors import ConfigError, RunError
from backend.preflight import checks
from backend.processes import (
    end_at_once,
    how_it_ended,
    is_gone,
    process_of,
    reap,
    send,
    spawn,
    start_time,
    this_host,
)
from backend.records import Pool
from backend.store import PoolInfo, RunInfo
from backend.work import map_info, start_map, start_work, work_info

__all__ = [
    "FRESH_SECONDS",
    "GRACE_SECONDS",
    "alive",
    "is_share",
    "kill",
    "launch",
    "load_held_out",
    "map_info",
    "pump",
    "refresh",
    "resume",
    "run_again",
    "start_map",
    "start_work",
    "stop",
    "with_absolute_paths",
    "work_info",
    "worker_command",
]

FRESH_SECONDS = 30.0  # a worker gives a sign of life about every second; a loaded machine may hold it back
GRACE_SECONDS = 60.0  # after this long in "stopping" a screen may offer to kill


def launch(
    home: Path,
    config: RunConfig,
    *,
    pool: Pool | str | None = None,
    allow_parallel: bool = False,
    roots: Sequence[Path] | None = None,
    parent: str | None = None,
    comparison: str | None = None,
) -> str:
    """Put a run at the end of the queue, start it if its turn has come, and return its id.

    pool : the pool, or the id of a stored one; read from the files that the configuration names where not given.
    parent : the run that this one repeats with changes. comparison : the id of the comparison it belongs to.
    roots : where given, every file that the configuration names must lie inside one of these folders.

    Raises
    ------
    PoolError : the pool or the held-out samples cannot be read.
    ConfigError : the configuration names no model, or is certain to fail (see `preflight`).
    """
    if not config.model:
        raise ConfigError("model is empty; name a folder, a hub id, or 'demo'")
    home = Path(home).resolve()
    config = with_absolute_paths(config)
    chosen: Pool | PoolInfo
    if isinstance(pool, str):
        chosen = store.pool_info(home, pool)
    else:
        if pool is None:
            chosen = data.load_outside(config.pool, mapping=config.mapping or None, roots=roots)
        else:
            chosen = pool
        store.save_pool(home, chosen, inputs=config.pool)
    held_out = None
    if not is_share(config.held_out):
        # read now: a mistake shows at once, and a resumed run measures on the same samples
        held_out = load_held_out(config, roots=roots)
        store.save_pool(home, held_out, listed=False)
    checks.refuse(config, chosen.rows if isinstance(chosen, PoolInfo) else len(chosen))
    run_id = store.create_run(
        home,
        config,
        chosen,
        held_out=held_out,
        allow_parallel=allow_parallel,
        parent=parent,
        comparison=comparison,
    )
    pump(home)
    return run_id


def pump(home: Path) -> list[str]:
    """Start what may start now; returns the ids of the runs started. Call it as often as you like, from anywhere."""
    home = Path(home).resolve()
    refresh(home)
    started = []
    while (run_id := store.claim_next(home, this_host())) is not None:
        config = store.read_config(home, run_id)
        try:
            process = spawn(
                worker_command(home, run_id), store.log_path(home, run_id), threads=config.threads
            )
        except OSError as error:
            text = f"the worker could not be started: {error}"
            store.set_state(home, run_id, "failed", error=text, note=text)
            continue
        store.set_process(
            home, run_id, host=this_host(), pid=process.pid, process_started=start_time(process.pid)
        )
        started.append(run_id)
    return started


def stop(home: Path, run_id: str) -> None:
    """Ask a run to stop: a queued one is stopped at once, a running one after its present batch or step.

    The worker is told by SIGTERM, or, on another machine, at its next heartbeat. Its run can be resumed.

    Raises
    ------
    RunError : the run has ended already.
    """
    if store.set_state(home, run_id, "stopped", expect=("queued",), note="stopped before it started"):
        return
    refresh(home)
    asked = store.set_state(home, run_id, "stopping", expect=("running", "waiting"), note="asked to stop")
    info = store.run_info(home, run_id)
    if info.active:
        # a launcher would end its processes before their step is done; theirs is to look into the database
        if not launcher.several(store.read_config(home, run_id)):
            send(info, signal.SIGTERM)
    elif not asked:  # else the worker saw it at a heartbeat and has stopped already
        raise RunError(f"run {run_id} is {info.state} already")


def kill(home: Path, run_id: str) -> None:
    """End a run's worker at once, with all its processes; what it had stored stays, and the run can be resumed.

    Raises
    ------
    RunError : no worker is at work on it, or it runs on another machine.
    """
    info = store.run_info(home, run_id)
    if not info.active:
        raise RunError(f"run {run_id} is {info.state}; there is no worker to kill")
    if info.host not in (None, this_host()):
        raise RunError(f"run {run_id} runs on {info.host}; kill it there")
    store.set_state(home, run_id, "stopping", expect=("running", "waiting"))
    end_at_once(info)
    store.set_state(home, run_id, "stopped", expect=("stopping",), note="killed")


def run_again(home: Path, run_id: str) -> str:
    """Queue a new run with the configuration and the samples of another, and return its id.

    Raises
    ------
    RunError : no such run. PoolError : its pool is not stored any more.
    """
    home = Path(home).resolve()
    config, pools = store.read_config(home, run_id), store.read_run_pool(home, run_id)
    held_out = store.pool_info(home, pools.held_out_id) if pools.held_out_id else None
    again = store.create_run(home, config, store.pool_info(home, pools.id), held_out=held_out, parent=run_id)
    pump(home)
    return again


def resume(home: Path, run_id: str) -> None:
    """Queue a stopped or failed run again, to go on after its last checkpoint, and start it if its turn has come.

    Raises
    ------
    RunError : the run is in another state.
    """
    refresh(home)
    store.queue_again(home, run_id)
    pump(home)


def refresh(home: Path) -> list[str]:
    """Mark runs whose worker is gone as failed, with the last thing it did; returns their ids.

    A worker that was asked to stop and is gone has stopped. One whose process is there but gives no sign of life
    stays as it is (`alive` is False): its memory is not free, so nothing else may start in its place.
    """
    home = Path(home).resolve()
    reap()
    found = []
    for info in store.runs(home):
        if not info.active or not is_gone(info):
            continue
        note = "the worker ended while it was asked to stop"
        if not store.set_state(home, info.id, "stopped", expect=("stopping",), pid=info.pid, note=note):
            error = _obituary(home, info)
            if not store.set_state(
                home, info.id, "failed", error=error, expect=("running", "waiting"), pid=info.pid, note=error
            ):
                continue  # it ended in order between the two looks
        found.append(info.id)
    return found


def alive(info: RunInfo) -> bool:
    """Whether a worker is at work: its process exists, is the one that was started, and its heartbeat is fresh."""
    if not info.active or time.time() - (info.last_seen or 0) > FRESH_SECONDS:
        return False
    starting = info.pid is None  # claimed a moment ago
    return starting or info.host not in (None, this_host()) or process_of(info) is not None


def worker_command(home: Path, run_id: str) -> list[str]:
    """The command that works on a run; see `backend.distributed.launcher`."""
    return launcher.worker_command(home, run_id, store.read_config(home, run_id))


def is_share(held_out: str) -> bool:
    """Whether the held-out setting is a share of the pool (else a file, or "demo")."""
    try:
        float(held_out or 0)
    except ValueError:
        return False
    return True


def load_held_out(config: RunConfig, *, roots: Sequence[Path] | None = None) -> Pool:
    """The held-out samples from the file that the configuration names; "demo" are the embedded ones."""
    if config.held_out == "demo":
        return data.load_pool([str(HELDOUT)])
    mapping = _held_out_mapping(config, roots)
    return data.load_outside([config.held_out], mapping=mapping or None, roots=roots)


def _held_out_mapping(config: RunConfig, roots: Sequence[Path] | None) -> dict[str, str]:
    """What the mapping says about the file of held-out samples: what names it, else what is said for all files, and
    of that the columns only where the file has them."""
    general, single = mappings.by_source(config.mapping)
    for name, own in single.items():
        if name in (config.held_out, Path(config.held_out).name) or _same_file(name, config.held_out):
            return own
    if not general:
        return {}
    names = data.preview_outside(config.held_out, limit=1, roots=roots).columns
    columns = {role: path for role, path in general.items() if role in ROLES}
    if all(head_of(path, names) in names for path in columns.values()):
        return general
    return {key: value for key, value in general.items() if key not in columns}


def _same_file(one: str, other: str) -> bool:
    return Path(one).expanduser().resolve() == Path(other).expanduser().resolve()


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with every path that exists made absolute: a worker has another working folder."""

    return dataclasses.replace(
        config,
        pool=tuple(inputs.absolute(name) for name in config.pool),
        mapping=mappings.with_names(config.mapping, inputs.absolute),
        model=inputs.absolute(config.model),
        held_out=config.held_out if is_share(config.held_out) else inputs.absolute(config.held_out),
    )


def _obituary(home: Path, info: RunInfo) -> str:
    """The last thing that a dead worker did, for a person."""
    last = "before it reported anything"
    if info.stage is not None:
        of = f" of {info.total:,}" if info.total else ""
        last = f"at: {info.stage}, epoch {info.epoch}, {info.done:,}{of} {info.unit}"
    lines = [line for line in store.read_log(home, info.id, tail=5).splitlines() if line.strip()]
    return f"The worker {how_it_ended(info.pid)} {last}." + (
        f" It printed last: {lines[-1].strip()}" if lines else ""
    )
