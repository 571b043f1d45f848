"""Asking models: questions of all visitors in one queue, first come first served, answered by a process with torch.

This process imports neither torch nor transformers. The answerer (`backend.answerer`) is started when somebody asks,
and ended by itself after some idle minutes, by `unload`, and with this process. What it writes goes to disk as it
comes: a page reads it there, and so shows the same after a reload, in a second tab and on another visitor's screen.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backend import processes
from backend.answer_process import AnswerProcess, State
from backend.errors import AskingError, RunError
from backend.questions import (
    Answer,
    AskedModel,
    HeldOutSample,
    Question,
    Sampling,
    answer_from_json,
)
from backend.records import Turn
from backend.store.answers import load_question, question_ids, save_question
from backend.store.paths import new_run_id

IDLE_MINUTES = 5.0
WRITE_SECONDS = 0.25  # between two writings of an answer that grows
LONGEST_PROMPT = 100_000  # characters
MOST_TOKENS, MOST_TEMPERATURE, MOST_SEED = 8192, 5.0, 2**31 - 1

_changed = threading.Condition()
_waiting: deque[tuple[Path, Question]] = deque()
_now: tuple[Path, Question] | None = None
_process: AnswerProcess | None = None
_thread: threading.Thread | None = None
_written = 0.0


@dataclass(frozen=True)
class AnswererState:
    """What the process that answers is doing.

    state : "off" no model is loaded; "starting"; "loading" a model; "answering"; "idle" models are loaded.
    model : the label of the model that is loaded or answers. seconds : how long it has been in this state.
    unloads_in : seconds until it ends for want of questions; None where it is not idle.
    note : why it ended, where nobody asked it to and it had not merely been idle; else "".
    waiting : questions that are not begun.
    """

    state: State
    model: str
    seconds: float
    unloads_in: float | None
    note: str
    waiting: int


def typed(text: str) -> tuple[Turn, ...]:
    """The turns of a prompt that somebody typed.

    Raises
    ------
    AskingError : it is empty or too long.
    """
    if not text.strip():
        raise AskingError("the prompt is empty; type one, or take a held-out sample")
    if len(text) > LONGEST_PROMPT:
        raise AskingError(f"the prompt has {len(text):,} characters; {LONGEST_PROMPT:,} are allowed")
    return (Turn(role="user", content=text),)


def check_sampling(sampling: Sampling) -> None:
    """Raise an AskingError where a number is out of its range."""
    for name, value, low, high in (
        ("max new tokens", sampling.max_new_tokens, 1, MOST_TOKENS),
        ("temperature", sampling.temperature, 0, MOST_TEMPERATURE),
        ("seed", sampling.seed, 0, MOST_SEED),
    ):
        if not low <= value <= high:
            raise AskingError(f"{name} is {value:g}; {low:g} to {high:,g} is allowed")


def ask(
    home: Path,
    models: Sequence[AskedModel],
    turns: Sequence[Turn],
    *,
    sampling: Sampling | None = None,
    sample: HeldOutSample | None = None,
) -> str:
    """Put a question at the end of the queue and return its id; `load_question` shows how far it is.

    turns : everything before the answer. sample : the held-out sample whose turns these are, None where typed.

    Raises
    ------
    AskingError : a number is out of its range, or there is no model to ask.
    """
    global _thread
    if not models:
        raise AskingError("there is no model to ask")
    sampling = sampling or Sampling()
    check_sampling(sampling)
    me = os.getpid()
    question = Question(
        id=new_run_id(),
        asked=time.time(),
        turns=tuple(turns),
        models=tuple(models),
        sampling=sampling,
        sample=sample,
        answers=tuple(Answer() for _ in models),
        host=processes.this_host(),
        pid=me,
        process_started=processes.start_time(me),
    )
    save_question(home, question)
    with _changed:
        _waiting.append((Path(home), question))
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_serve, name="questions", daemon=True)
            _thread.start()
        _changed.notify_all()
    return question.id


def question(home: Path, question_id: str) -> Question:
    """A question as it is now; one whose app has ended in the middle of it has failed.

    Raises
    ------
    RunError : there is no such question (any more).
    """
    found = load_question(home, question_id)
    if found.live and found.host == processes.this_host() and processes.process_of(found) is None:
        return found.ended("failed", "the app ended before this was answered; ask again")
    return found


def questions(home: Path) -> list[Question]:
    """The stored questions, newest first; a file that cannot be read is not among them."""
    found = []
    for one in question_ids(home):
        try:
            found.append(question(home, one))
        except RunError:
            continue  # it was the oldest, and gone since
    return found


def before(question_id: str) -> int | None:
    """How many questions come before one that waits; None where it does not wait here."""
    with _changed:
        ids = [one.id for _, one in _waiting]
        return ids.index(question_id) + (_now is not None) if question_id in ids else None


def stop(question_id: str) -> bool:
    """Stop a question: what is written stays, the models that are left are not asked. False where it was not live."""
    with _changed:
        for home, one in _waiting:
            if one.id == question_id:
                _waiting.remove((home, one))
                save_question(home, one.ended("stopped"))
                return True
        if _now is not None and _now[1].id == question_id:
            if _process is not None:
                _process.stop(question_id)
            return True
    return False


def state() -> AnswererState:
    """What the process that answers is doing."""
    with _changed:
        if _process is None:
            return AnswererState("off", "", 0.0, None, "", len(_waiting))
        seconds = time.monotonic() - _process.since
        left = max(0.0, IDLE_MINUTES * 60 - seconds) if _process.state == "idle" else None
        return AnswererState(_process.state, _process.model, seconds, left, _process.died, len(_waiting))


@atexit.register
def unload() -> None:
    """End the process that answers, and with it the question that it is at; the others go on with a new one."""
    with _changed:
        former = _process
    if former is not None:
        former.end()


def answerer_command() -> list[str]:
    """The command that answers questions."""
    return [sys.executable, "-m", "backend.answerer", f"--idle-minutes={IDLE_MINUTES:g}"]


def _serve() -> None:
    """Have one question after another answered; the thread of that name."""
    global _now
    while True:
        with _changed:
            _changed.wait_for(lambda: bool(_waiting))
            home, one = _now = _waiting.popleft()
        try:
            # again, where the process ended for want of work at that very moment
            if not (_have_answered(one) or _have_answered(one)):
                _keep(one.ended("failed", "the process that answers ended twice without an answer"), home)
        except AskingError as error:
            _keep(one.ended("failed", str(error)), home)
        with _changed:
            _now = None


def _have_answered(one: Question) -> bool:
    """Have a question answered, and wait until it has ended; False where the process ended before it was begun."""
    process = _answerer()
    process.ask(one)

    def over() -> bool:
        return process.over.is_set() or _now is None or not _now[1].live

    with _changed:
        _changed.wait_for(over)
        assert _now is not None  # it is this thread that sets it
        home, ended = _now
        if ended.live and process.asked_to_end:
            _keep(ended.ended("stopped"), home)
        elif ended.live and process.died:
            _keep(ended.ended("failed", process.died), home)
        return not _now[1].live


def _answerer() -> AnswerProcess:
    """The process that answers, started where there is none."""
    global _process
    with _changed:
        if _process is None or _process.over.is_set() or _process.asked_to_end:
            _process = AnswerProcess(answerer_command(), _said)
        return _process


def _said(said: dict[str, Any]) -> None:
    """Take down what the process says about the question that it is at."""
    global _written
    with _changed:
        if _now is not None and said.get("id") == _now[1].id:
            home, one = _now
            if "ended" in said:
                _keep(one.ended(said["ended"]), home)
            else:
                answer = answer_from_json(said["answer"])
                grown = replace(one, state="answering").with_answer(said["at"], answer)
                quiet = answer.state == one.answers[said["at"]].state
                _keep(grown, home, written=not quiet or time.monotonic() - _written >= WRITE_SECONDS)
        _changed.notify_all()


def _keep(one: Question, home: Path, *, written: bool = True) -> None:
    """Remember how far a question is, and write it down unless it was written a moment ago."""
    global _now, _written
    with _changed:
        _now = (home, one)
        if written:
            save_question(home, one)
            _written = time.monotonic()
