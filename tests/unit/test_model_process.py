"""The model process as the app sees it, with an engine that needs no torch: who waits for whom, how it ends, the queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from backend import store
from backend.data import load_pool
from backend.errors import ModelProcessError, PoolError
from backend.models_on_demand import client, question_queue
from backend.models_on_demand.asked_models import base_model
from backend.models_on_demand.client import ProcessState, losses, show, state, unload
from backend.models_on_demand.process import IDLE_MINUTES, ROOT
from backend.models_on_demand.questions import AskedModel, Question
from backend.records import Turn

ROWS = 12
TINY = AskedModel("tiny (base)", "tiny", "", "be brief", 128, "fp32")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A runs folder, and the pool in it."""
    home = tmp_path_factory.mktemp("runs")
    answers = {1: "bad", 2: "odd"}
    rows = [{"prompt": f"question {i}", "completion": answers.get(i, f"answer {i}")} for i in range(ROWS)]
    (home / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store.save_pool(home, load_pool([home / "pool.jsonl"]))
    return home, store.list_pools(home)[0].id


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Has the process with the made-up engine answer; called with the minutes after which it ends."""

    def use(idle: float = IDLE_MINUTES) -> None:
        command = [sys.executable, "-m", "tests.unit.fake_models", str(tmp_path), str(idle)]
        monkeypatch.setattr(client, "server_command", lambda: command)

    use()
    client._found.cache_clear()
    unload()
    monkeypatch.setattr(client, "_process", None)
    yield use
    unload()
    client._found.cache_clear()


class Reads:
    """A pool whose samples are asked for."""

    def __init__(self, stored: tuple[Path, str], folder: Path) -> None:
        self.home, self.pool = stored
        self.folder = folder

    def text(self, row: int, model: str = "good", *, max_length: int = 64) -> tuple[int, str]:
        """(process id, what was read)."""
        asked = base_model(model, max_length=max_length, system_prompt="be kind")
        pid, _, rest = show(self.home, self.pool, row, asked).text.partition(" ")
        return int(pid), rest

    def losses(self, row: int, model: str = "good") -> np.ndarray:
        asked = base_model(model, max_length=64, system_prompt="be kind")
        return losses(self.home, self.pool, row, asked).conditioned

    def asked(self) -> list[dict]:
        """What has come to the engine."""
        path = self.folder / "asked.txt"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def reads(stored: tuple[Path, str], tmp_path: Path, fake: Callable[..., None]) -> Reads:
    return Reads(stored, tmp_path)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def pid() -> int:
    assert client._process is not None
    return client._process.process.pid


# ---------------------------------------------------------------- texts and losses


def test_one_process_is_started_when_asked_and_serves_everybody(reads: Reads) -> None:
    assert state() == ProcessState()
    with pytest.raises(PoolError, match=r"row 12 is not in pool .* 12 rows"):
        reads.text(ROWS)
    with ThreadPoolExecutor(6) as visitors:
        found = list(visitors.map(reads.text, range(3, 9)))
    assert [said for _, said in found] == [f"good answer {row}" for row in range(3, 9)]
    assert {one for one, _ in found} == {pid()} and len(reads.asked()) == 6
    asked = base_model("better", max_length=9, system_prompt="be kind")
    text = show(reads.home, reads.pool, 3, asked)
    assert text.text == f"{pid()} better answer 3"  # of another model, in the same process
    assert (text.max_length, text.alone_text) == (9, "be kind")
    found_losses = losses(reads.home, reads.pool, 3, asked)
    assert (found_losses.pieces, found_losses.reason) == (["a", "b"], "non-finite loss")
    np.testing.assert_array_equal(found_losses.conditioned, [1.5, np.nan])
    assert np.isnan(found_losses.loss_prior) and not found_losses.alone.flags.writeable
    last = reads.asked()[-1]
    assert last["do"] == "losses" and last["turns"] == [{"role": "user", "content": "question 3"}]
    assert state().state == "idle" and 0 < (state().unloads_in or 0) <= IDLE_MINUTES * 60
    unload()
    assert state() == ProcessState()
    assert reads.text(3)[1] == "good answer 3" and state().state == "off"  # it is remembered
    # a model that was written anew is read anew
    (reads.folder / "model").mkdir()
    (reads.folder / "model" / "model.safetensors").touch()
    first = reads.text(3, str(reads.folder / "model"))[0]
    unload()
    os.utime(reads.folder / "model" / "model.safetensors", (1, 1))
    assert reads.text(3, str(reads.folder / "model"))[0] != first


def test_an_error_is_that_of_its_sample(reads: Reads) -> None:
    with pytest.raises(ModelProcessError, match=r"^this sample cannot be read$"):
        reads.text(1)
    with pytest.raises(ModelProcessError, match=r"^KeyError: 'turns'$"):
        reads.losses(2)
    for line in ("nonsense\n", "[1]\n", '{"do": "sing", "id": "a"}\n'):  # what is no request harms nobody
        assert client._process is not None and client._process.process.stdin is not None
        client._process.process.stdin.write(line)
    assert reads.text(3) == (pid(), "good answer 3") and state().note == ""


def test_one_that_dies_says_why_and_is_started_again(reads: Reads) -> None:
    with pytest.raises(
        ModelProcessError, match=r"ended by SIGKILL .*while loading heavy.*not enough memory, sorry"
    ):
        reads.losses(3, "dies")
    assert state().state == "off" and "SIGKILL" in state().note
    first, _ = reads.text(3)
    psutil.Process(first).kill()
    until(lambda: state().state == "off")
    again, said = reads.text(4)
    assert said == "good answer 4" and again != first and state().note == ""


def test_one_that_had_nothing_to_do_ends_and_is_started_again(
    reads: Reads, fake: Callable[..., None]
) -> None:
    assert reads.text(3, "idle")[1] == "idle answer 3"  # it ended just when this came
    assert len(reads.asked()) == 2
    unload()
    fake(0.005)
    first, _ = reads.text(4)
    until(lambda: state().state == "off")
    assert state().note == "" and reads.text(5)[0] != first


def test_patience_ends_but_the_process_goes_on(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = reads.text(3)
    monkeypatch.setattr(client, "LOSSES_SECONDS", 0.2)
    with pytest.raises(ModelProcessError, match=r"no answer after 0.2 s: .* still loading heavy; try again"):
        reads.losses(3, "waits")
    assert reads.text(4) == (first, "good answer 4")  # texts wait for no model
    monkeypatch.setattr(client, "LOSSES_SECONDS", 60)
    (reads.folder / "go").touch()
    assert len(reads.losses(3, "waits")) == 2
    unload()
    monkeypatch.setenv("FAKE_STARTS_FOREVER", "1")
    monkeypatch.setattr(client, "TEXT_SECONDS", 0.2)
    with pytest.raises(ModelProcessError, match=r"after 0.2 s: the model process is still starting"):
        reads.text(5)
    assert state().state == "starting"


def test_unloading_answers_whoever_waits(reads: Reads) -> None:
    with ThreadPoolExecutor(1) as visitor:
        waiting = visitor.submit(reads.text, 3, "waits")
        until(reads.asked)
        unload()
        with pytest.raises(ModelProcessError, match="was stopped before it had answered"):
            waiting.result()


def test_one_that_cannot_be_started(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.server_command()[1:3] == ["-m", "tests.unit.fake_models"]
    monkeypatch.setattr(client, "server_command", lambda: [str(reads.home / "nothing")])
    with pytest.raises(ModelProcessError, match="the model process could not be started"):
        reads.text(3)


APP = """
import sys, time
from pathlib import Path
from backend.models_on_demand import client
client.server_command = lambda: [sys.executable, "-m", "tests.unit.fake_models", sys.argv[1]]
try:
    client.call({"id": "1", "do": "stop"}, seconds=float(sys.argv[2]))
except client.ModelProcessError:
    pass
assert not {"torch", "transformers"} & set(sys.modules)
print(client._process.process.pid, client.state().state, flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.mark.parametrize(
    ("how", "number"),
    [("starting", signal.SIGKILL), ("idle", signal.SIGTERM), ("idle", signal.SIGINT), ("leaves", None)],
)
def test_nothing_is_left_of_it_however_the_app_ends(
    tmp_path: Path, how: str, number: signal.Signals | None
) -> None:
    if number == signal.SIGINT and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("tests in the background, where a child ignores ctrl-C")
    words = [str(tmp_path), "0.01" if how == "starting" else "3", "0" if how == "leaves" else "600"]
    with subprocess.Popen(
        [sys.executable, "-c", APP, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as app:
        assert app.stdout is not None
        child = psutil.Process(int(app.stdout.readline().split()[0]))
        if number is not None:
            app.send_signal(number)
        app.wait(timeout=60)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


# ---------------------------------------------------------------- questions, one after another


class Asks:
    """Questions whose text says what becomes of them."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, text: str, *, models: int = 1) -> str:
        return question_queue.ask(self.home, [TINY] * models, [Turn(role="user", content=text)])

    def now(self, name: str) -> Question:
        return question_queue.current(self.home, name)

    def ended(self, name: str) -> Question:
        until(lambda: not self.now(name).live)
        return self.now(name)


@pytest.fixture
def ask(tmp_path: Path, fake: Callable[..., None]) -> Asks:
    return Asks(tmp_path)


def test_questions_are_answered_in_turn_and_can_be_stopped(ask: Asks) -> None:
    first, second, third = ask("hang"), ask("two", models=2), ask("three")
    until(lambda: ask.now(first).answers[0].text == "hang")
    before = question_queue.before
    assert (before(first), before(second), before(third)) == (None, 1, 2)
    assert ask.now(second).state == "waiting" and (state().state, state().model) == ("answering", TINY.label)
    question_queue.stop(third)
    assert ask.ended(third).answers[0].ended == "stopped"
    question_queue.stop(first)
    stopped = ask.ended(first)
    assert (stopped.state, stopped.answers[0].text) == ("stopped", "hang")
    done = ask.ended(second)
    assert done.state == "done" and [answer.text for answer in done.answers] == ["two!", "two!"]
    question_queue.stop(second)  # nothing happens
    assert ask.now(second) == done
    until(lambda: state().state == "idle")


def test_a_crash_is_told_and_the_next_question_starts_anew(ask: Asks) -> None:
    crashed = ask.ended(ask("die", models=2))
    assert crashed.state == "failed" and "exited with code 7" in crashed.answers[0].error
    assert "while answering with tiny" in state().note and "no memory left" in crashed.answers[1].error
    assert ask.ended(ask("hello")).answers[0].text == "hello!" and state().note == ""


def test_unloading_stops_what_is_answered(ask: Asks) -> None:
    first, second = ask("hang"), ask("two")
    until(lambda: ask.now(first).state == "answering")
    unload()
    assert ask.ended(first).state == "stopped"
    assert ask.ended(second).answers[0].text == "two!"  # by a process of its own


def test_nobody_waits_for_a_long_answer(ask: Asks, reads: Reads) -> None:
    """Texts and losses come while an answer is being written; a model that does not fit beside waits for its end."""
    name = ask("hang")
    until(lambda: ask.now(name).state == "answering")
    started = time.monotonic()
    assert reads.text(3)[1] == "good answer 3" and len(reads.losses(3)) == 2
    assert time.monotonic() - started < 5 and ask.now(name).state == "answering"
    with ThreadPoolExecutor(2) as visitors:
        huge = visitors.submit(reads.losses, 4, "huge")
        assert len(visitors.submit(reads.losses, 5).result()) == 2 and not huge.done()
        question_queue.stop(name)
        assert ask.ended(name).state == "stopped" and len(huge.result()) == 2
