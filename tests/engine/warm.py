"""Workers that need not import torch again: forked from a process that has, where a test starts many.

A worker takes six seconds of a core to import what it needs, and a test of what becomes of a stopped run starts two. What
is forked here runs the same command in a process, session, folder, environment and log of its own; only its imports were
made before. The fixture `warm_workers` has `processes.spawn` start such workers; the tests of starting itself do without.

As a script this is the process that is forked: `warm.py SOCKET`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

IMPORTS = (
    "backend.jobs.worker",
    "backend.iterate.run",
    "backend.training",
    "transformers.models.llama.modeling_llama",
)
_forked: list[tuple[int, list[str]]] = []  # pid and command of every worker that was started here


class Forked:
    """A worker as `subprocess.Popen` would give it: as much as `backend.jobs.processes` and the tests ask of one."""

    def __init__(
        self, address: str, command: list[str], environment: dict[str, str], cwd: str, log: str
    ) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(address)
        request = {"command": command, "environment": environment, "cwd": cwd, "log": log}
        self._line.sendall(json.dumps(request).encode() + b"\n")
        self.args = command
        said = b""
        while not said.endswith(b"\n"):
            said += self._line.recv(1)
        self.pid = int(said)
        self.returncode: int | None = None
        _forked.append((self.pid, command))

    def poll(self) -> int | None:
        """The exit code where it has ended, negative where a signal ended it."""
        if self.returncode is None:
            self._line.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self._ended(int(self._line.recv(100)))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self._ended(int(self._line.recv(100)))
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        assert self.returncode is not None
        return self.returncode

    def _ended(self, code: int) -> None:
        self.returncode = code
        self._line.close()


def forked_for(word: str) -> list[int]:
    """Ids of the workers, ended ones too, that were started here with this word in their command."""
    return [pid for pid, command in _forked if any(word in part for part in command)]


class Starting:
    """The module `subprocess` for `backend.jobs.processes` and tests, whose workers are forked."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(
        self, command: list[str], *, env: dict[str, str], cwd: Path, stdout: IO[bytes], **_: Any
    ) -> Forked:
        return Forked(self._address, command, env, str(cwd), stdout.name)

    def run(
        self, command: list[str], *, cwd: Path, check: bool = False, **_: Any
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` gives; stdout and stderr come as one text."""
        with tempfile.NamedTemporaryFile("r") as log:
            code = Forked(self._address, command, dict(os.environ), str(cwd), log.name).wait()
            done = subprocess.CompletedProcess(command, code, log.read())
        if check and code:
            raise subprocess.CalledProcessError(code, command, done.stdout)
        return done


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address at which workers are forked while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address = str(Path(folder) / "socket")
        command = [sys.executable, __file__, address]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
            try:
                until = time.monotonic() + 120
                while not Path(address).exists():
                    assert process.poll() is None and time.monotonic() < until, "nothing to fork from"
                    time.sleep(0.05)
                yield address
            finally:
                process.kill()


def serve(address: str) -> None:
    """Import what workers import, then fork one for every command that comes."""
    for name in IMPORTS:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address + ".new")
    listening.listen()
    os.rename(address + ".new", address)
    while True:
        if sys.stdin in select.select([listening, sys.stdin], [], [])[0]:
            return  # the tests are gone
        line, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(line, json.loads(line.makefile("r").readline()))
        line.close()


def _watch(line: socket.socket, request: dict[str, Any]) -> None:
    """The parent of one worker: says its id, and how it ended."""
    worker = os.fork()
    if worker == 0:
        line.close()
        _become(request)
    with contextlib.suppress(OSError):  # the test may be over by then
        line.sendall(f"{worker}\n".encode())
        status = os.waitpid(worker, 0)[1]
        line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """Run a command of this interpreter as a process of its own would."""
    os.setsid()
    output = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, number)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    _, *words = request["command"]
    code = 1
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
