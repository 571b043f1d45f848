"""What the app asks of the model process: a sample as a model reads it, the loss of each of its tokens, and more by `call`.

One process serves everybody. It is started when somebody first asks, and ends by itself after some idle minutes, by
`unload`, and with this process. What was found of a sample is remembered. Nothing here imports torch.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from backend import store
from backend.errors import ModelProcessError
from backend.model.readable import ModelText, TokenLosses, losses_from_json, text_from_json
from backend.models_on_demand.asked_models import last_written
from backend.models_on_demand.process import IDLE_MINUTES, IdleEnd, ModelProcess, State
from backend.models_on_demand.questions import AskedModel
from backend.store.shelf import keep_last

TEXT_SECONDS = 60.0  # a tokenizer takes seconds; more where it is fetched from the hub
LOSSES_SECONDS = 120.0  # a large model takes longer: it goes on loading, and the next one to ask waits less
REMEMBERED = 256  # texts and losses

Task = Literal["show", "losses"]

_lock = threading.Lock()
_process: ModelProcess | None = None
_numbers = itertools.count(1)


@dataclass(frozen=True)
class ProcessState:
    """What the model process is doing.

    state : "off"; "starting"; "loading" a model; "answering" a question; "idle".
    model : the label of the model that is loading or answers; where idle, of the last one, "" where none is loaded.
    unloads_in : seconds until it ends for want of requests; None where it is not idle.
    note : why it ended, where nobody asked it to and it had not merely been idle; else "".
    """

    state: State = "off"
    model: str = ""
    unloads_in: float | None = None
    note: str = ""


def show(home: Path, pool_id: str, row: int, asked: AskedModel) -> ModelText:
    """A sample of a stored pool exactly as a model reads it; waits until the process has answered.

    asked : the caller has checked that visitors may read this model.

    Raises
    ------
    PoolError : there is no such pool or row.
    ModelProcessError : the tokenizer cannot be loaded, or the process died or takes longer than `TEXT_SECONDS`.
    """
    return text_from_json(_found("show", Path(home), pool_id, int(row), asked, last_written(asked.model)))


def losses(home: Path, pool_id: str, row: int, asked: AskedModel) -> TokenLosses:
    """Nats of each piece of a sample's response, with and without its prompt; parameters and errors as for `show`.

    The first time waits for the model too, for `LOSSES_SECONDS` at most: then it is an error that says so, and the
    model goes on loading for the next one who asks.
    """
    return losses_from_json(_found("losses", Path(home), pool_id, int(row), asked, last_written(asked.model)))


def call(
    request: dict[str, Any],
    *,
    seconds: float | None = None,
    on_partial: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Have the process do something; started where there is none. Parameters and errors as for `ModelProcess.call`."""
    for _ in range(2):  # again, where it ended for want of work at that very moment
        with contextlib.suppress(IdleEnd):
            return _running().call(request, seconds=seconds, on_partial=on_partial)
    raise ModelProcessError("the model process ended twice without an answer")


def stop(request_id: str) -> None:
    """Have the answer to a request end where it is."""
    if _process is not None:
        _process.send({"do": "stop", "id": request_id})


def state() -> ProcessState:
    """What the model process is doing."""
    one = _process
    if one is None:
        return ProcessState()
    left = max(0.0, IDLE_MINUTES * 60 - (time.monotonic() - one.since)) if one.state == "idle" else None
    return ProcessState(one.state, one.model, left, one.note)


@atexit.register
def unload() -> None:
    """End the process, and what it is doing with it; returns when it is gone. The next request starts it again."""
    if _process is not None:
        _process.end()


def server_command() -> list[str]:
    """The command that starts the process."""
    return [sys.executable, "-m", "backend.models_on_demand.server", f"--idle-minutes={IDLE_MINUTES:g}"]


def _running() -> ModelProcess:
    global _process
    with _lock:
        if _process is None or _process.ended or _process.ending:
            _process = ModelProcess(server_command())
        return _process


@keep_last(REMEMBERED)
def _found(
    task: Task, home: Path, pool_id: str, row: int, asked: AskedModel, written: float
) -> dict[str, Any]:
    """What the process finds, as JSON values. The content of a row never changes, so it is asked for once.

    written : of the model's files; where they are others, what was found of the former does not hold.
    """
    sample = store.sample_at(home, pool_id, row)
    request = {
        "id": f"{task} {next(_numbers)}",
        "do": task,
        "asked": asdict(asked),
        "turns": sample.turns,
        "response": sample.response,
        "messages": sample.conversation.messages,
        "tools": sample.conversation.tools,
    }
    return call(request, seconds=TEXT_SECONDS if task == "show" else LOSSES_SECONDS)
