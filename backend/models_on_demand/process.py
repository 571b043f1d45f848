"""The child process that has the models, as the app sees it: started, asked by JSON lines over its pipes, ended.

The other side, and what the lines say, is `backend.models_on_demand.server`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from backend.errors import ModelProcessError
from backend.jobs.processes import how_it_ended

ROOT = Path(__file__).resolve().parents[2]
IDLE_MINUTES = 5.0  # after so long without a request the child ends
ENDING_SECONDS = 5.0
LAST_LINES = 3

State = Literal["off", "starting", "idle", "loading", "answering"]


class Unloaded(ModelProcessError):
    """Somebody ended the process before it had answered."""


class IdleEnd(ModelProcessError):
    """The process had ended for want of requests before it read this one."""


class ModelProcess:
    """One child, which ends with this process however that ends: it reads a pipe whose other end only we hold.

    state, model : as it last said, the model by its label. since : when it last said anything (`time.monotonic`).
    ending : whether somebody has ended it. ended : whether it is gone.
    note : why it ended, where nobody asked it to and it had not merely been idle; else "".

    Raises
    ------
    ModelProcessError : it could not be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.state: State = "starting"
        self.model, self.note = "", ""
        self.since = time.monotonic()
        self.ending = self.ended = False
        self._replies: dict[str, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._replying, self._writing = threading.Lock(), threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it has no name: nothing to clear away, whoever is killed
        # threads that spin while they wait make each other slow where the cores are shared
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "TOKENIZERS_PARALLELISM": "false"}
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                encoding="utf-8",
            )
        except OSError as error:
            self._log.close()
            raise ModelProcessError(f"the model process could not be started: {error}") from error
        self._listener = threading.Thread(target=self._listen, name="models on demand", daemon=True)
        self._listener.start()

    def call(
        self,
        request: dict[str, Any],
        *,
        seconds: float | None = None,
        on_partial: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Send a request, which has an "id" of its own, and wait for what is found.

        seconds : of patience; None waits as long as the process lives. on_partial : gets what is found on the way.

        Raises
        ------
        ModelProcessError : the request failed, the process died, or patience ended (the process works on).
        Unloaded, IdleEnd : the process was ended, or had ended by itself before.
        """
        replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._replying:
            self._replies[request["id"]] = replies
            if self.ended:
                replies.put(None)
        self.send(request)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            while (said := replies.get(timeout=until and max(0.0, until - time.monotonic()))) is not None:
                if "error" in said:
                    raise ModelProcessError(said["error"])
                if "found" in said:
                    return dict(said["found"])
                if on_partial is not None:
                    on_partial(said["partial"])
        except queue.Empty:
            raise ModelProcessError(
                f"no answer after {seconds:g} s: the model process is still {self._doing}; try again shortly"
            ) from None
        finally:
            with self._replying:
                del self._replies[request["id"]]
        if self.ending:
            raise Unloaded("the model process was stopped before it had answered")
        if self.note:
            raise ModelProcessError(self.note)
        raise IdleEnd("the model process ended before it had read the request")

    def send(self, request: dict[str, Any]) -> None:
        """Write a request; where the process has ended, nothing happens."""
        assert self.process.stdin is not None
        # Windows has another error than BrokenPipeError; a pipe that is broken or closed: the listener has seen or will see the end
        with self._writing, contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """End it, wherever it is; returns when it is gone and everybody who waits for it knows."""
        assert self.process.stdin is not None
        self.ending = True
        with contextlib.suppress(OSError):  # it was gone, with a request on the way
            self.process.stdin.close()
        try:
            self.process.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()

    @property
    def _doing(self) -> str:
        words = {"starting": "starting", "loading": f"loading {self.model}"}
        return words.get(
            self.state, f"answering with {self.model}" if self.state == "answering" else "reading"
        )

    def _listen(self) -> None:
        assert self.process.stdout is not None and self.process.stdin is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else it was killed in the middle of a line
                    self._take(json.loads(line))
        code = self.process.wait()
        with self._writing, contextlib.suppress(OSError):  # a request that it never read
            self.process.stdin.close()
        with self._log, self._replying:
            if code != 0 and not self.ending:
                self.note = self._describe_exit(code)
            self.state, self.model, self.ended = "off", "", True
            for replies in self._replies.values():
                replies.put(None)

    def _take(self, said: dict[str, Any]) -> None:
        self.since = time.monotonic()
        if "state" in said:
            self.state, self.model = said["state"], said["model"]
            return
        with self._replying:
            if said["id"] in self._replies:  # else nobody waits any longer
                self._replies[said["id"]].put(said)

    def _describe_exit(self, code: int) -> str:
        """How it ended and what it printed last, for a person. code : as `subprocess` has it, negative for a signal."""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        last = "; ".join([line for line in lines if line][-LAST_LINES:])
        rest = f"It printed last: {last}" if last else "The next request starts it again"
        return f"the model process {how_it_ended(code, printed=bool(last))} while {self._doing}. {rest}"
