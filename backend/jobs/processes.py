"""Processes of our own that outlive us: started, recognised later by id and start time, and told how they ended.

A process is the one that was written down when its id and its start time both match; an id alone is given to
another process sooner or later.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import psutil

# above seconds since 1970, and 300 years; the largest multiple of it still tells 0.2 s apart
MACHINE_STARTS = 1e10
STARTING_SECONDS = 120.0  # until a process that was started must have written itself down
WINDOWS = sys.platform == "win32"
# Ctrl+C in the terminal is for the app; elsewhere a session of its own sees to that
OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
ROOT = Path(__file__).resolve().parents[2]

LAUNCHER_NAMES = (
    "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_", "ROLE_", "MASTER_", "TORCHELASTIC_", "ACCELERATE_",
)  # fmt: skip

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
OUTER_THREADS = "ITERIT_OUTER_THREADS"  # what of these was set where the first process of ours was started

_children: dict[int, subprocess.Popen] = {}  # to tell how a process of ours ended, and leave no zombie
_children_lock = threading.Lock()


class Written(Protocol):
    """What was written down about a process: where it runs, which it is, and when it last gave a sign of life."""

    @property
    def host(self) -> str | None: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def process_started(self) -> float | None: ...
    @property
    def last_seen(self) -> float | None: ...


def spawn(command: list[str], log: Path, *, threads: int = 0) -> subprocess.Popen:
    """Start a process that outlives this one and its terminal, and prints to `log`."""
    # what a launcher told this process about itself does not hold for another
    own = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHER_NAMES)}
    # and the threads that were set for this process, or shared out by its launcher, are not for the next run
    outer = json.loads(os.environ[OUTER_THREADS]) if OUTER_THREADS in os.environ else _threads(own)
    own = {name: value for name, value in own.items() if name not in THREADS} | outer
    environment = {**own, "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
    # of the log, which is read so, also where the system has another
    environment["PYTHONIOENCODING"] = "utf-8"
    environment[OUTER_THREADS] = json.dumps(outer)
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
            creationflags=OWN_GROUP,
        )
    with _children_lock:
        _children[process.pid] = process
    return process


def _threads(environment: Mapping[str, str]) -> dict[str, str]:
    """The numbers of threads that an environment sets."""
    return {name: environment[name] for name in THREADS if name in environment}


def start_time(pid: int) -> float:
    """What tells a process from every other that has had its id, and stays as it is when somebody sets the clock.

    On Linux the seconds from the machine's start to the process's, after a number for that start of the machine; elsewhere
    seconds since 1970. Where the process is gone it is now: nothing will match that.
    """
    try:
        return _since_start(pid) or psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()


def is_same(pid: int, started: float) -> bool:
    """Whether the process of this id is the one that was started then (`start_time`), and is at work.

    A runs folder of an earlier version, and Windows and macOS, have seconds since 1970.
    """
    try:
        process = psutil.Process(pid)
        now = _since_start(pid) if started >= MACHINE_STARTS else process.create_time()
        return abs(now - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _since_start(pid: int) -> float:
    """`start_time` on Linux; 0 elsewhere, and where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    machine = _machine_start()
    # what follows the name, in brackets and of any signs, begins with the third field; the 22nd is the start
    ticks = int(stat.rpartition(")")[2].split()[19])
    return machine + ticks / os.sysconf("SC_CLK_TCK") if machine else 0.0


@functools.cache
def _machine_start() -> float:
    """A number for when this machine was started: a multiple of `MACHINE_STARTS`, more seconds than one is up; 0 where it
    is not known."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return MACHINE_STARTS * (1 + int(started.replace("-", "")[:4], 16))


def this_host() -> str:
    """The name of this machine."""
    return platform.node()


def process_of(info: Written) -> psutil.Process | None:
    """The process that was written down, if it is still the same and not a zombie."""
    if info.pid is None or info.process_started is None or not is_same(info.pid, info.process_started):
        return None
    try:
        return psutil.Process(info.pid)
    except psutil.Error:  # gone since
        return None


def is_gone(info: Written) -> bool:
    """Whether the process that was at work certainly is no more."""
    silent = time.time() - (info.last_seen or 0)
    if info.host not in (None, this_host()):
        return silent > STARTING_SECONDS  # nobody here can look at its process
    if info.pid is None:
        return silent > STARTING_SECONDS
    return process_of(info) is None


def send(info: Written, number: signal.Signals) -> None:
    """Send a signal to a process and all that it started; nothing where it is not the process written down.

    Nothing on Windows, which has no such signals: whoever is asked to stop reads so in the database within a second.
    """
    if WINDOWS:
        return
    if info.host in (None, this_host()) and process_of(info) is not None and info.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(info.pid) == info.pid:
                os.killpg(info.pid, number)
            else:  # somebody started it by hand, in a group that is not its own
                os.kill(info.pid, number)


def end_at_once(info: Written, *, seconds: float = 10.0) -> None:
    """End a process and all that it started, also what has a session of its own; returns when they are gone."""
    process = process_of(info) if info.host in (None, this_host()) else None
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        others = process.children(recursive=True)
        if WINDOWS:
            process.kill()
        else:
            send(info, signal.SIGKILL)
        for other in others:
            with contextlib.suppress(psutil.NoSuchProcess):
                other.kill()
        # psutil's own waiting would take the exit code of our child away from `exit_code`
        deadline = time.monotonic() + seconds
        while any(_is_there(one) for one in (process, *others)) and time.monotonic() < deadline:
            time.sleep(0.02)


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def reap() -> None:
    """Take note of our children that have ended."""
    with _children_lock:
        for process in _children.values():
            process.poll()


def exit_code(pid: int | None) -> int | None:
    """How a process that is gone ended, where it was started here; negative for a signal."""
    with _children_lock:
        process = _children.get(pid or 0)
    if process is None:
        return None
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(timeout=2)  # it is on its way out, yet its parent may learn so a moment later
    return None


def how_it_ended(code: int | None, *, printed: bool = False) -> str:
    """How a process ended, in words that follow its name.

    code : as `subprocess` has it, None where it is not known. printed : it printed something, which follows.
    """
    if code is None:
        return "exited without an error message"
    if code >= 0:
        return (
            f"exited with code {code}" if printed else f"exited without an error message (exit code {code})"
        )
    how = f"was ended by {signal.Signals(-code).name}"
    if -code == signal.SIGKILL:
        how += " (somebody killed it, or the machine ran out of memory)"
    return how


@atexit.register
def _leave_children() -> None:
    """They go on when this process ends: that is meant, so Python need not complain about it."""
    with _children_lock:
        for process in _children.values():
            if process.poll() is None:
                process.returncode = 0
