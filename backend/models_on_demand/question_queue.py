"""Questions to models, of all visitors in one queue: first come, first served, by the process that has the models.

What is answered goes to disk as it comes: a page reads it there, and so shows the same after a reload, in a second tab
and on another visitor's screen.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from backend.errors import AskingError, ModelProcessError, RunError
from backend.jobs import processes
from backend.models_on_demand import client
from backend.models_on_demand.process import Unloaded
from backend.models_on_demand.questions import (
    Answer,
    AskedModel,
    HeldOutSample,
    Question,
    Sampling,
    answer_from_json,
    from_json,
    to_json,
)
from backend.records import Turn
from backend.store.files import replacing
from backend.store.paths import RUN_ID, new_run_id

KEPT_QUESTIONS = 50
WRITE_SECONDS = 0.25  # between two writings of an answer that grows
LONGEST_PROMPT = 100_000  # characters
MOST_TOKENS, MOST_TEMPERATURE, MOST_SEED = 8192, 5.0, 2**31 - 1

_changed = threading.Condition()
_waiting: deque[tuple[Path, Question]] = deque()
_now = ""  # the id of the question that is being answered
_stopped: set[str] = set()
_thread: threading.Thread | None = None


def checked_prompt(text: str) -> tuple[Turn, ...]:
    """The turns of a prompt that somebody typed.

    Raises
    ------
    AskingError : it is empty or too long.
    """
    if not text.strip():
        raise AskingError("the prompt is empty: type one or use a held-out sample")
    if len(text) > LONGEST_PROMPT:
        raise AskingError(f"the prompt has {len(text):,} characters; the limit is {LONGEST_PROMPT:,}")
    return (Turn(role="user", content=text),)


def check_sampling(sampling: Sampling) -> None:
    """Raise an AskingError where a number is out of its range."""
    for name, value, low, high in (
        ("max new tokens", sampling.max_new_tokens, 1, MOST_TOKENS),
        ("temperature", sampling.temperature, 0, MOST_TEMPERATURE),
        ("seed", sampling.seed, 0, MOST_SEED),
    ):
        if not low <= value <= high:
            raise AskingError(f"{name} is {value:g}; expected {low:g} to {high:,g}")


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
            _thread = threading.Thread(target=_answer_all, name="questions", daemon=True)
            _thread.start()
        _changed.notify_all()
    return question.id


def current(home: Path, question_id: str) -> Question:
    """A question as it is now; one whose app has ended in the middle of it has failed.

    Raises
    ------
    RunError : there is no such question (any more).
    """
    found = load_question(home, question_id)
    if found.live and found.host == processes.this_host() and processes.process_of(found) is None:
        return found.ended("failed", "the app ended before this was answered; ask again")
    return found


def save_question(home: Path, question: Question) -> None:
    """Write a question with its answers as they are now; the oldest go where there are more than are kept."""
    path = _path(home, question.id)
    new = not path.exists()
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(to_json(question), ensure_ascii=False, allow_nan=False), encoding="utf-8"
        )
    if new:
        for old in question_ids(home)[KEPT_QUESTIONS:]:
            _path(home, old).unlink(missing_ok=True)


def load_question(home: Path, question_id: str) -> Question:
    """A stored question.

    Raises
    ------
    RunError : the id is not one, there is no such question (any more), or its file cannot be read.
    """
    path = _path(home, question_id)
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise RunError(
            f"question {question_id} not found in {home} (the last {KEPT_QUESTIONS} are kept)"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error})") from error


def question_ids(home: Path) -> list[str]:
    """The ids of the stored questions, newest first."""
    folder = Path(home) / "answers"
    if not folder.is_dir():
        return []
    return sorted((path.stem for path in folder.glob("*.json") if RUN_ID.fullmatch(path.stem)), reverse=True)


def _path(home: Path, question_id: str) -> Path:
    if not isinstance(question_id, str) or not RUN_ID.fullmatch(question_id):
        raise RunError(
            f"{question_id!r} is not a question's id (expected something like 20251122-174455-3fa9c1)"
        )
    return Path(home) / "answers" / f"{question_id}.json"


def before(question_id: str) -> int | None:
    """How many questions come before one that waits; None where it does not wait here."""
    with _changed:
        ids = [one.id for _, one in _waiting]
        return ids.index(question_id) + bool(_now) if question_id in ids else None


def stop(question_id: str) -> None:
    """Stop a question, where it is live here: what is written stays, the models that are left are not asked."""
    with _changed:
        for home, one in _waiting:
            if one.id == question_id:
                _waiting.remove((home, one))
                save_question(home, one.ended("stopped"))
                return
        if question_id == _now:
            _stopped.add(question_id)
            client.stop(question_id)


def _answer_all() -> None:
    """Have one question after another answered; the thread of that name."""
    global _now
    while True:
        with _changed:
            _changed.wait_for(lambda: bool(_waiting))
            home, question = _waiting.popleft()
            _now = question.id
        try:
            _answer(home, question)
        finally:
            with _changed:
                _stopped.discard(_now)
                _now = ""


def _answer(home: Path, question: Question) -> None:
    """Ask each model in turn; what one of them cannot do does not keep the others from it."""
    written = 0.0

    def take(at: int, said: dict[str, Any]) -> None:
        nonlocal question, written
        answer = answer_from_json(said)
        quiet = answer.state == question.answers[at].state
        question = replace(question, state="answering").with_answer(at, answer)
        if not quiet or time.monotonic() - written >= WRITE_SECONDS:
            written = time.monotonic()
            save_question(home, question)

    try:
        for at, asked in enumerate(question.models):
            if question.id in _stopped:
                break
            request = {
                "id": question.id,
                "do": "answer",
                "asked": asdict(asked),
                "turns": list(question.turns),
                "sampling": asdict(question.sampling),
                "reference": question.sample.response if question.sample else None,
            }
            take(at, client.call(request, on_partial=lambda said, at=at: take(at, said)))  # type: ignore[misc]
        question = question.ended("stopped" if question.id in _stopped else "done")
    except Unloaded:
        question = question.ended("stopped")
    except ModelProcessError as error:
        question = question.ended("failed", str(error))
    save_question(home, question)
