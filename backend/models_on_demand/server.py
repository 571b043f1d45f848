"""The process that has the models: `python -m backend.models_on_demand.server`. It answers JSON lines with JSON lines.

    {"id": "a", "do": "show" | "losses", "asked": {...}, "turns": [...], "response": "...", "messages": [...] | null,
     "tools": [...] | null}
    {"id": "b", "do": "answer", "asked": {...}, "turns": [...], "sampling": {...}, "reference": "..." | null}
    {"id": "b", "do": "stop"}                the answer ends where it is; one that is not begun is not begun

    {"id": "a", "found": {...}} | {"id": "a", "error": "..."}
    {"id": "b", "partial": {...}}            an answer as far as it is
    {"state": "starting" | "idle" | "loading" | "answering", "model": label}

`asked` and `sampling` are as `backend.models_on_demand.questions` has them.

Nobody waits for a long answer. Texts need a tokenizer only and have a thread of their own. All that needs a model happens
in one thread, because loading changes torch's global settings: answers in their order, and losses before the next
answer, or between two tokens of one that is being written (unless their model does not fit beside: then after it).

It ends when stdin does, which happens too where its parent is killed, when nobody reads what it says any longer, and
when nothing was asked for some minutes. What libraries print goes to stderr. Torch is imported once stdin is watched.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from backend.errors import Stopped, StudioError, in_a_line
from backend.models_on_demand.process import IDLE_MINUTES
from backend.models_on_demand.questions import Answer, answer_to_json

TELL_SECONDS = 0.1  # between two reports on one answer
ORDER = {"losses": 0, "answer": 1}  # what needs a model: the lower comes first

logger = logging.getLogger("backend.models_on_demand")

Say = Callable[[dict[str, Any]], None]
Request = dict[str, Any]


class Engine(Protocol):
    """What finds out what is asked (`backend.models_on_demand.engine`, or a test's own)."""

    def show(self, request: Request) -> dict[str, Any]: ...
    def losses(self, request: Request) -> dict[str, Any]: ...
    def answer(self, request: Request, on_answer: Callable[[Answer], None]) -> Answer: ...
    def fits(self, request: Request) -> bool:
        """Whether the model of a request is loaded, or fits beside those that are."""
        ...


class Server:
    """Requests, and who answers them. open : ids of those that are not answered. last : when there was anything to do."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.open: set[str] = set()
        self.stopped: set[str] = set()
        self.last = time.monotonic()
        self._texts: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._work: queue.PriorityQueue[tuple[int, int, Request]] = queue.PriorityQueue()
        self._numbers = itertools.count()

    def take(self, line: str) -> None:
        """Take a request."""
        try:
            request = json.loads(line)
            task, name = request["do"], request["id"]
            if task not in ("show", "stop", *ORDER):
                raise ValueError(f"do is {task!r}")
        except (ValueError, KeyError, TypeError) as error:
            logger.error("not a request (%s): %s", error, line[:80])  # only our own app writes here
            return
        if task == "stop":
            self.stopped.add(name)
            return
        self.open.add(name)
        if task == "show":
            self._texts.put(request)
        else:
            self._put(request)

    def run(self, engine: Engine, idle_minutes: float) -> None:
        """Answer until nothing was asked for so long."""

        def show_texts() -> None:
            while True:
                self._answer(self._texts.get(), engine.show)

        threading.Thread(target=show_texts, name="texts", daemon=True).start()
        idle = idle_minutes * 60
        while (left := self.last + idle - time.monotonic()) > 0 or self.open:
            try:
                *_, request = self._work.get(timeout=max(0.05, left))
            except queue.Empty:
                continue
            if request["do"] == "losses":
                self._answer(request, engine.losses)
            else:
                self._answer(request, lambda request: answer_to_json(self._write(request, engine)))
        logger.info("nothing was asked for %g minutes", idle_minutes)

    def _put(self, request: Request) -> None:
        self._work.put((ORDER[request["do"]], next(self._numbers), request))

    def _answer(self, request: Request, find: Callable[[Request], dict[str, Any]]) -> None:
        """Answer one request, be it with what went wrong."""
        try:
            said: dict[str, Any] = {"found": find(request)}
        except StudioError as error:
            said = {"error": str(error)}
        except Exception as error:
            # one request, whatever is wrong with it, must not end the process that answers all the others: whoever asked
            # gets a line, the log the traceback
            logger.exception("the request failed")
            said = {"error": in_a_line(error)}
        self.last = time.monotonic()
        self.open.discard(request["id"])
        self.say({"id": request["id"], **said})

    def _write(self, request: Request, engine: Engine) -> Answer:
        """An answer, told as it grows; losses that were asked for meanwhile are found between its tokens."""
        if request["id"] in self.stopped:
            return Answer("stopped", ended="stopped")
        state, told = "", 0.0

        def on_answer(answer: Answer) -> None:
            nonlocal state, told
            if answer.state != state or time.monotonic() - told >= TELL_SECONDS:
                state, told = answer.state, time.monotonic()
                self.say({"id": request["id"], "partial": answer_to_json(answer)})
            self._find_losses(engine)
            if request["id"] in self.stopped:
                raise Stopped("stopped")

        return engine.answer(request, on_answer)

    def _find_losses(self, engine: Engine) -> None:
        later = []
        while not self._work.empty():
            *_, request = waiting = self._work.get()
            if request["do"] == "losses" and engine.fits(request):
                self._answer(request, engine.losses)
            else:
                later.append(waiting)
            if request["do"] == "answer":
                break  # all losses come before it
        for waiting in later:
            self._work.put(waiting)


def begin() -> Server:
    """Set this process up, once and at first: its stdin is watched, and nothing but answers reaches its stdout."""
    # ctrl-C in the app's terminal: the app ends, and this with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed goes there
    lock = threading.Lock()

    def say(values: dict[str, Any]) -> None:
        with lock:
            try:
                lines.write(json.dumps(values) + "\n")
                lines.flush()
            except BrokenPipeError:
                os._exit(0)  # nobody listens any more

    server = Server(say)

    def listen() -> None:
        for line in sys.stdin:
            server.take(line)
        os._exit(0)

    threading.Thread(target=listen, name="requests", daemon=True).start()
    say({"state": "starting", "model": ""})
    return server


def main(words: Sequence[str] | None = None) -> None:
    """Answer until there is nothing more to answer."""
    parser = argparse.ArgumentParser(
        prog="python -m backend.models_on_demand.server",
        description="Shows samples as models read them and answers prompts, asked by lines of JSON on stdin.",
    )
    parser.add_argument(
        "--idle-minutes", type=float, default=IDLE_MINUTES, help="ends after so long without a request"
    )
    given = parser.parse_args(words)
    server = begin()
    from backend.models_on_demand.engine import ModelEngine

    server.run(ModelEngine(server.say), given.idle_minutes)
    os._exit(0)  # without waiting for the threads that wait for requests


if __name__ == "__main__":
    main()
