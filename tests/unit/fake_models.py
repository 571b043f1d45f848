"""The model process with an engine that needs no torch and behaves as the model's name, or the prompt, says.

    python -m tests.unit.fake_models FOLDER [IDLE_MINUTES]

A text is "<pid> <model> <response>". What comes to the engine is written to FOLDER/asked.txt; what "waits" goes on once
there is FOLDER/go. `client.server_command` is what tests have start this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.errors import ModelError, Stopped
from backend.models_on_demand.process import IDLE_MINUTES
from backend.models_on_demand.questions import Answer
from backend.models_on_demand.server import begin


class FakeEngine:
    """Says what it does as the real one does."""

    def __init__(self, say: Callable[[dict[str, Any]], None], folder: Path) -> None:
        self.say, self.folder = say, folder
        say({"state": "idle", "model": ""})

    def show(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = self._begin(request)
        return {
            "text": f"{os.getpid()} {asked['model']} {request['response']}", "start": 1, "end": 2, "cut": 3, "tokens": 4,
            "response_tokens": 5, "whole_tokens": 6, "max_length": asked["max_length"],
            "alone_text": asked["system_prompt"], "alone_start": 0, "alone_end": 0, "alone_tokens": 0, "reason": "",
        }  # fmt: skip

    def losses(self, request: dict[str, Any]) -> dict[str, Any]:
        self.say({"state": "loading", "model": "heavy"})
        self._begin(request)
        self.say({"state": "idle", "model": "heavy"})
        return {
            "pieces": ["a", "b"], "tokens": [1, 1], "conditioned": [1.5, None], "alone": [2.5, 3.5], "closing": 2,
            "loss_cond": 1.5, "loss_prior": None, "response_tokens": 2, "reason": "non-finite loss",
        }  # fmt: skip

    def answer(self, request: dict[str, Any], on_answer: Callable[[Answer], None]) -> Answer:
        """The prompt and "!"; "hang" is written for as long as nobody stops it."""
        self._begin(request)
        text = request["turns"][-1]["content"]
        said = Answer("answering", text, 1)
        self.say({"state": "answering", "model": request["asked"]["label"]})
        if text == "die":
            print("no memory left", file=sys.stderr, flush=True)
            os._exit(7)
        try:
            on_answer(said)
            while text == "hang":
                time.sleep(0.01)
                on_answer(said)
        except Stopped:
            return replace(said, state="stopped", ended="stopped")
        finally:
            self.say({"state": "idle", "model": "tiny"})
        return replace(said, state="done", text=text + "!", tokens=2, ended="end")

    def fits(self, request: dict[str, Any]) -> bool:
        return request["asked"]["model"] != "huge"

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        with open(self.folder / "asked.txt", "a") as file:
            file.write(json.dumps(request) + "\n")
        model = request["asked"]["model"]
        if model == "dies":
            print("not enough memory, sorry", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if model == "idle" and not (self.folder / "ended").exists():
            (self.folder / "ended").touch()
            os._exit(0)
        while model == "waits" and not (self.folder / "go").exists():
            time.sleep(0.01)
        if request.get("response") == "bad":
            raise ModelError("this sample cannot be read")
        if request.get("response") == "odd":
            raise KeyError("turns")
        return dict(request["asked"])


if __name__ == "__main__":
    server = begin()
    idle = float(sys.argv[2]) if sys.argv[2:] else IDLE_MINUTES
    if os.environ.get("FAKE_STARTS_FOREVER"):
        time.sleep(600)
    server.run(FakeEngine(server.say, Path(sys.argv[1])), idle)
    os._exit(0)
