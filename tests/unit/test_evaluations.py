"""Evaluations: a made-up harness that writes results as the real one does, and what is told where it is not there."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from small_runs import small_config, small_pool

from backend import store
from backend.errors import EvaluationError, RunError
from backend.jobs import evaluation_jobs, harness
from backend.store import evaluations as stored

# what lm-eval 0.4.13 writes, shortened: a task, and a group with its task
RESULTS = {
    "results": {
        "arc": {
            "name": "arc",
            "alias": "arc",
            "sample_len": 10,
            "acc,none": 0.5,
            "acc_stderr,none": 0.166,
            "exact_match,strict": 0.25,
            "exact_match_stderr,strict": "N/A",
        },
        "all": {"alias": "all", "acc,none": 0.4, "acc_stderr,none": 0.1, "sample_count": {"acc,none": 30}},
    },
    "versions": {"arc": 1.0},
    "n-shot": {"arc": 0},
    "higher_is_better": {"arc": {"acc": True}},
    "n-samples": {"arc": {"original": 20, "effective": 10}},
    "lm_eval_version": "0.4.13",
}
HARNESS = f"""
import json, os, pathlib, sys, time
if __name__ == "__main__":
    words = sys.argv[1:]
    given = dict(zip(words[::2], words[1::2]))
    tasks = given["--tasks"]
    print("selected", tasks, flush=True)
    if tasks == "hang":
        pathlib.Path(os.environ["HARNESS_PID"]).write_text(str(os.getpid()))
        time.sleep(600)
    if tasks == "far":
        print("Traceback (most recent call last):\\n  File 'x', line 1\\nConnectionError: Couldn't reach 'far' on the Hub")
        sys.exit(1)
    folder = pathlib.Path(given["--output_path"]) / "model"
    folder.mkdir(parents=True)
    (folder / "results_2026-01-01T00-00-00.json").write_text({json.dumps(json.dumps(RESULTS))})
"""


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run with a model, whose precision needs no torch to be known."""
    store.save_pool(tmp_path, small_pool())
    run = store.create_run(
        tmp_path, small_config(model="no/where", precision="fp32", system_prompt="be kind"), small_pool()
    )
    (tmp_path / run / "model").mkdir()
    (tmp_path / run / "model" / "config.json").write_text("{}")
    store.set_state(tmp_path, run, "done")
    return run


@pytest.fixture(name="installed")
def made_up_harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the harness's name, for this process and for those that it starts."""
    place = tmp_path / "site" / "lm_eval"
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    (place / "__main__.py").write_text(HARNESS)
    monkeypatch.syspath_prepend(str(place.parent))
    monkeypatch.setenv("PYTHONPATH", str(place.parent))
    monkeypatch.setenv("HARNESS_PID", str(tmp_path / "harness.pid"))
    return place


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def started(home: Path, run: str, *tasks: str, **options) -> str:
    return evaluation_jobs.start(home, run, evaluation_jobs.plan(home, run, tasks, **options))


def ended(home: Path, run: str, one: str) -> stored.Evaluation:
    until(lambda: not evaluation_jobs.evaluation(home, run, one).unfinished)
    return evaluation_jobs.evaluation(home, run, one)


def test_results_come_from_what_the_harness_writes(tmp_path: Path, run: str, installed: Path) -> None:
    done = ended(tmp_path, run, started(tmp_path, run, "arc", limit=10))
    assert done.state == "done" and done.harness == "0.4.13" and done.error is None
    acc, exact, group = done.results
    assert (acc.task, acc.metric, acc.value, acc.stderr, acc.n, acc.shots, acc.version) == ("arc", "acc", 0.5, 0.166, 10, 0, "1.0")  # fmt: skip
    assert acc.higher_is_better is True and exact.higher_is_better is None
    assert exact.filter == "strict" and math.isnan(exact.stderr)
    assert (group.n, group.shots, group.version) == (30, None, "")
    command = json.loads((stored.evaluation_folder(tmp_path, run, done.id) / "command.json").read_text())
    assert command[:3] == [sys.executable, "-m", "lm_eval"]
    assert "selected arc" in stored.read_evaluation_log(tmp_path, run, done.id)
    base = ended(tmp_path, run, started(tmp_path, run, "arc", of="base"))
    other = store.create_run(
        tmp_path, small_config(model="no/where"), small_pool()
    )  # its base model is the same
    assert [one.id for one in evaluation_jobs.compared(tmp_path, [other])] == [base.id]
    assert {one.id for one in evaluation_jobs.compared(tmp_path, [run])} == {done.id, base.id}


def test_data_that_cannot_be_fetched_is_said_in_words(tmp_path: Path, run: str, installed: Path) -> None:
    failed = ended(tmp_path, run, started(tmp_path, run, "far"))
    assert (
        failed.state == "failed" and "no network" in failed.error and "Couldn't reach 'far'" in failed.error
    )
    assert "Traceback" not in failed.error


def test_one_at_a_time_and_a_stop_leaves_no_process(tmp_path: Path, run: str, installed: Path) -> None:
    first = started(tmp_path, run, "hang")
    until(lambda: (tmp_path / "harness.pid").is_file() and (tmp_path / "harness.pid").read_text())
    child = psutil.Process(int((tmp_path / "harness.pid").read_text()))
    second = started(tmp_path, run, "arc")
    with pytest.raises(EvaluationError, match="already"):
        started(tmp_path, run, "arc")
    assert evaluation_jobs.evaluation(tmp_path, run, first).state == "running"
    assert evaluation_jobs.evaluation(tmp_path, run, second).state == "queued"
    evaluation_jobs.stop(tmp_path, run, first)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert ended(tmp_path, run, first).state == "stopped"
    assert ended(tmp_path, run, second).state == "done"
    with pytest.raises(EvaluationError, match="stopped already"):
        evaluation_jobs.stop(tmp_path, run, first)


def test_a_process_that_is_killed_has_failed(tmp_path: Path, run: str, installed: Path) -> None:
    one = started(tmp_path, run, "hang")
    until(lambda: (tmp_path / "harness.pid").is_file() and (tmp_path / "harness.pid").read_text())
    psutil.Process(int((tmp_path / "harness.pid").read_text())).kill()
    failed = ended(tmp_path, run, one)
    assert failed.state == "failed" and "SIGKILL" in failed.error
    other = started(tmp_path, run, "arc")
    assert ended(tmp_path, run, other).state == "done"


def test_without_the_package_nothing_starts(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "PACKAGE", "no_such_harness")
    assert "pip install lm-eval" in harness.missing()
    with pytest.raises(EvaluationError, match="not installed"):
        started(tmp_path, run, "arc")
    assert evaluation_jobs.evaluations(tmp_path, run) == []


def test_without_a_network_it_is_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in harness.offline()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "127.0.0.1:9 cannot be reached" in harness.offline()


def test_what_cannot_be_evaluated(tmp_path: Path, run: str) -> None:
    for tasks, word in (
        (" ,", "at least one task"),
        ("--help", "not a valid task name"),
        ("a;b", "not a valid task name"),
    ):
        with pytest.raises(EvaluationError, match=word):
            evaluation_jobs.tasks_of(tasks)
    assert evaluation_jobs.tasks_of("a, b\na") == ("a", "b")
    for options, word in (
        ({"limit": -1}, "limit"),
        ({"limit": 0}, "limit"),
        ({"batch_size": 0}, "batch size"),
        ({"include_path": "nowhere"}, "not a folder"),
    ):
        with pytest.raises(EvaluationError, match=word):
            evaluation_jobs.plan(tmp_path, run, ["arc"], **options)
    untrained = store.create_run(tmp_path, small_config(), small_pool())
    with pytest.raises(RunError, match="no trained model"):
        evaluation_jobs.plan(tmp_path, untrained, ["arc"])
    with pytest.raises(EvaluationError, match="has no evaluation"):
        evaluation_jobs.evaluation(tmp_path, run, "20260101-000000-abcdef")
    with pytest.raises(EvaluationError, match="not an evaluation's id"):
        evaluation_jobs.evaluation(tmp_path, run, "../model")


def test_adapters_go_to_the_harness_with_their_model(tmp_path: Path, run: str) -> None:
    folder = tmp_path / run / "model"
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "no/where"}))
    (folder / "tokenizer.json").write_text("{}")
    plan = evaluation_jobs.plan(tmp_path, run, ["arc"], chat_template=True, shots=2)
    assert (plan.model, plan.adapter, plan.tokenizer) == ("no/where", str(folder), str(folder))
    command = harness.harness_command(plan, tmp_path / "out", arithmetic="bf16")
    model = json.loads(command[command.index("--model_args") + 1])
    assert model == {"pretrained": "no/where", "dtype": "bfloat16", "peft": str(folder), "tokenizer": str(folder)}  # fmt: skip
    assert command[command.index("--system_instruction") + 1] == "be kind"
    (tmp_path / run / "merged").mkdir()
    (tmp_path / run / "merged" / "config.json").write_text("{}")
    assert evaluation_jobs.plan(tmp_path, run, ["arc"]).model == str(tmp_path / run / "merged")


def test_the_real_harness_takes_these_options(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-eval is not installed: pip install lm-eval")
    from lm_eval._cli import HarnessCLI

    plan = evaluation_jobs.plan(
        tmp_path, run, ["a", "b"], limit=5, shots=1, chat_template=True, include_path=str(tmp_path)
    )
    command = harness.harness_command(plan, tmp_path / "out", arithmetic="fp32")
    monkeypatch.setattr(sys, "argv", command[2:])
    found: SimpleNamespace = HarnessCLI().parse_args()
    assert found.model_args["pretrained"] == plan.model and list(found.tasks) == ["a", "b"]
    assert found.limit == 5 and found.num_fewshot == 1 and found.system_instruction == "be kind"
