"""Real workers on a small model: done, stopped and resumed, killed and resumed, queued."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interrupted import outcome, settings, wait_for, write_inputs
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.config import RunConfig
from backend.data import load_pool
from backend.errors import ConfigError, RunError
from backend.jobs import lifecycle, reporting, run_launch, worker
from backend.preflight import checks
from backend.records import Metrics
from backend.store.scores_file import read_scores

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 12  # enough that a run is still going when a test has seen its second epoch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pool.jsonl and model/."""
    folder = tmp_path_factory.mktemp("worker")
    write_inputs(folder, samples=160)
    return folder


def small(folder: Path, **values: object) -> RunConfig:
    """A longer run, which writes and measures at the end of each epoch only."""
    changed = {"budget": 32, "epochs": EPOCHS, "held_out_every": 0, "checkpoint_every": 0}
    return settings(folder, **{**changed, **values})


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Path, str, str]:
    """A run that went through, and one that was queued behind it and that nobody but a worker started."""
    home = folder / "runs"
    first = run_launch.launch(home, small(folder))
    second = run_launch.launch(home, small(folder, epochs=0, name="second"))
    assert store.run_info(home, second).state == "queued"
    wait_for(lambda: store.run_info(home, second).state in ("done", "failed"))
    return home, first, second


def begun(home: Path, run: str, epoch: int) -> bool:
    """Whether a run has selected for this epoch, and so trains in it or is about to."""
    assert store.run_info(home, run).state in ("running", "queued")
    return epoch in store.epochs(home, run)


def test_a_run_goes_through_and_says_so(both: tuple[Path, str, str], folder: Path) -> None:
    home, run, _ = both
    info = store.run_info(home, run)
    assert (info.state, info.error, info.attempt) == ("done", None, 1)
    assert (info.stage, info.eta) == ("save", None)
    assert [event.kind for event in store.events(home, run)] == [
        "queued",
        "started",
        *["selected"] * EPOCHS,
        "done",
    ]
    made = outcome(home, run)
    picks, metrics = made["picks"], made["metrics"]
    assert [len(rows) for rows in picks] == [32] * EPOCHS
    assert len({tuple(sorted(rows)) for rows in picks}) > 1
    held_out = [(m[6], m[5]) for m in metrics if m[5] is not None]
    assert [epoch for epoch, _ in held_out] == list(range(EPOCHS + 1))
    assert [m[0] for m in metrics if m[2] is not None] == list(range(1, 8 * EPOCHS + 1))
    out = store.run_folder(home, run)
    assert (out / "model" / "model.safetensors").is_file()
    assert json.loads((out / "environment.json").read_text())["device"]
    again = CliRunner().invoke(app, ["replay", str(out / "receipt.json"), "--runs-dir", str(home)])
    assert again.exit_code == 0 and "epoch 11: 32 samples, identical" in again.stdout, again.stdout
    assert "epoch 3: 32 of 160 samples selected, 64 scored" in store.read_log(home, run)


def test_the_queue_goes_on_without_the_app(both: tuple[Path, str, str]) -> None:
    home, first, second = both
    info = store.run_info(home, second)
    assert info.state == "done" and store.epochs(home, second) == [0]
    assert info.started >= store.run_info(home, first).ended
    assert not (store.run_folder(home, second) / "model").exists()
    same = [store.read_epoch(home, run, 0) for run in (first, second)]
    np.testing.assert_array_equal(same[0].scores.complexity, same[1].scores.complexity)


@pytest.mark.usefixtures("warm_workers")
def test_stopped_and_resumed_is_the_uninterrupted_run(
    both: tuple[Path, str, str], folder: Path, home: Path
) -> None:
    run = run_launch.launch(home, small(folder))
    wait_for(lambda: begun(home, run, 1))
    lifecycle.stop(home, run)
    wait_for(lambda: store.run_info(home, run).state == "stopped")
    assert len(store.epochs(home, run)) < EPOCHS
    assert [event.kind for event in store.events(home, run)][-2:] == ["stopping", "stopped"]
    lifecycle.resume(home, run)
    wait_for(lambda: store.run_info(home, run).state in ("done", "failed"))
    assert outcome(home, run) == outcome(both[0], both[1])
    assert store.run_info(home, run).attempt == 2


@pytest.mark.usefixtures("warm_workers")
def test_killed_shows_as_failed_and_resumed_is_the_uninterrupted_run(
    both: tuple[Path, str, str], folder: Path, home: Path
) -> None:
    run = run_launch.launch(home, small(folder))
    wait_for(lambda: begun(home, run, 2))
    os.kill(store.run_info(home, run).pid or 0, signal.SIGKILL)
    wait_for(lambda: lifecycle.refresh(home) == [run])
    info = store.run_info(home, run)
    assert info.state == "failed"
    assert "SIGKILL" in (info.error or "") and "epoch" in (info.error or "")
    lifecycle.resume(home, run)
    wait_for(lambda: store.run_info(home, run).state in ("done", "failed"))
    assert outcome(home, run) == outcome(both[0], both[1])


def test_ctrl_c_in_the_terminal_leaves_a_run_that_can_be_resumed(folder: Path, home: Path) -> None:
    config = folder / "start.json"
    config.write_text(json.dumps({**small(folder).__dict__, "epochs": 50}))
    words = [sys.executable, "-m", "backend", "tune", "--config", str(config), "--runs-dir", str(home)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as terminal:
        wait_for(lambda: store.runs(home) and store.epochs(home, store.runs(home)[0].id))
        terminal.send_signal(signal.SIGINT)
        out, err = terminal.communicate(timeout=120)
    run = store.runs(home)[0]
    assert (terminal.returncode, run.state, run.resumable) == (130, "stopped", True), err
    assert out == f"{run.id}\n"
    assert f"python -m backend resume {run.id}" in err and "Traceback" not in err
    words = [sys.executable, "-m", "backend", "resume", run.id, "--runs-dir", str(home), "--detach"]
    assert subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout == f"{run.id}\n"
    lifecycle.stop(home, run.id)
    # a worker that has not begun to listen is ended by the signal; whoever looks next writes that down
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run.id).active)
    assert store.run_info(home, run.id).state == "stopped"


@pytest.mark.usefixtures("warm_workers")
def test_a_studio_error_is_shown_as_its_message_alone(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        run_launch.launch(home, small(folder, model=str(folder / "nowhere")))
    assert store.runs(home) == []
    monkeypatch.setattr(checks, "refuse", lambda *given: None)  # as if it had been there then
    run = run_launch.launch(home, small(folder, model=str(folder / "nowhere")))
    wait_for(lambda: not store.run_info(home, run).active)
    info = store.run_info(home, run)
    assert info.state == "failed" and info.error is not None
    assert "does not exist" in info.error and "Error" not in info.error
    assert "Traceback" not in store.read_log(home, run)


@pytest.fixture
def claimed(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that this process may work on, with signals left alone."""
    monkeypatch.setattr(worker.signal, "signal", lambda *args: None)
    pool = load_pool([folder / "pool.jsonl"])
    store.save_pool(home, pool)
    run = store.create_run(home, small(folder), pool)
    assert store.claim_next(home, "here") == run
    return run


def test_any_other_error_is_named_and_the_log_has_the_traceback(
    home: Path, claimed: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*args: object) -> None:
        raise ZeroDivisionError("division by zero\nand more")

    monkeypatch.setattr(worker, "_run", breaks)
    assert worker.work(home, claimed, claimed=True) == 1
    assert store.run_info(home, claimed).error == "ZeroDivisionError: division by zero"
    assert "Traceback" in caplog.text


def test_a_run_that_was_taken_away_ends_quietly(
    home: Path, claimed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has marked it failed: the worker stops and leaves the state as it is."""

    def work(home: Path, run_id: str, report: reporting.Reporting, *_: object) -> None:
        store.set_state(home, run_id, "failed", error="given up")
        report.asked_to_stop.wait(30)
        report(Metrics(1, 0.5, loss=1.0))

    monkeypatch.setattr(worker, "_run", work)
    monkeypatch.setattr(reporting, "HEARTBEAT_SECONDS", 0.01)
    assert worker.work(home, claimed, claimed=True) == 130
    assert store.run_info(home, claimed).error == "given up"


def test_two_workers_do_not_share_a_run(home: Path, claimed: str) -> None:
    store.set_process(home, claimed, host="here", pid=1, process_started=1.0)
    with pytest.raises(RunError, match="process 1 on here already works"):
        worker.work(home, claimed, claimed=True)


def test_score_gives_what_a_run_scores(both: tuple[Path, str, str], folder: Path, tmp_path: Path) -> None:
    pool = load_pool([folder / "pool.jsonl"])
    known = store.read_epoch(both[0], both[1], 0)
    for name in ("scores.parquet", "scores.jsonl"):
        words = ["score", folder / "pool.jsonl", "--model", folder / "model", "--out", tmp_path / name]
        words += ["--max-length", 64, "--system-prompt", "", "--runs-dir", tmp_path / name.upper(), "--json"]
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.stderr
        scores = read_scores(tmp_path / name, pool).scores
        rows = known.rescored & (known.scores.reason == "")
        assert rows.sum() > 100
        # other batches: the held-out rows are scored here, too
        np.testing.assert_allclose(scores.complexity[rows], known.scores.complexity[rows], rtol=1e-5)
        np.testing.assert_array_equal(scores.response_tokens, known.scores.response_tokens)
        assert json.loads(result.stdout)["scored"] == (scores.reason == "").sum()
