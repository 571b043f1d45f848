"""Asking a reader process: one at a time, several visitors, what is said where it is slow, dies or refuses."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from backend.reading import ReaderState, as_read, state, stop_reader, token_losses

from backend import line_process, reading, store
from backend.config import Precision
from backend.data import load_pool
from backend.errors import PoolError, ReaderError
from iterit_ui.samples.sample_values import said_of

ROWS = 12
SETTINGS: dict[str, Any] = {"max_length": 64, "system_prompt": "be kind"}

# speaks as a reader does, and behaves as the model's name says; its texts are "<pid> <model> <response>"
FAKE = """
import json, os, pathlib, signal, sys, time

folder, model = pathlib.Path(sys.argv[1]), sys.argv[2]

def say(**values):
    print(json.dumps(values), flush=True)

say(state="starting")
if model == "refuses":
    say(state="failed", error="there is no such tokenizer")
    sys.exit(1)
if model == "never":
    time.sleep(600)
say(state="ready")
for line in sys.stdin:
    asked = json.loads(line)
    with open(folder / "asked.txt", "a") as file:
        file.write(line)
    if model == "dies":
        print("not enough memory, sorry", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if model == "idle" and not (folder / "ended").exists():
        (folder / "ended").touch()
        sys.exit(0)
    if asked["do"] == "losses":
        say(state="loading model")
        if model == "heavy":
            time.sleep(600)
        say(state="ready")
    while model == "waits" and not (folder / "go").exists():
        time.sleep(0.01)
    if asked["response"] == "bad":
        say(id=asked["id"], error="this sample cannot be read")
    elif asked["do"] == "show":
        text = f"{os.getpid()} {model} {asked['response']}"
        say(id=asked["id"], found={"text": text, "start": 1, "end": 2, "cut": 3, "tokens": 4, "response_tokens": 5,
            "whole_tokens": 6, "max_length": asked["max_length"], "alone_text": asked["system_prompt"],
            "alone_start": 0, "alone_end": 0, "alone_tokens": 0, "reason": ""})
    else:
        say(id=asked["id"], found={"pieces": ["a", "b"], "tokens": [1, 1], "conditioned": [1.5, None],
            "alone": [2.5, 3.5], "closing": 2, "loss_cond": 1.5, "loss_prior": None, "response_tokens": 2,
            "reason": "non-finite loss"})
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runs folder with one pool, and a reader that is not one; whatever was started is ended."""
    script = tmp_path / "fake_reader.py"
    script.write_text(FAKE)

    def command(model: str, precision: Precision) -> list[str]:
        return [sys.executable, str(script), str(tmp_path), model]

    monkeypatch.setattr(reading, "reader_command", command)
    monkeypatch.setattr(line_process, "ENDING_SECONDS", 0.2)  # some of these do not look at stdin
    rows = [
        {"prompt": f"question {i}", "completion": "bad" if i == 1 else f"answer {i}"} for i in range(ROWS)
    ]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store.save_pool(tmp_path, load_pool([tmp_path / "pool.jsonl"]))
    reading._answer.cache_clear()
    yield tmp_path
    stop_reader()
    reading._answer.cache_clear()
    assert not readers()


def readers() -> list[int]:
    """Process ids of the readers below this process."""
    return [
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "fake_reader.py" in " ".join(child.cmdline())
    ]


def pool_of(home: Path) -> str:
    return store.list_pools(home)[0].id


def text_of(home: Path, row: int, model: str, **changed: Any) -> tuple[int, str]:
    """(process id, what was read)."""
    text = as_read(home, pool_of(home), row, model, **{**SETTINGS, **changed}).text
    pid, _, rest = text.partition(" ")
    return int(pid), rest


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.01)


def asked(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "asked.txt").read_text().splitlines()]


def test_a_reader_is_started_when_asked_and_kept(home: Path) -> None:
    assert state() == ReaderState("off", "", 0.0, "") and not readers()
    found = as_read(home, pool_of(home), 3, "good", **SETTINGS)
    assert found.text.endswith(" good answer 3") and (found.max_length, found.alone_text) == (64, "be kind")
    pid = int(found.text.split()[0])
    assert readers() == [pid] and (state().state, state().model) == ("ready", "good")
    assert text_of(home, 4, "good", max_length=9) == (pid, "good answer 4")
    losses = token_losses(home, pool_of(home), 4, "good", **SETTINGS)
    assert (losses.pieces, losses.reason) == (["a", "b"], "non-finite loss") and np.isnan(losses.loss_prior)
    np.testing.assert_array_equal(losses.conditioned, [1.5, np.nan])
    assert not losses.alone.flags.writeable
    requests = asked(home)
    assert [request["do"] for request in requests] == ["show", "show", "losses"]
    assert requests[0]["turns"] == [{"role": "user", "content": "question 3"}]
    assert [request["max_length"] for request in requests] == [64, 9, 64]
    stop_reader()
    assert not readers() and state().state == "off"


def test_answers_are_remembered(home: Path) -> None:
    first = text_of(home, 3, "good")
    stop_reader()
    assert text_of(home, 3, "good") == first and not readers()
    assert text_of(home, 3, "good", system_prompt="be brief") != first


def test_another_model_or_precision_ends_the_former(home: Path) -> None:
    one, _ = text_of(home, 3, "good")
    two, said = text_of(home, 3, "better")
    assert said == "better answer 3" and readers() == [two] and one != two
    three, _ = text_of(home, 3, "better", precision="bf16")
    assert readers() == [three] and three != two


def test_a_model_that_was_written_anew_is_read_anew(home: Path) -> None:
    folder = home / "model"
    folder.mkdir()
    (folder / "model.safetensors").touch()
    one, said = text_of(home, 3, str(folder))
    assert said == f"{folder} answer 3"
    assert text_of(home, 3, str(folder))[0] == one
    os.utime(folder / "model.safetensors", (1, 1))
    assert text_of(home, 3, str(folder))[0] != one


def test_several_visitors_share_one(home: Path) -> None:
    rows = [row for row in range(ROWS) if row != 1]
    with ThreadPoolExecutor(len(rows)) as visitors:
        found = list(visitors.map(lambda row: text_of(home, row, "good"), rows))
    assert [said for _, said in found] == [f"good answer {row}" for row in rows]
    assert len({pid for pid, _ in found}) == 1 and len(asked(home)) == len(rows)


def test_who_waits_gets_an_answer_before_another_model_is_read(home: Path) -> None:
    found: dict[str, str] = {}

    def visit(model: str) -> threading.Thread:
        def ask() -> None:
            found[model] = text_of(home, 3, model)[1]

        thread = threading.Thread(target=ask)
        thread.start()
        return thread

    first = visit("waits")
    wait_for(lambda: (home / "asked.txt").exists())
    second = visit("good")
    assert not found
    (home / "go").touch()
    first.join()
    second.join()
    assert found == {"waits": "waits answer 3", "good": "good answer 3"} and len(readers()) == 1


def test_an_error_is_that_of_its_sample(home: Path) -> None:
    with pytest.raises(ReaderError, match=r"^this sample cannot be read$"):
        text_of(home, 1, "good")
    pid, _ = text_of(home, 2, "good")
    assert readers() == [pid] and state().note == ""
    with pytest.raises(PoolError, match=r"row 12 is not in pool .* 12 rows"):
        text_of(home, ROWS, "good")
    with pytest.raises(PoolError, match="there is no pool"):
        as_read(home, "0123456789abcdef", 0, "good", **SETTINGS)


def test_one_that_dies_says_why_and_is_started_again(home: Path) -> None:
    with pytest.raises(
        ReaderError, match=r"model dies was ended by SIGKILL .*while reading.*not enough memory, sorry"
    ):
        text_of(home, 3, "dies")
    assert state().state == "off" and "SIGKILL" in state().note
    pid, _ = text_of(home, 3, "good")
    psutil.Process(pid).kill()
    wait_for(lambda: state().state == "off")
    again, said = text_of(home, 4, "good")
    assert said == "good answer 4" and again != pid and state().note == ""


def test_one_that_had_nothing_to_do_is_started_again(home: Path) -> None:
    assert text_of(home, 3, "idle")[1] == "idle answer 3"
    assert len(asked(home)) == 2


def test_no_tokenizer_is_an_error_in_its_own_words(home: Path) -> None:
    with pytest.raises(ReaderError, match=r"^there is no such tokenizer$"):
        text_of(home, 3, "refuses")
    assert (state().state, state().model, state().note) == ("off", "refuses", "there is no such tokenizer")


def test_patience_ends_but_the_model_goes_on_loading(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TEXT_SECONDS", 0.3)
    with pytest.raises(ReaderError, match=r"the tokenizer of model never needs longer than 0.3 s to load"):
        text_of(home, 3, "never")
    assert state().state == "starting"
    monkeypatch.setattr(reading, "TEXT_SECONDS", 60)
    pid, _ = text_of(home, 3, "heavy")
    monkeypatch.setattr(reading, "LOSSES_SECONDS", 0.3)
    with pytest.raises(ReaderError, match=r"the model heavy needs longer than 0.3 s to load; it goes on"):
        token_losses(home, pool_of(home), 3, "heavy", **SETTINGS)
    assert readers() == [pid] and state().state == "loading model"


def test_stopping_answers_whoever_waits(home: Path) -> None:
    with ThreadPoolExecutor(1) as visitor:
        waiting = visitor.submit(text_of, home, 3, "waits")
        wait_for(lambda: (home / "asked.txt").exists())
        stop_reader()
        with pytest.raises(ReaderError, match="model waits was stopped before it had answered"):
            waiting.result()


def test_a_reader_that_cannot_be_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "reader_command", lambda *_: [str(home / "nothing")])
    with pytest.raises(ReaderError, match="the reader of model good could not be started"):
        text_of(home, 3, "good")


def test_one_sample_is_that_of_the_whole_pool(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the rows are stored in several groups."""
    monkeypatch.setattr(store.pools, "GROUP_ROWS", 5)
    rows = [
        {"prompt": f"question {i}", "completion": "same" if i % 2 else f"answer {i}"} for i in range(ROWS)
    ]
    (home / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pool = load_pool([home / "pool.jsonl"])
    store.save_pool(home, pool)
    for row in range(ROWS):
        found = store.sample_at(home, pool.id, row)
        assert (found.id, found.turns, found.response) == (pool.ids[row], pool.turns(row), pool.response(row))
    for row in (-1, ROWS):
        with pytest.raises(PoolError, match="is not in pool"):
            store.sample_at(home, pool.id, row)


def test_the_command(tmp_path: Path) -> None:
    assert reading.reader_command("-x", "auto")[1:] == [
        "-m",
        "backend.reader",
        "--model=-x",
        "--precision=auto",
    ]


def test_a_stored_sample_keeps_its_structure(home: Path) -> None:
    answer = {"role": "assistant", "content": "51", "reasoning_content": "17*3 is 51."}
    row = {"messages": [{"role": "user", "content": "17*3?"}, answer]}
    (home / "pool.jsonl").write_text(json.dumps(row) + "\n")
    pool = load_pool([home / "pool.jsonl"])
    store.save_pool(home, pool)
    assert store.sample_at(home, pool.id, 0).conversation.messages == row["messages"]
    said = said_of(pool, 0)
    assert said is not None and said["turns"][-1]["reasoning"] == "17*3 is 51."
    assert said["turns"][-1]["content"] == "51" and not said["turns"][-1]["calls"]
