"""What a model reads of a sample and expects of its response, asked from a process that has the model.

This process imports neither torch nor transformers. The reader (`backend.reader`) is started when somebody first
asks, kept while one model is asked for, and ended by another model, by itself after some idle minutes, and with this
process. What was found is remembered.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from backend import store
from backend.config import Precision
from backend.errors import ReaderError
from backend.model.readable import ModelText, TokenLosses, losses_from_json, text_from_json
from backend.reader_process import ReaderProcess, State

TEXT_SECONDS = 60.0  # a tokenizer takes seconds; more where it is fetched from the hub
LOSSES_SECONDS = 120.0  # a large model takes longer: it goes on loading, and the next one to ask waits less
REMEMBERED = 256  # answers; a long one is some hundred KiB

Task = Literal["show", "losses"]
_Key = tuple[str, Precision, float]  # a reader's model, its precision, and when the model was written

_changed = threading.Condition()
_starting = threading.Lock()  # held while one reader is ended and another started
_reader: ReaderProcess | None = None
_key: _Key | None = None


@dataclass(frozen=True)
class ReaderState:
    """What the reader is doing, for a screen that waits for it.

    state : "off" no reader is running; "starting" its tokenizer is being loaded; "loading model" texts can be had,
        losses are waited for; "ready" it reads, or waits for something to read.
    model : the model it reads with; where it is off, the last one.
    seconds : how long it has been in this state.
    note : why the last reader ended, where nobody asked it to and it had not merely been idle; else "".
    """

    state: State
    model: str
    seconds: float
    note: str


def as_read(
    home: Path,
    pool_id: str,
    row: int,
    model: str,
    *,
    max_length: int,
    system_prompt: str,
    precision: Precision = "auto",
) -> ModelText:
    """A sample of a stored pool exactly as a model reads it; waits until the reader has answered.

    model : a folder, a hub id or "demo"; the caller has checked that visitors may read it.

    Raises
    ------
    PoolError : there is no such pool or row.
    ReaderError : the tokenizer cannot be loaded, or the reader died or takes longer than `TEXT_SECONDS`.
    """
    given = _given(home, pool_id, row, model, precision, max_length, system_prompt)
    return text_from_json(_answer("show", *given))


def token_losses(
    home: Path,
    pool_id: str,
    row: int,
    model: str,
    *,
    max_length: int,
    system_prompt: str,
    precision: Precision = "auto",
) -> TokenLosses:
    """Nats of each piece of a sample's response, with and without its prompt; parameters and errors as for `as_read`.

    The first time waits for the model too, for `LOSSES_SECONDS` at most: then it is an error that says so, and the
    model goes on loading for the next one who asks.
    """
    given = _given(home, pool_id, row, model, precision, max_length, system_prompt)
    return losses_from_json(_answer("losses", *given))


def state() -> ReaderState:
    """What the reader is doing."""
    with _changed:
        if _reader is None:
            return ReaderState("off", "", 0.0, "")
        shown: State = "off" if _reader.ended else _reader.state
        return ReaderState(shown, _reader.model, time.monotonic() - _reader.since, _reader.died)


@atexit.register
def stop_reader() -> None:
    """End the reader, if there is one; whoever waits for it gets a ReaderError. Returns when it is gone."""
    global _reader
    with _changed:
        former, _reader = _reader, None
    if former is not None:
        former.end()


def reader_command(model: str, precision: Precision) -> list[str]:
    """The command that reads samples with a model."""
    # with "=", so that no name is taken for an option
    return [sys.executable, "-m", "backend.reader", f"--model={model}", f"--precision={precision}"]


def _given(
    home: Path, pool_id: str, row: int, model: str, precision: Precision, max_length: int, system_prompt: str
) -> tuple[Path, str, int, _Key, int, str]:
    """The parameters of an answer, by which it is remembered."""
    written = 0.0
    if model not in ("", "demo") and Path(model).exists():
        model = str(Path(model).resolve())  # the reader has another working folder
        written = _written(Path(model))
    return Path(home), pool_id, int(row), (model, precision, written), int(max_length), system_prompt


def _written(folder: Path) -> float:
    """When a model's files were last written: a run may have put other weights there."""
    return max((path.stat().st_mtime for path in folder.iterdir()), default=0.0) if folder.is_dir() else 0.0


@lru_cache(maxsize=REMEMBERED)
def _answer(
    task: Task, home: Path, pool_id: str, row: int, key: _Key, max_length: int, system_prompt: str
) -> dict[str, Any]:
    """The reader's answer as JSON values. The content of a row never changes, so it is asked for once."""
    sample = store.sample_at(home, pool_id, row)
    request = {
        "do": task,
        "turns": sample.turns,
        "response": sample.response,
        "messages": sample.conversation.messages,
        "tools": sample.conversation.tools,
        "max_length": max_length,
        "system_prompt": system_prompt,
    }
    limit = TEXT_SECONDS if task == "show" else LOSSES_SECONDS
    until = time.monotonic() + limit
    for _ in range(2):  # again, where it ended for want of work at that very moment
        reader, number = _reader_for(key, until)
        said = reader.answer(number, request, _left(until))
        if said is not None and "found" in said:
            return dict(said["found"])
        if said is not None:
            raise ReaderError(said["error"])
        if not reader.ended:
            raise ReaderError(_too_long(reader, task, limit))
        if reader.died or reader.asked_to_end:
            raise ReaderError(
                reader.died or f"the reader of model {key[0]} was stopped before it had answered"
            )
    raise ReaderError(f"the reader of model {key[0]} ended twice without an answer")


def _reader_for(key: _Key, until: float) -> tuple[ReaderProcess, int]:
    """The reader of this model, started where need be, and a number under which it is waited for.

    Another model's reader is ended, but not before those who wait for it have their answers.
    """
    global _reader, _key
    busy = f"the reader is busy with another model than {key[0]}; ask again in a while"
    if not _starting.acquire(timeout=_left(until)):
        raise ReaderError(busy)
    try:
        with _changed:
            former = _reader
            if former is not None and key == _key and not former.ended:
                return former, former.expect()
            if former is not None and not _changed.wait_for(
                lambda: former.ended or not former.waiting, _left(until)
            ):
                raise ReaderError(busy)
        if former is not None:
            former.end()
        reader = ReaderProcess(reader_command(*key[:2]), key[0], _changed)
        with _changed:
            _reader, _key = reader, key
            return reader, reader.expect()
    finally:
        _starting.release()


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _too_long(reader: ReaderProcess, task: Task, limit: float) -> str:
    what = f"a sample needs longer than {limit:g} s to be read with model {reader.model}"
    if reader.state == "starting":
        what = f"the tokenizer of model {reader.model} needs longer than {limit:g} s to load"
    elif reader.state == "loading model" and task == "losses":
        what = f"the model {reader.model} needs longer than {limit:g} s to load"
    return f"{what}; it goes on, ask again in a while"
