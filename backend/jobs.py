"""Starting, watching and stopping workers: one process per run, one run at a time unless a run allows more.

Nothing is kept in this process's memory: whoever opens the runs folder, the app, a second app or a terminal, sees
the same runs and may stop them. A run is alive when its process id and that process's start time both match what
was written down, and its heartbeat is fresh.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from backend import data, store
from backend.config import RunConfig
from backend.data.demo import HELDOUT
from backend.errors import ConfigError, RunError
from backend.records import Pool
from backend.store import MapInfo, PoolInfo, RunInfo

FRESH_SECONDS = 30.0  # a worker gives a sign of life about every second; a loaded machine may hold it back
STARTING_SECONDS = 120.0  # until a worker that was started must have written its process down
GRACE_SECONDS = 60.0  # after this long in "stopping" a screen may offer to kill
ROOT = Path(__file__).resolve().parent.parent

_children: dict[int, subprocess.Popen] = {}  # to tell how a worker of ours ended, and leave no zombie
_children_lock = threading.Lock()


def launch(
    home: Path,
    config: RunConfig,
    *,
    pool: Pool | str | None = None,
    allow_parallel: bool = False,
    roots: Sequence[Path] | None = None,
) -> str:
    """Put a run at the end of the queue, start it if its turn has come, and return its id.

    pool : the pool, or the id of a stored one; read from the files that the configuration names where not given.
    roots : where given, every file that the configuration names must lie inside one of these folders.

    Raises
    ------
    PoolError : the pool or the held-out samples cannot be read.
    ConfigError : the configuration names no model.
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
            chosen = data.load_pool(config.pool, mapping=config.mapping or None, roots=roots)
        else:
            chosen = pool
        store.save_pool(home, chosen, inputs=config.pool)
    held_out = None
    if not is_share(config.held_out):
        # read now: a mistake shows at once, and a resumed run measures on the same samples
        held_out = load_held_out(config, roots=roots)
        store.save_pool(home, held_out, listed=False)
    run_id = store.create_run(home, config, chosen, held_out=held_out, allow_parallel=allow_parallel)
    pump(home)
    return run_id


def pump(home: Path) -> list[str]:
    """Start what may start now; returns the ids of the runs started. Call it as often as you like, from anywhere."""
    home = Path(home).resolve()
    refresh(home)
    started = []
    while (run_id := store.claim_next(home, _host())) is not None:
        config = store.read_config(home, run_id)
        try:
            process = _spawn(
                worker_command(home, run_id), store.log_path(home, run_id), threads=config.threads
            )
        except OSError as error:
            text = f"the worker could not be started: {error}"
            store.set_state(home, run_id, "failed", error=text, note=text)
            continue
        store.set_process(
            home, run_id, host=_host(), pid=process.pid, process_started=_start_time(process.pid)
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
    asked = store.set_state(home, run_id, "stopping", expect=("running",), note="asked to stop")
    info = store.run_info(home, run_id)
    if info.active:
        _signal(info, signal.SIGTERM)
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
    if info.host not in (None, _host()):
        raise RunError(f"run {run_id} runs on {info.host}; kill it there")
    store.set_state(home, run_id, "stopping", expect=("running",))
    _signal(info, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while _process(info) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    store.set_state(home, run_id, "stopped", expect=("stopping",), note="killed")


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
    _reap()
    found = []
    for info in store.runs(home):
        if not info.active or not _gone(info):
            continue
        note = "the worker ended while it was asked to stop"
        if not store.set_state(home, info.id, "stopped", expect=("stopping",), pid=info.pid, note=note):
            error = _obituary(home, info)
            if not store.set_state(
                home, info.id, "failed", error=error, expect=("running",), pid=info.pid, note=error
            ):
                continue  # it ended in order between the two looks
        found.append(info.id)
    return found


def alive(info: RunInfo) -> bool:
    """Whether a worker is at work: its process exists, is the one that was started, and its heartbeat is fresh."""
    if not info.active or time.time() - (info.last_seen or 0) > FRESH_SECONDS:
        return False
    starting = info.pid is None  # claimed a moment ago
    return starting or info.host not in (None, _host()) or _process(info) is not None


def start_map(home: Path, pool_id: str) -> MapInfo:
    """Lay out a stored pool's map in a process of its own, at low priority; nothing happens where it is there or
    being made. Returns how far it is."""
    home = Path(home).resolve()
    known = map_info(home, pool_id)
    if known.state in ("ready", "running") or not store.claim_map(home, pool_id, host=_host(), known=known):
        return store.map_info(home, pool_id)
    log = store.pool_folder(home, pool_id) / "map.txt"
    try:
        process = _spawn(map_command(home, pool_id), log, threads=0)
    except OSError as error:
        store.set_map(home, pool_id, "failed", error=f"the process could not be started: {error}")
        return store.map_info(home, pool_id)
    store.set_map_process(
        home, pool_id, host=_host(), pid=process.pid, process_started=_start_time(process.pid)
    )
    with contextlib.suppress(psutil.Error):  # gone already: its state says why
        psutil.Process(process.pid).nice(10)
    return store.map_info(home, pool_id)


def map_info(home: Path, pool_id: str) -> MapInfo:
    """How far a pool's map is; one whose process is gone has failed."""
    _reap()
    info = store.map_info(home, pool_id)
    if info.state == "running" and _gone(info):
        error = f"the process ended without a word while at: {info.stage or 'starting'}"
        store.set_map(home, pool_id, "failed", stage=info.stage, error=error, pid=info.pid)
        info = store.map_info(home, pool_id)
    return info


def worker_command(home: Path, run_id: str) -> list[str]:
    """The command that works on a run."""
    return [sys.executable, "-m", "backend.worker", str(home), run_id, "--claimed"]


def map_command(home: Path, pool_id: str) -> list[str]:
    """The command that lays out a stored pool's map."""
    return [sys.executable, "-m", "backend", "map", pool_id, "--runs-dir", str(home)]


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
    return data.load_pool([config.held_out], mapping=config.mapping or None, roots=roots)


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with every path that exists made absolute: a worker has another working folder."""

    def absolute(name: str) -> str:
        return str(Path(name).resolve()) if name not in ("", "demo") and Path(name).exists() else name

    return dataclasses.replace(
        config,
        pool=tuple(absolute(name) for name in config.pool),
        model=absolute(config.model),
        held_out=config.held_out if is_share(config.held_out) else absolute(config.held_out),
    )


def _spawn(command: list[str], log: Path, *, threads: int) -> subprocess.Popen:
    """Start a process that outlives this one and its terminal, and prints to `log`."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
    # threads that spin while they wait make each other slow where the cores are shared
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _children_lock:
        _children[process.pid] = process
    return process


def _start_time(pid: int) -> float:
    """When a process was started, in seconds since 1970; now, where it is gone: nothing will match that."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()


def _host() -> str:
    return platform.node()


def _process(info: RunInfo | MapInfo) -> psutil.Process | None:
    """The process that was written down, if it is still the same and not a zombie."""
    if info.pid is None or info.process_started is None:
        return None
    try:
        process = psutil.Process(info.pid)
        # the clock may have been set since: start times of one process can differ by a little, never by a second
        same = abs(process.create_time() - info.process_started) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _gone(info: RunInfo | MapInfo) -> bool:
    """Whether the process that was at work certainly is no more."""
    silent = time.time() - (info.last_seen or 0)
    if info.host not in (None, _host()):
        return silent > STARTING_SECONDS  # nobody here can look at its process
    if info.pid is None:
        return silent > STARTING_SECONDS
    return _process(info) is None


def _signal(info: RunInfo, number: signal.Signals) -> None:
    """Send a signal to a worker and all that it started; nothing where it is not the process written down."""
    if info.host in (None, _host()) and _process(info) is not None and info.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(info.pid) == info.pid:
                os.killpg(info.pid, number)
            else:  # somebody started it by hand, in a group that is not its own
                os.kill(info.pid, number)


def _reap() -> None:
    """Take note of our children that have ended."""
    with _children_lock:
        for process in _children.values():
            process.poll()


def _exit_code(pid: int | None) -> int | None:
    """How a process that is gone ended, where it was started here; negative for a signal."""
    with _children_lock:
        process = _children.get(pid or 0)
    if process is None:
        return None
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(timeout=2)  # it is on its way out, yet its parent may learn so a moment later
    return None


def _obituary(home: Path, info: RunInfo) -> str:
    """The last thing that a dead worker did, for a person."""
    code = _exit_code(info.pid)
    how = "ended without a word"
    if code is not None and code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += " (somebody killed it, or the machine ran out of memory)"
    elif code is not None:
        how += f" (exit code {code})"
    last = "before it reported anything"
    if info.stage is not None:
        of = f" of {info.total:,}" if info.total else ""
        last = f"at: {info.stage}, epoch {info.epoch}, {info.done:,}{of} {info.unit}"
    lines = [line for line in store.read_log(home, info.id, tail=5).splitlines() if line.strip()]
    return f"The worker {how} {last}." + (f" It printed last: {lines[-1].strip()}" if lines else "")


@atexit.register
def _leave_children() -> None:
    """Workers go on when this process ends: that is meant, so Python need not complain about it."""
    with _children_lock:
        for process in _children.values():
            if process.poll() is None:
                process.returncode = 0
