"""Workers that need not import torch again: forked from a process that has, where a test starts many.

A worker takes six seconds of a core to import what it needs, and a test of what becomes of a stopped run starts two. What
is forked here runs the same command in a process, session, folder and environment of its own; only its imports were made
before. A launcher that is forked here forks the processes that it launches. The fixture `warm_workers` has
`processes.spawn` start such workers; the tests of starting itself do without.

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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

IMPORTS = (
    "backend.jobs.worker",
    "backend.iterate.run",
    "backend.training",
    "transformers.models.llama.modeling_llama",
    "accelerate.commands.launch",
    "torch.distributed.run",
)
STARTED = "WARM_STARTED"  # names the file in which every process that was started here is written down


class Forked:
    """A process as `subprocess.Popen` would give it: as much as what starts it and the tests ask of one."""

    def __init__(
        self,
        address: str,
        command: list[str],
        environment: dict[str, str],
        cwd: str,
        stdin: Any,
        stdout: Any,
        stderr: Any,
    ) -> None:
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        given = []
        if stdin == subprocess.PIPE:
            read, write = os.pipe()
            self.stdin = os.fdopen(write, "w")
        else:
            read = os.open(os.devnull, os.O_RDONLY)
        given.append(read)
        if stdout == subprocess.PIPE:
            read, write = os.pipe()
            self.stdout = os.fdopen(read)
        else:
            write = os.dup(1 if stdout is None else stdout.fileno())
        given.append(write)
        given.append(
            os.dup(write if stderr == subprocess.STDOUT else 2 if stderr is None else stderr.fileno())
        )
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(address)
        request = {"command": command, "environment": environment, "cwd": cwd}
        socket.send_fds(self._line, [b"."], given)
        self._line.sendall(json.dumps(request).encode() + b"\n")
        for descriptor in given:
            os.close(descriptor)
        self.args = command
        said = b""
        while not said.endswith(b"\n"):
            said += self._line.recv(1)
        self.pid = int(said)
        self.returncode: int | None = None

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """The exit code where it has ended, negative where a signal ended it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = int(self._line.recv(100))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._line.close()
        return self.returncode


def forked_for(word: str) -> dict[int, int | None]:
    """Ids of the processes, ended ones too, that were started here with this word in their command; for each its rank, if a
    launcher started it."""
    found: dict[int, int | None] = {}
    if STARTED in os.environ and Path(os.environ[STARTED]).is_file():
        for line in Path(os.environ[STARTED]).read_text().splitlines():
            pid, rank, command = line.split("\t", 2)
            if word in command:
                found[int(pid)] = int(rank) if rank else None
    return found


def _write_down(pid: int, command: Sequence[str], rank: str) -> None:
    with open(os.environ[STARTED], "a") as file:
        file.write(f"{pid}\t{rank}\t{' '.join(' '.join(command).split())}\n")


class Starting:
    """The module `subprocess` for `backend.jobs.processes` and tests, whose workers are forked."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(
        self,
        command: list[str],
        *,
        env: dict[str, str],
        cwd: Path | None = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        **_: Any,
    ) -> Forked:
        return Forked(self._address, command, env, str(cwd or Path.cwd()), stdin, stdout, stderr)

    def run(
        self, command: list[str], *, cwd: Path, check: bool = False, **_: Any
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` gives; stdout and stderr come as one text."""
        with tempfile.TemporaryFile("w+") as log:
            started = self.Popen(command, env=dict(os.environ), cwd=cwd, stdout=log, stderr=subprocess.STDOUT)
            code = started.wait()
            log.seek(0)
            done = subprocess.CompletedProcess(command, code, log.read())
        if check and code:
            raise subprocess.CalledProcessError(code, command, done.stdout)
        return done


class Launched:
    """What a launcher's `Popen` gives it: a process that is forked from the launcher itself."""

    def __init__(self, args: Sequence[str], env: dict[str, str], stdout: Any, stderr: Any, **_: Any) -> None:
        self.args, self.returncode = args, None
        self.pid = os.fork()
        if self.pid == 0:
            for number, file in ((1, stdout), (2, stderr)):
                if file is not None:
                    os.dup2(file.fileno(), number)
            _become({"command": list(args), "environment": env, "cwd": os.getcwd()})
        _write_down(self.pid, args, env["RANK"])

    returncode: int | None

    def poll(self) -> int | None:
        """The exit code where it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        until = time.monotonic() + (timeout or 1e9)
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
            time.sleep(0.02)
        return code


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address at which workers are forked while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address = str(Path(folder) / "socket")
        command = [sys.executable, __file__, address]
        os.environ[STARTED] = address + ".started"
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
    from torch.distributed.elastic.multiprocessing.subprocess_handler import subprocess_handler

    for name in IMPORTS:
        importlib.import_module(name)
    subprocess_handler.Popen = Launched  # type: ignore[misc, assignment]
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
            given = socket.recv_fds(line, 1, 3)[1]
            _watch(line, json.loads(line.makefile("r").readline()), given)
        line.close()


def _watch(line: socket.socket, request: dict[str, Any], given: list[int]) -> None:
    """The parent of one worker: says its id, and how it ended. given : what it has as stdin, stdout and stderr."""
    worker = os.fork()
    if worker == 0:
        line.close()
        for number, source in enumerate(given):
            os.dup2(source, number)
            os.close(source)
        _become(request)
    for source in given:
        os.close(source)
    _write_down(worker, request["command"], "")
    with contextlib.suppress(OSError):  # the test may be over by then
        line.sendall(f"{worker}\n".encode())
        status = os.waitpid(worker, 0)[1]
        line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """Run a command of this interpreter as a process of its own would."""
    os.setsid()
    started = os.environ[STARTED]
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update({**request["environment"], STARTED: started})
    _, *words = (word for word in request["command"] if word != "-u")
    code = 1
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            sys.modules.pop(words[1], None)  # its imports stay
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
