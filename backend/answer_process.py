"""An answerer that was started (see `backend.answerer`): what is asked of it, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from backend.errors import AskingError
from backend.questions import Question, to_json

ROOT = Path(__file__).resolve().parent.parent
ENDING_SECONDS = 5.0
LAST_LINES = 3

State = Literal["off", "starting", "idle", "loading", "answering"]


class AnswerProcess:
    """One process that answers.

    It ends with this process, however that ends: it reads a pipe whose other end only this process holds.

    on_said : gets each line about a question, on a thread of this object's.
    state, model, since : as the process last said, the model by its label, and when (`time.monotonic`).
    died : why it ended, where nobody asked it to and it had not merely been idle.
    """

    def __init__(self, command: Sequence[str], on_said: Callable[[dict[str, Any]], None]) -> None:
        self.on_said = on_said
        self.state: State = "starting"
        self.model = ""
        self.since = time.monotonic()
        self.asked_to_end = False
        self.died = ""
        self.over = threading.Event()
        self._writing = threading.Lock()
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
            raise AskingError(f"the process that answers could not be started: {error}") from error
        self._listener = threading.Thread(target=self._listen, name="answerer", daemon=True)
        self._listener.start()

    def ask(self, question: Question) -> None:
        """Have a question answered."""
        self._send({"do": "answer", "question": to_json(question)})

    def stop(self, question_id: str) -> None:
        """Have the answering of a question stopped."""
        self._send({"do": "stop", "id": question_id})

    def end(self) -> None:
        """End it, wherever it is; returns when it is gone."""
        assert self.process.stdin is not None
        self.asked_to_end = True
        with contextlib.suppress(BrokenPipeError):  # it was gone, with a request on the way
            self.process.stdin.close()
        try:
            self.process.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()

    def _send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        # a pipe that is broken or closed: the listener has seen or will see the end
        with self._writing, contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                said = json.loads(line)
                if said.get("state") in get_args(State):
                    self.state, self.model, self.since = said["state"], said["model"], time.monotonic()
                else:
                    self.on_said(said)
        code = self.process.wait()
        assert self.process.stdin is not None
        with self._writing, contextlib.suppress(BrokenPipeError):  # a request that it never read
            self.process.stdin.close()
        if code != 0 and not self.asked_to_end:
            self.died = self._obituary(code)
        self.state, self.since = "off", time.monotonic()
        self._log.close()
        self.over.set()
        self.on_said({})

    def _obituary(self, code: int) -> str:
        """How it ended and what it printed last, for a person."""
        how = f"ended (exit code {code})"
        if code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += " (somebody killed it, or the machine ran out of memory)"
        doing = {"starting": "starting", "loading": "loading"}.get(self.state, "answering with")
        text = f"the process that answers {how} while {doing} {self.model}".rstrip()
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        last = "; ".join([line for line in lines if line][-LAST_LINES:])
        return f"{text}. It printed last: {last}" if last else f"{text}. The next question starts it anew"
