"""The process that reads single samples with a model for a screen: `python -m backend.reader --model M`.

Requests come as JSON lines on stdin and are answered, in any order, as JSON lines on stdout:

    {"id": 1, "do": "show" | "losses", "turns": [...], "response": "...", "max_length": 512, "system_prompt": "",
     "messages": [...] | null, "tools": [...] | null}
    {"id": 1, "found": {...}}  or  {"id": 1, "error": "..."}

In between it says in which state it is: {"state": "starting" | "loading model" | "ready"}. The tokenizer is loaded at
first, the model when losses are first asked for; texts are shown while it loads. A model that cannot be had is an
answer, a tokenizer that cannot be had ends the process: {"state": "failed", "error": "..."}. It ends when stdin does,
which happens too where its parent is killed, and when nothing was asked for some minutes. What libraries print goes
to stderr.
"""

from __future__ import annotations

import argparse
import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from backend import line_server
from backend.config import Precision, RunConfig
from backend.errors import ReaderError, StudioError
from backend.line_server import Say
from backend.model.readable import ModelText, TokenLosses, to_json
from backend.records import Conversation

IDLE_MINUTES = 10.0
NEEDED = {"turns": list, "response": str, "max_length": int, "system_prompt": str}

logger = logging.getLogger("backend.reader")


@dataclass
class Requests:
    """What was asked and is not answered yet: texts and losses apart, so that no text waits for a model."""

    answer: Say
    defaults: dict[str, Any]
    texts: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    losses: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    last: float = field(default_factory=time.monotonic)

    def take(self, line: str) -> None:
        """Take a request, or answer what is wrong with it."""
        self.last = time.monotonic()
        try:
            request = _request(line, self.defaults)
        except ReaderError as error:
            self.answer({"id": _id(line), "error": str(error)})
        else:
            (self.losses if request["do"] == "losses" else self.texts).put(request)

    def work(
        self, request: dict[str, Any], find: Callable[[dict[str, Any]], ModelText | TokenLosses]
    ) -> None:
        """Answer one request, be it with what went wrong."""
        try:
            self.answer({"id": request["id"], "found": to_json(find(request))})
        except StudioError as error:
            self.answer({"id": request["id"], "error": str(error)})
        except Exception as error:
            # the one place that catches everything: the person at the screen gets a line, the log the traceback
            logger.exception("the request failed")
            first = (str(error).strip().splitlines() or [""])[0]
            self.answer({"id": request["id"], "error": f"{type(error).__name__}: {first}"})
        self.last = time.monotonic()


class Reading:
    """Finds out what is asked; loads the model when it is first needed."""

    def __init__(self, model: str, precision: Precision, say: Say) -> None:
        from backend.model import load as models

        self.name, self.precision, self.say = model, precision, say
        self.tokenizer, self.positions = models.load_tokenizer(model)
        self._loaded: Any = None

    def text(self, request: dict[str, Any]) -> ModelText:
        """The sample exactly as the model reads it."""
        from backend import prompts

        return prompts.show(tokenizer=self.tokenizer, **self._given(request))

    def losses(self, request: dict[str, Any]) -> TokenLosses:
        """Nats of each piece of the sample's response."""
        from backend import complexity
        from backend.model import load as models

        if self._loaded is None:
            self.say({"state": "loading model"})
            try:
                # with a tokenizer of its own: texts are tokenised on another thread
                self._loaded = models.load(self.name, precision=self.precision)
            finally:
                self.say({"state": "ready"})
        model, tokenizer = self._loaded
        return complexity.token_losses(model, tokenizer, precision=self.precision, **self._given(request))

    def _given(self, request: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {name: request[name] for name in ("max_length", "system_prompt")}
        given["sample"] = Conversation(
            request["turns"], request["response"], request.get("messages"), request.get("tools")
        )
        given["max_length"] = min(given["max_length"], self.positions or given["max_length"])
        return given


def main(words: Sequence[str] | None = None) -> int:
    """Answer until there is nothing more to answer; 0 where it ends in order, 1 where no tokenizer can be had."""
    given = _arguments(words)
    answer = line_server.begin()
    requests = Requests(answer, {"max_length": given.max_length, "system_prompt": given.system_prompt})
    line_server.listen(requests.take)
    answer({"state": "starting"})
    try:
        reading = Reading(given.model, given.precision, answer)
    except StudioError as error:
        logger.error("%s", error)
        answer({"state": "failed", "error": str(error)})
        return 1
    answer({"state": "ready"})

    def read_losses() -> None:
        while True:
            requests.work(requests.losses.get(), reading.losses)
            requests.losses.task_done()

    threading.Thread(target=read_losses, name="losses", daemon=True).start()
    idle = given.idle_minutes * 60
    while True:
        try:
            requests.work(requests.texts.get(timeout=idle), reading.text)
        except queue.Empty:
            if not requests.losses.unfinished_tasks and time.monotonic() - requests.last >= idle:
                line_server.end_idle(given.idle_minutes)


def _request(line: str, defaults: dict[str, Any]) -> dict[str, Any]:
    """A request from its line, or a ReaderError that says what is wrong with it."""
    try:
        request = json.loads(line)
    except ValueError as error:
        raise ReaderError(f"not a line of JSON ({error}): {line[:80]!r}") from error
    if not isinstance(request, dict) or request.get("do") not in ("show", "losses"):
        raise ReaderError(
            f'a request is {{"id": 1, "do": "show" or "losses", ...}}, and this is {line[:80]!r}'
        )
    request = {"id": None, **defaults, **request}
    for name, kind in NEEDED.items():
        if not isinstance(request.get(name), kind):
            raise ReaderError(f"{name} is {request.get(name)!r}; needed: {kind.__name__}")
    return request


def _id(line: str) -> Any:
    """The id of a request that is wrong otherwise; None where there is none."""
    try:
        return json.loads(line).get("id")
    except (ValueError, AttributeError):
        return None


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m backend.reader",
        description="Reads samples with a model, asked by lines of JSON on stdin.",
    )
    parser.add_argument("--model", required=True, help="a folder, a hub id, or 'demo'")
    parser.add_argument(
        "--max-length", type=int, default=RunConfig.max_length, help="where a request names none"
    )
    parser.add_argument("--system-prompt", default=RunConfig.system_prompt, help="where a request names none")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument(
        "--idle-minutes", type=float, default=IDLE_MINUTES, help="ends after so long without work"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
