"""Questions to models and their answers, one file each; the last ones are kept."""

from __future__ import annotations

import json
from pathlib import Path

from backend.errors import RunError
from backend.questions import Question, from_json, to_json
from backend.store.files import replacing
from backend.store.paths import RUN_ID

KEPT_QUESTIONS = 50


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
            f"there is no question {question_id} in {home} (the last {KEPT_QUESTIONS} are kept)"
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
