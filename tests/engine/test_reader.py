"""The real reader process: what it answers, and that it never outlives what it was started for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tiny

from backend import reading, store
from backend.complexity import token_losses
from backend.errors import ReaderError
from backend.model import load as models
from backend.model.readable import losses_from_json, to_json
from backend.prompts import show
from backend.records import Conversation, Turn

ROOT = Path(__file__).resolve().parents[2]
SAMPLE: dict[str, Any] = {
    "turns": [Turn(role="user", content="list three animals")],
    "response": "the cat is 😀 cold",
    "max_length": 100,
    "system_prompt": "the sea",
}


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder."""
    folder = tmp_path_factory.mktemp("reader") / "model"
    tiny.model().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


class Asked:
    """A reader of our own, and the lines it says."""

    def __init__(self, model: Path | str, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend.reader", f"--model={model}", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def ask(self, **values: Any) -> None:
        self.line(json.dumps(values))

    def line(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def answer(self) -> dict[str, Any]:
        """The next line that is not a state."""
        while "state" in (said := self.said()):
            pass
        return said


def test_it_answers_what_the_engine_finds(folder: Path) -> None:
    with Asked(folder) as reader:
        reader.ask(id=1, do="losses", **SAMPLE)
        reader.ask(id=2, do="show", **SAMPLE)
        answers = {answer["id"]: answer["found"] for answer in (reader.answer(), reader.answer())}
        model, tokenizer = models.load(str(folder), device="cpu")
        given = {name: SAMPLE[name] for name in ("system_prompt", "max_length")}
        given["sample"] = Conversation(SAMPLE["turns"], SAMPLE["response"])
        assert answers[2] == to_json(show(tokenizer=tokenizer, **given))
        expected = token_losses(model, tokenizer, **given)
        found = losses_from_json(answers[1])
        assert (found.pieces, found.closing) == (expected.pieces, expected.closing)
        np.testing.assert_allclose(found.conditioned, expected.conditioned, rtol=1e-5)
        np.testing.assert_allclose(found.alone, expected.alone, rtol=1e-5)
        reader.ask(id=3, do="show", **{**SAMPLE, "max_length": 100_000})
        assert reader.answer()["found"]["max_length"] == 256  # the model's positions
        reader.process.send_signal(signal.SIGINT)  # ctrl-C is the app's to answer
        reader.ask(id=4, do="losses", **{**SAMPLE, "response": " "})
        assert reader.answer()["found"]["reason"] == "empty response"
        assert reader.process.stdin is not None
        reader.process.stdin.close()
        assert reader.process.wait(timeout=60) == 0


def test_defaults_are_those_of_its_command_line(folder: Path) -> None:
    with Asked(folder, "--max-length=30", "--system-prompt=of two") as reader:
        reader.ask(id="a", do="show", turns=SAMPLE["turns"], response="cat")
        found = reader.answer()["found"]
        assert found["max_length"] == 30 and "of two" in found["text"]


def test_errors_are_answers(folder: Path, tmp_path: Path) -> None:
    """Weights that cannot be loaded stop nobody from reading texts."""
    broken = tmp_path / "broken"
    tiny.model().save_pretrained(broken)
    tiny.tokenizer().save_pretrained(broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    with Asked(broken) as reader:
        assert [reader.said()["state"] for _ in range(2)] == ["starting", "ready"]
        reader.line("nonsense")
        assert "not a line of JSON" in reader.answer()["error"]
        reader.line("[1]")
        assert "a request is" in reader.answer()["error"]
        reader.ask(id=1, do="sing", **SAMPLE)
        answer = reader.answer()
        assert answer["id"] == 1 and "show" in answer["error"]
        reader.ask(id=2, do="show", **{**SAMPLE, "max_length": "long"})
        assert reader.answer() == {"id": 2, "error": "max_length is 'long'; needed: int"}
        for number in (3, 4):
            reader.ask(id=number, do="losses", **SAMPLE)
            assert [reader.said()["state"] for _ in range(2)] == ["loading model", "ready"]
            answer = reader.answer()
            assert answer["id"] == number and "cannot be loaded" in answer["error"]
        reader.ask(id=5, do="show", **{**SAMPLE, "turns": [5]})
        assert "TypeError" in reader.answer()["error"]
        reader.ask(id=6, do="show", **SAMPLE)
        assert reader.answer()["found"]["text"]


def test_no_tokenizer_ends_it(tmp_path: Path) -> None:
    with Asked(tmp_path) as reader:
        assert reader.said() == {"state": "starting"}
        said = reader.said()
        assert said["state"] == "failed" and "config.json is missing" in said["error"]
        assert reader.process.wait(timeout=60) == 1


def test_it_ends_when_nothing_is_asked(folder: Path) -> None:
    with Asked(folder, "--idle-minutes=0.02") as reader:
        reader.ask(id=1, do="show", **SAMPLE)
        assert reader.answer()["found"]
        assert reader.process.wait(timeout=120) == 0  # with stdin still open
        assert reader.process.stderr is not None
        assert "nothing was asked for" in reader.process.stderr.read()


APP = """
import sys, time
from pathlib import Path
from backend import reading, store

home, model, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
pool = store.list_pools(home)[0].id
if how == "starting":
    reading.TEXT_SECONDS = 0.1
try:
    print(reading.as_read(home, pool, 0, model, max_length=50, system_prompt="").text)
except reading.ReaderError:
    pass
assert not {"torch", "transformers"} & set(sys.modules)
print("pid", reading._reader.process.pid, flush=True)
if how != "leaves":
    time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    store.save_pool(tmp_path, tiny_pool())
    reading._answer.cache_clear()
    yield tmp_path
    reading.stop_reader()


def tiny_pool() -> Any:
    """A pool with the columns that a stored one has."""
    pool = tiny.pool([(f"list {i} animals", "the cat 😀") for i in range(3)])
    for name in ("file", "row", "label"):
        values = {"file": [""] * 3, "row": [0, 1, 2], "label": [None] * 3}[name]
        pool = type(pool)(pool.id, pool.name, pool.table.append_column(name, [values]))
    return pool


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("starting", signal.SIGKILL),
        ("ready", signal.SIGKILL),
        ("ready", signal.SIGTERM),
        ("ready", signal.SIGINT),
        ("leaves", None),
    ],
)
def test_nothing_is_left_of_it_however_the_app_ends(
    folder: Path, home: Path, how: str, number: signal.Signals | None
) -> None:
    if number == signal.SIGINT and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("tests in the background, where a child ignores ctrl-C")
    app = subprocess.Popen(
        [sys.executable, "-c", APP, str(home), str(folder), how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert app.stdout is not None
    while not (line := app.stdout.readline()).startswith("pid "):
        assert line, app.stderr
    pid = int(line.split()[1])
    assert how == "leaves" or psutil.Process(pid).ppid() == app.pid
    if number is not None:
        os.kill(app.pid, number)
    app.communicate(timeout=60)
    wait_for(lambda: gone(pid))


def test_the_app_asks_is_killed_for_and_asks_again(folder: Path, home: Path) -> None:
    pool = store.list_pools(home)[0].id
    given: dict[str, Any] = {"max_length": 50, "system_prompt": ""}
    losses = reading.token_losses(home, pool, 0, str(folder), **given)
    text = reading.as_read(home, pool, 0, str(folder), **given)
    assert "".join(losses.pieces) == text.text[text.start : text.cut] and "😀" in losses.pieces
    assert reading.state().state == "ready"
    assert reading._reader is not None
    reading._reader.process.kill()
    wait_for(lambda: reading.state().state == "off")
    assert "ended by SIGKILL" in reading.state().note
    assert reading.as_read(home, pool, 1, str(folder), **given).response_tokens == text.response_tokens
    with pytest.raises(ReaderError, match="does not exist"):
        reading.as_read(home, pool, 1, str(folder / "nothing"), **given)
