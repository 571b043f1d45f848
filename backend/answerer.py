"""The process that answers prompts with one model after another: `python -m backend.answerer`.

Requests come as JSON lines on stdin; a question is answered before the next one is begun:

    {"do": "answer", "question": {...}}      as `backend.questions.to_json` writes it, with the reference's turns
    {"do": "stop", "id": "..."}              the answer that is being written ends where it is, the others are not begun

It says, as JSON lines on stdout, in which state it is, each answer as far as it is, and when a question is done:

    {"state": "starting" | "idle" | "loading" | "answering", "model": label}
    {"id": "...", "at": 0, "answer": {...}}
    {"id": "...", "ended": "done" | "stopped"}

Models are kept while they fit (see `backend.answering.keep`). It ends when stdin does, which happens too where its
parent is killed, and when nothing was asked for some minutes. What libraries print goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import logging
import queue
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from backend import line_server
from backend.errors import RunError, Stopped, StudioError
from backend.line_server import Say
from backend.questions import Answer, Question, answer_to_json, from_json

IDLE_MINUTES = 5.0
TELL_SECONDS = 0.1  # between two reports on one answer

logger = logging.getLogger("backend.answerer")


class Requests:
    """What was asked and is not begun yet, and which questions somebody has stopped."""

    def __init__(self) -> None:
        self.questions: queue.Queue[Question] = queue.Queue()
        self.stopped: set[str] = set()

    def take(self, line: str) -> None:
        """Take a request."""
        try:
            request = json.loads(line)
            if request["do"] == "stop":
                self.stopped.add(request["id"])
            else:
                self.questions.put(from_json(request["question"]))
        except (ValueError, KeyError, TypeError, RunError) as error:
            # only our own app writes here
            logger.error("not a request (%s): %s", error, line[:80])


class Answering:
    """Answers questions; models stay between them."""

    def __init__(self, say: Say, stopped: set[str]) -> None:
        from backend import answering  # torch takes seconds to import: stdin is watched before

        self.say, self.stopped = say, stopped
        self.kept = answering.Kept()

    def question(self, question: Question) -> None:
        """Ask each model in turn; what one of them cannot do does not keep the others from it."""
        for at in range(len(question.models)):
            if question.id in self.stopped:
                break
            self._ask(question, at)
        ended = "stopped" if question.id in self.stopped else "done"
        self.say({"id": question.id, "ended": ended})
        self.stopped.discard(question.id)

    def _ask(self, question: Question, at: int) -> None:
        from backend import answering

        asked = question.models[at]
        last, told = Answer("loading"), 0.0

        def tell(answer: Answer) -> None:
            nonlocal last, told
            now = time.monotonic()
            if answer.state != last.state or now - told >= TELL_SECONDS:
                told = now
                self.say({"id": question.id, "at": at, "answer": answer_to_json(answer)})
            last = answer
            if question.id in self.stopped:
                raise Stopped("stopped")

        def loading() -> None:
            self.say({"state": "loading", "model": asked.label})
            self.say({"id": question.id, "at": at, "answer": answer_to_json(last)})

        try:
            model, tokenizer = self.kept.get(asked.model, asked.precision, loading)
            self.say({"state": "answering", "model": asked.label})
            done = answering.answer(
                model,
                tokenizer,
                question.turns,
                asked,
                sampling=question.sampling,
                reference=question.sample.response if question.sample else None,
                on_answer=tell,
            )
        except StudioError as error:
            done = replace(last, state="failed", error=str(error))
        except Exception as error:
            # the one place that catches everything: the person at the screen gets a line, the log the traceback
            logger.exception("the answer failed")
            done = replace(last, state="failed", error=_words(error))
            self.kept.clear()  # memory may have come to its end, and what is left of the model is unknown
        self.say({"id": question.id, "at": at, "answer": answer_to_json(done)})


def _words(error: Exception) -> str:
    """What went wrong, in one line."""
    from backend.answering.keep import first_line, out_of_memory

    if out_of_memory(error):
        return (
            "out of memory while the answer was being generated; the models were unloaded. Ask for fewer tokens, or "
            f"wait until what shares the machine has ended ({first_line(error)})"
        )
    return f"{type(error).__name__}: {first_line(error)}"


def main(words: Sequence[str] | None = None) -> int:
    """Answer until there is nothing more to answer."""
    given = _arguments(words)
    say, requests = line_server.begin(), Requests()
    line_server.listen(requests.take)
    say({"state": "starting", "model": ""})
    answering = Answering(say, requests.stopped)
    say({"state": "idle", "model": ""})
    while True:
        try:
            question = requests.questions.get(timeout=given.idle_minutes * 60)
        except queue.Empty:
            line_server.end_idle(given.idle_minutes)
        answering.question(question)
        say({"state": "idle", "model": ""})


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m backend.answerer",
        description="Answers prompts with language models, asked by lines of JSON on stdin.",
    )
    parser.add_argument(
        "--idle-minutes", type=float, default=IDLE_MINUTES, help="ends after so long without a question"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
