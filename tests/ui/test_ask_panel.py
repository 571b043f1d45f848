"""Asking and evaluating on the page, called as the plain functions that they are."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from run_folders import PAYLOAD, make_run

from backend import store
from backend.jobs import evaluation_jobs, harness
from backend.models_on_demand import question_queue
from backend.models_on_demand.asked_models import models_of
from backend.models_on_demand.client import ProcessState
from backend.models_on_demand.question_queue import save_question
from backend.models_on_demand.questions import Answer, Question, Sampling
from backend.records import Turn
from backend.store import evaluations as stored
from iterit_ui.compare import ask_panel as panel
from iterit_ui.compare import ask_views as show
from iterit_ui.compare import eval_panel as evals


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run with a trained model, and six samples held out."""
    run = make_run(tmp_path)
    (tmp_path / run / "model").mkdir(exist_ok=True)
    (tmp_path / run / "model" / "config.json").write_text("{}")
    return run


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked, instead of asking it."""
    asked: list[dict[str, Any]] = []

    def ask(home: Path, models: Any, turns: Any, **values: Any) -> str:
        question_queue.check_sampling(values["sampling"])
        asked.append({"models": models, "turns": list(turns), **values})
        return "20260101-000000-abcdef"

    monkeypatch.setattr(question_queue, "ask", ask)
    return asked


def event(**data: Any) -> gr.EventData:
    return SimpleNamespace(_data=data)  # type: ignore[return-value]


def question(home: Path, run: str, **values: Any) -> Question:
    models = models_of(home, [run])
    plain = {
        "id": "20260101-000000-abcdef",
        "asked": 1.0,
        "turns": (Turn(role="user", content=PAYLOAD),),
        "models": models,
        "answers": tuple(Answer() for _ in models),
    }
    return Question(**{**plain, **values})


# ---------------------------------------------------------------- asking


def test_a_held_out_sample_is_asked_with_its_reference(tmp_path: Path, run: str, queue: list[Any]) -> None:
    prompt, sample, note, button = panel.take_sample(tmp_path, [run], "")
    assert prompt.startswith(PAYLOAD) and "one of 6" in note["text"] and "Another" in button.value
    _, other, _, _ = panel.take_sample(tmp_path, [run], sample)
    assert other != sample
    shown, note = panel.asked(tmp_path, [run], True, sample, prompt, 20, 0.5, 3)
    assert shown == {"show": "20260101-000000-abcdef"} and sample in note["text"]
    (asked,) = queue
    assert asked["sample"].id == sample and asked["sampling"] == Sampling(20, 0.5, 3)
    assert [model.run for model in asked["models"]] == ["", run]
    assert panel.typed_over(tmp_path, [run], True, sample)[0] == ""
    panel.asked(tmp_path, [run], False, "", "who?", 20, 0, 0)
    assert queue[1]["sample"] is None and queue[1]["turns"] == [{"role": "user", "content": "who?"}]
    assert [model.run for model in queue[1]["models"]] == [run]


def test_a_training_sample_is_never_asked_as_held_out(tmp_path: Path, run: str, queue: list[Any]) -> None:
    _, note = panel.asked(tmp_path, [run], True, "00000000-0", "", 20, 0, 0)
    assert note["tone"] == "error" and "may have been trained on it" in note["text"] and queue == []
    message, sample, _ = panel.chosen_again(tmp_path, [run], True, "00000000-0")
    assert sample == "" and "held-out" not in message["text"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (("  ", 20, 0, 0), "prompt is empty"),
        (("who?", None, 0, 0), "Longest answer is empty"),
        (("who?", 0, 0, 0), "max new tokens"),
        (("who?", 20, 99, 0), "temperature"),
        (("who?", 20, 0, -1), "seed"),
    ],
)
def test_what_cannot_be_asked_is_said(
    tmp_path: Path, run: str, queue: list[Any], values: tuple[Any, ...], word: str
) -> None:
    _, note = panel.asked(tmp_path, [run], True, "", *values)
    assert note["tone"] == "error" and word.lower() in note["text"].lower() and queue == []


def test_runs_without_a_model_are_left_out_and_named(tmp_path: Path, run: str, queue: list[Any]) -> None:
    other = make_run(tmp_path, state="failed")
    note, button = panel.who_is_asked(tmp_path, [run, other], True, "")
    assert note["tone"] == "warn" and "Not asked" in note["text"] and button.interactive
    note, button = panel.who_is_asked(tmp_path, [], True, "")
    assert note["tone"] == "empty" and not button.interactive
    _, note = panel.asked(tmp_path, [other], True, "", "who?", 20, 0, 0)
    assert "no trained model" in note["text"] and queue == []


def test_what_the_page_sends_is_checked(tmp_path: Path, run: str) -> None:
    panel.stopped(event(id="../x"))
    panel.stopped(SimpleNamespace(_data=None))  # type: ignore[arg-type]
    assert panel.put_back(tmp_path, event(id="../x"))[5]["tone"] == "error"
    look = show.looked(tmp_path)
    assert "error" in look(["one"]) and look(["../x", ""])["question"] is None


def test_a_reload_shows_the_last_answers_again(tmp_path: Path, run: str) -> None:
    answers = (
        Answer("done", PAYLOAD, 10, 5, 2.0, "end", 1.5, 4),
        Answer("done", "b", 10, 5, 2.0, "limit", 1.25, 4),
    )
    asked = question(tmp_path, run, answers=answers, state="done", sampling=Sampling(9, 0.5, 2))
    save_question(tmp_path, asked)
    found = show.seen(tmp_path, "", "")
    base, tuned = found["question"]["columns"]
    assert base["text"] == PAYLOAD and base["facts"] == ["10 tokens", "5.0 tokens/s", "ended by itself"]
    assert "1.500 (its loss under this model)" in base["loss"] and base["delta"] is None
    assert tuned["delta"]["text"].startswith("−0.250 against") and tuned["delta"]["tone"] == "good"
    assert "temperature 0.5, seed 2" in found["question"]["facts"]
    assert len(found["history"]) == 1 and found["worker"]["text"].startswith("No model is loaded")
    assert show.seen(tmp_path, asked.id, found["stamp"]) == {"same": True}
    assert show.seen(tmp_path, "20250101-000000-abcdef", "")["question"]["id"] == asked.id
    assert panel.put_back(tmp_path, event(id=asked.id))[:5] == (PAYLOAD, "", 9, 0.5, 2)


def test_a_training_run_is_warned_of(tmp_path: Path, run: str) -> None:
    assert show.seen(tmp_path, "", "")["warn"] == ""
    store.set_state(tmp_path, run, "running")
    assert "training run is active" in show.seen(tmp_path, "", "")["warn"]


def test_words_for_what_the_process_does() -> None:
    idle = show.worker_words(ProcessState("idle", "demo", 240.0))
    assert "in about 4 min" in idle["text"] and idle["loaded"]
    assert "within a minute" in show.worker_words(ProcessState("idle", "demo", 9.0))["text"]
    for nothing in (
        ProcessState(),
        ProcessState("idle", "", 9.0),
    ):  # texts were shown, and no model is loaded
        assert show.worker_words(nothing) == show.worker_words(ProcessState())
        assert not show.worker_words(nothing)["loaded"]
    died = show.worker_words(ProcessState("off", note="it was ended by SIGKILL"))
    assert died["note"] == "It was ended by SIGKILL." and not died["loaded"]
    assert "2 questions" in show.waiting_words(2) and "Next" in show.waiting_words(0)


# ---------------------------------------------------------------- evaluating


def finished(home: Path, run: str, of: str, value: float, n: int, number: int) -> str:
    plan = evaluation_jobs.plan(home, run, ["arc"], of=of)  # type: ignore[arg-type]
    name = stored.create_evaluation(home, run, plan)
    with store.database.writing(home) as connection:
        connection.execute(
            "UPDATE jobs SET state = 'done', created = ?, started = 1, ended = 3 WHERE id = ?", (number, name)
        )
    folder = stored.evaluation_folder(home, run, name) / "results"
    store.write_json(
        folder / "results_1.json",
        {
            "results": {"arc": {"acc,none": value, "acc_stderr,none": 0.1}},
            "n-samples": {"arc": {"effective": n}},
        },
    )
    return name


def test_results_stand_beside_the_base_models(tmp_path: Path, run: str) -> None:
    finished(tmp_path, run, "base", 0.25, 10, 1)
    finished(tmp_path, run, "run", 0.5, 10, 2)
    last = finished(tmp_path, run, "run", 0.75, 20, 3)  # of other examples: not to be compared
    results, listed, *_ = evals.evaluation_values(tmp_path, [run], "", "")
    tuned = results["columns"][-1]["key"]
    base = results["columns"][-2]["key"]
    assert [(row["n"], row[base], row[tuned]) for row in results["rows"]] == [
        ("10", "0.250 ± 0.100", "0.500 ± 0.100"),
        ("20", "–", "0.750 ± 0.100"),
    ]
    assert len(listed["rows"]) == 3 and listed["rows"][0]["took"] == "2 s"
    seen = evals.evaluation_values(tmp_path, [run], "", "")[-1]
    assert evals.evaluation_values(tmp_path, [run], "", seen)[0] == gr.skip()
    chosen = evals.pick(tmp_path, "", event(id=f"{run}/{last}"))
    assert chosen and evals.pick(tmp_path, "", event(id="../../x")) == ""
    assert evals.evaluation_values(tmp_path, [run], chosen, "")[2].visible


def test_without_the_harness_the_page_says_how_to_get_it(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "PACKAGE", "no_such_harness")
    assert "Run: pip install lm-eval" in evals.ready_words([run])["steps"]
    _, note = evals.started(tmp_path, [run], True, "arc", "", "", 8, False)
    assert "not installed" in note["text"] and evaluation_jobs.evaluations(tmp_path, run) == []
    assert not evals.evaluation_values(tmp_path, [run], "", "")[6].visible


def test_an_evaluation_is_started_for_each_model(
    tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(harness, "missing", lambda: "")
    monkeypatch.setattr(harness, "offline", lambda: "the hub cannot be reached")
    monkeypatch.setattr(evaluation_jobs, "start", lambda home, run, plan: begun.append(plan) or "x")
    chosen, note = evals.started(tmp_path, [run], True, "arc, hellaswag", "0.5", "", 4, True)
    assert [plan.of for plan in begun] == ["base", "run"] and chosen == f"{run}/x"
    assert begun[0].limit == 0.5 and begun[0].shots is None and begun[0].tasks == ("arc", "hellaswag")
    assert note["tone"] == "warn" and "cannot be reached" in note["text"]
    for values, word in ((("", "", "", 8), "task"), (("arc", "x", "", 8), "limit"), (("arc", "", "", None), "batch size")):  # fmt: skip
        _, note = evals.started(tmp_path, [run], True, *values, False)
        assert note["tone"] == "error" and word in note["text"].lower()
    assert len(begun) == 2 and math.isfinite(begun[0].limit)
