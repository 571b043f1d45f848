"""An answerer that was started (see `backend.answerer`): what is asked of it, what it says, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from backend.errors import AskingError
from backend.line_process import LineProcess
from backend.questions import Question, to_json

State = Literal["off", "starting", "idle", "loading", "answering"]


class AnswerProcess(LineProcess):
    """One process that answers.

    on_said : gets each line about a question, on a thread of this object's.
    state, model, since : as the process last said, the model by its label, and when (`time.monotonic`).
    died : why it ended, where nobody asked it to and it had not merely been idle.
    """

    def __init__(self, command: Sequence[str], on_said: Callable[[dict[str, Any]], None]) -> None:
        self.on_said = on_said
        self.state: State = "starting"
        self.model = ""
        self.since = time.monotonic()
        self.died = ""
        self.over = threading.Event()
        try:
            super().__init__(command, name="answerer")
        except OSError as error:
            raise AskingError(f"the process that answers could not be started: {error}") from error

    def ask(self, question: Question) -> None:
        """Have a question answered."""
        self.send({"do": "answer", "question": to_json(question)})

    def stop(self, question_id: str) -> None:
        """Have the answering of a question stopped."""
        self.send({"do": "stop", "id": question_id})

    def _take(self, said: dict[str, Any]) -> None:
        if said.get("state") in get_args(State):
            self.state, self.model, self.since = said["state"], said["model"], time.monotonic()
        else:
            self.on_said(said)

    def _gone(self, code: int) -> None:
        if code != 0 and not self.asked_to_end:
            doing = {"starting": "starting", "loading": "loading"}.get(self.state, "answering with")
            self.died = self._obituary(
                code,
                who="the process that answers",
                doing=f"{doing} {self.model}".rstrip(),
                silent="The next question starts it anew",
            )
        self.state, self.since = "off", time.monotonic()
        self.over.set()
        self.on_said({})
