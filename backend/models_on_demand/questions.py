"""A question to several models and their answers: what is asked, what a screen shows, and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from backend.config import Precision
from backend.errors import RunError
from backend.records import Turn

AnswerState = Literal["waiting", "loading", "answering", "reading", "done", "stopped", "failed"]
QuestionState = Literal["waiting", "answering", "done", "stopped", "failed"]
EndedBy = Literal["", "end", "limit", "positions", "stopped"]
LIVE: tuple[QuestionState, ...] = ("waiting", "answering")


@dataclass(frozen=True)
class AskedModel:
    """A model that is asked, and how it reads a prompt: as the run that it belongs to was trained.

    label : what a person calls it. model : a folder, a hub id, or "demo". run : the run whose model it is, "" for a
        base model. system_prompt, max_length, precision : of that run's configuration, or, for a base model, of the
        first run that was trained from it.
    """

    label: str
    model: str
    run: str
    system_prompt: str
    max_length: int
    precision: Precision


@dataclass(frozen=True)
class Sampling:
    """How an answer is written.

    max_new_tokens : tokens after which it is cut off.
    temperature : 0 takes the most likely token each time; above, tokens are drawn from the model's probabilities
        sharpened or flattened by it, none left out.
    seed : of the drawing; the same prompt, model, temperature and seed give the same answer on the same machine.
    """

    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class HeldOutSample:
    """A sample that none of the asked runs was trained on. run : the run that it was held out of, `pool` and `row`
    where it is stored. response : what its author answered, the reference."""

    run: str
    pool: str
    row: int
    id: str
    response: str


@dataclass(frozen=True)
class Answer:
    """One model's answer, as far as it is.

    tokens : written so far, what ends the answer not among them. prompt_tokens : 0 until it is known.
    seconds : from the reading of the prompt to the last token. Loading the model is not in it.
    ended : what ended it: "end" the model's own end, "limit" max_new_tokens, "positions" the model reads no more
        tokens, "stopped" somebody; "" while it is written, or where it failed.
    reference_loss : nats per token of a held-out sample's reference response under this model; NaN where there is no
        such sample or it is not known (yet), with the reason.
    error : what went wrong, for a person; "" where nothing did.
    """

    state: AnswerState = "waiting"
    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    ended: EndedBy = ""
    reference_loss: float = math.nan
    reference_tokens: int = 0
    reference_reason: str = ""
    error: str = ""

    @property
    def tokens_per_second(self) -> float:
        """Tokens per second, the reading of the prompt included; NaN where none was written."""
        return self.tokens / self.seconds if self.tokens and self.seconds > 0 else math.nan


@dataclass(frozen=True)
class Question:
    """What was asked, of which models, and what they answered.

    id : names it, in the order of time. asked : seconds since 1970 (UTC).
    turns : everything before the answer. sample : the held-out sample that the turns are of, None where typed.
    answers : one per model, in their order.
    host, pid, process_started, last_seen : the process that answers it, as `backend.jobs.processes` knows one.
    """

    id: str
    asked: float
    turns: tuple[Turn, ...]
    models: tuple[AskedModel, ...]
    sampling: Sampling = field(default_factory=Sampling)
    sample: HeldOutSample | None = None
    state: QuestionState = "waiting"
    answers: tuple[Answer, ...] = ()
    host: str | None = None
    pid: int | None = None
    process_started: float | None = None
    last_seen: float | None = None

    @property
    def live(self) -> bool:
        """Whether it is waited for."""
        return self.state in LIVE

    def with_answer(self, at: int, answer: Answer) -> Question:
        """The same question with another answer in one place."""
        answers = list(self.answers)
        answers[at] = answer
        return replace(self, answers=tuple(answers))

    def ended(self, state: QuestionState, error: str = "") -> Question:
        """The question at its end; answers that are not finished end with it.

        Text that was written already stays. error : why they fail, where the state is "failed".
        """
        left: AnswerState = "failed" if state == "failed" else "stopped"
        closed = tuple(
            answer
            if answer.state in ("done", "stopped", "failed")
            else replace(answer, state=left, error=error, ended="stopped" if left == "stopped" else "")
            for answer in self.answers
        )
        return replace(self, state=state, answers=closed)


def to_json(question: Question) -> dict[str, Any]:
    """Plain JSON values; what is not a number there is null."""
    return {**asdict(question), "answers": [answer_to_json(answer) for answer in question.answers]}


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Plain JSON values of one answer; what is not a number there is null."""
    loss = answer.reference_loss
    return {**asdict(answer), "reference_loss": loss if math.isfinite(loss) else None}


def answer_from_json(values: dict[str, Any]) -> Answer:
    """What `answer_to_json` wrote."""
    loss = values["reference_loss"]
    return Answer(**{**values, "reference_loss": math.nan if loss is None else loss})


def from_json(values: dict[str, Any]) -> Question:
    """What `to_json` wrote.

    Raises
    ------
    RunError : something is missing, or a state is none.
    """
    try:
        question = Question(
            **{
                **values,
                "turns": tuple(Turn(role=turn["role"], content=turn["content"]) for turn in values["turns"]),
                "models": tuple(AskedModel(**model) for model in values["models"]),
                "sampling": Sampling(**values["sampling"]),
                "sample": HeldOutSample(**values["sample"]) if values["sample"] else None,
                "answers": tuple(answer_from_json(answer) for answer in values["answers"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise RunError(f"this is not a stored question ({type(error).__name__}: {error})") from error
    if question.state not in get_args(QuestionState):
        raise RunError(f"state is {question.state!r}; allowed: {', '.join(get_args(QuestionState))}")
    return question
