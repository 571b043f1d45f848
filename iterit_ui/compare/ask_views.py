"""What the page shows of questions and answers: words and numbers from what lies on disk, no model."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend import store
from backend.errors import RunError, StudioError, without_folders
from backend.models_on_demand import client, question_queue
from backend.models_on_demand.client import ProcessState
from backend.models_on_demand.question_queue import load_question, question_ids
from backend.models_on_demand.questions import Answer, AskedModel, Question
from iterit_ui.shared.session import beginning

STATE = {
    "waiting": ("waits", "plain"),
    "loading": ("loading the model", "candidate"),
    "answering": ("writing", "candidate"),
    "reading": ("reading the reference", "candidate"),
    "done": ("done", "pinned"),
    "stopped": ("stopped", "plain"),
    "failed": ("failed", "rejected"),
}
ENDED = {
    "end": "ended by itself",
    "limit": "cut off at the limit",
    "positions": "cut off: the model's context is full",
    "stopped": "stopped",
}
SHARED = (
    "A training run is active on this machine. Asking shares its memory and processors: both become slower, and where "
    "memory is short one of them may fail."
)


def looked(home: Path) -> Callable[[list[Any]], dict[str, Any]]:
    """`look` for the answers component; what the page sends is checked."""

    def look(asked: list[Any]) -> dict[str, Any]:
        try:
            wanted, stamp = (str(part) for part in asked)
            return seen(home, wanted, stamp)
        except (StudioError, ValueError, TypeError) as error:
            return {"error": str(error)}

    return look


def seen(home: Path, wanted: str, stamp: str) -> dict[str, Any]:
    """What there is to see now, or {same: True} where the page has seen it.

    wanted : a question's id; the newest where it is "" or no longer kept.
    """
    ids = question_ids(home)
    question = _question(home, wanted) if wanted in ids else None
    if question is None and ids:
        question = _question(home, ids[0])
    found = {
        "worker": worker_words(client.state()),
        "warn": SHARED if any(info.active for info in store.runs(home)) else "",
        "question": question_value(question) if question else None,
        "history": [entry for one in ids if (entry := _entry(home, one)) is not None],
    }
    now = hashlib.sha1(json.dumps(found).encode(), usedforsecurity=False).hexdigest()
    return {"same": True} if now == stamp else {"stamp": now, **found}


def question_value(question: Question) -> dict[str, Any]:
    """A question with its answers, as the component takes it."""
    columns = (
        [
            {
                "label": "Reference response",
                "hint": "The response that comes with the held-out sample",
                "state": "",
                "tone": "plain",
                "text": question.sample.response,
                "facts": [f"held-out sample {question.sample.id}"],
            }
        ]
        if question.sample
        else []
    )
    first = question.answers[0] if question.models and not question.models[0].run else None
    for at, (model, answer) in enumerate(zip(question.models, question.answers, strict=True)):
        columns.append(column(model, answer, None if at == 0 else first, question.models[0].label))
    waits = question_queue.before(question.id) if question.state == "waiting" else None
    return {
        "id": question.id,
        "when": moment(question.asked),
        "facts": facts(question),
        "turns": [dict(turn) for turn in question.turns],
        "live": question.live,
        "waits": waiting_words(waits) if question.state == "waiting" else "",
        "columns": columns,
    }


def column(model: AskedModel, answer: Answer, base: Answer | None, base_label: str) -> dict[str, Any]:
    """One model's answer. base : the untrained model's, to compare with."""
    state, tone = STATE[answer.state]
    said = []
    if answer.tokens or answer.ended:
        said.append(f"{answer.tokens:,} tokens")
        speed = answer.tokens_per_second
        said.append(f"{speed:,.1f} tokens/s" if math.isfinite(speed) else "speed unknown")
    if answer.ended:
        said.append(ENDED[answer.ended])
    loss, delta = "", None
    if math.isfinite(answer.reference_loss):
        loss = f"Reference response: {answer.reference_loss:.3f} (its loss under this model)"
        if base is not None and math.isfinite(base.reference_loss):
            change = answer.reference_loss - base.reference_loss
            words = (
                f"{change:+.3f} against {base_label}".replace("-", "−", 1)
                if change < 0
                else f"{change:+.3f} against {base_label}"
            )
            delta = {"text": words, "tone": "good" if change < 0 else "bad" if change > 0 else "plain"}
    elif answer.reference_reason:
        loss = f"Reference response: its loss is unknown ({answer.reference_reason})"
    return {
        "label": model.label,
        "hint": f"{model.model}; system prompt: {model.system_prompt or 'none'}",
        "state": state,
        "tone": tone,
        "text": answer.text,
        "facts": said,
        "loss": loss,
        "delta": delta,
        "error": sentence(without_folders(answer.error)),
    }


def facts(question: Question) -> str:
    """How the answers are written, in one line."""
    how = "the most likely token each time"
    if question.sampling.temperature:
        how = f"sampled at temperature {question.sampling.temperature:g}, seed {question.sampling.seed}"
    prompts = {model.system_prompt for model in question.models}
    system = (
        f"system prompt “{beginning(next(iter(prompts)), 80)}”" if prompts != {""} else "no system prompt"
    )
    if len(prompts) > 1:
        system = "each with its run’s system prompt"
    return f"Asked {moment(question.asked)}: {how}, at most {question.sampling.max_new_tokens:,} tokens, {system}."


def waiting_words(before: int | None) -> str:
    """How long the queue before a question is."""
    if before is None:
        return "Waiting for another app that uses this folder."
    if before == 0:
        return "Next in the queue; the model process is starting."
    return f"Waits: {before} question{'s' if before > 1 else ''} from other visitors or tabs come first."


def worker_words(state: ProcessState) -> dict[str, Any]:
    """What the process that answers is doing, as the component takes it."""
    loaded = state.state not in ("off", "idle") or bool(state.model)
    text, tone = {
        "off": ("", ""),
        "starting": ("Starting the model process.", "candidate"),
        "loading": (f"Loading {state.model}.", "candidate"),
        "answering": (f"{state.model} is answering.", "candidate"),
        "idle": ("Models are loaded.", "pinned"),
    }[state.state]
    if not loaded:
        text, tone = "No model is loaded. The first question loads them.", "plain"
    elif state.unloads_in is not None:
        minutes = max(1, round(state.unloads_in / 60))
        left = "within a minute" if state.unloads_in < 60 else f"in about {minutes} min"
        text = f"Models are loaded and idle. They are unloaded {left} if nothing is asked."
    return {"text": text, "tone": tone, "loaded": loaded, "note": sentence(state.note)}


def sentence(text: str) -> str:
    """A text with a capital at its beginning and a full stop at its end; "" stays as it is."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def moment(at: float) -> str:
    """When something happened: the time alone where it was today."""
    then, now = time.localtime(at), time.localtime()
    today = (then.tm_year, then.tm_yday) == (now.tm_year, now.tm_yday)
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", then)


def _question(home: Path, question_id: str) -> Question | None:
    try:
        return question_queue.current(home, question_id)
    except RunError:
        return None  # the oldest goes when another is asked


@lru_cache(maxsize=256)
def _asked(home: Path, question_id: str) -> tuple[float, str, str]:
    question = load_question(home, question_id)
    last = question.turns[-1]["content"] if question.turns else ""
    return question.asked, beginning(last, 140), ", ".join(model.label for model in question.models)


def _entry(home: Path, question_id: str) -> dict[str, str] | None:
    """A line of the list of earlier questions; what was asked never changes."""
    try:
        asked, text, models = _asked(home, question_id)
    except RunError:
        return None
    return {"id": question_id, "when": moment(asked), "text": text, "models": models}
