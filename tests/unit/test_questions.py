"""Questions to models: what is stored, which samples are fair, whom they go to, and what cannot be asked."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
from small_runs import small_config, small_pool, small_record

from backend import analysis, store
from backend.errors import AskingError, RunError
from backend.jobs import processes
from backend.models_on_demand import question_queue
from backend.models_on_demand.asked_models import base_model, models_of, run_model
from backend.models_on_demand.question_queue import KEPT_QUESTIONS, load_question, question_ids, save_question
from backend.models_on_demand.questions import Answer, AskedModel, Question, Sampling, from_json, to_json
from backend.records import Pool, Status, Turn

MODEL = AskedModel("tiny (base)", "tiny", "", "be brief", 128, "fp32")


def question(number: int = 0, **values) -> Question:
    plain = {
        "id": f"20260101-{number:06}-abcdef",
        "asked": 1.0,
        "turns": (Turn(role="user", content="<b>who</b>?"),),
        "models": (MODEL,),
        "answers": (Answer(),),
    }
    return Question(**{**plain, **values})


def make_run(
    home: Path, pool: Pool, *, held_rows=(0,), model_folder: bool = True, state: str = "done", **config
) -> str:
    """A run of a small pool with rows held out, and the folder of a model."""
    store.save_pool(home, pool)
    run = store.create_run(home, small_config(**config), pool)
    record = small_record(n=len(pool))
    record.selection.status[list(held_rows)] = Status.HELD_OUT
    store.write_epoch(home, run, record)
    if model_folder:
        (home / run / "model").mkdir()
        (home / run / "model" / "config.json").write_text("{}")
    store.set_state(home, run, state)
    return run


# ---------------------------------------------------------------- what is stored


def test_a_question_is_read_as_it_was_written(tmp_path: Path) -> None:
    sampled = question(
        sampling=Sampling(5, 0.7, 3), answers=(Answer("done", "it is", 2, reference_loss=1.5),)
    )
    save_question(tmp_path, sampled)
    assert load_question(tmp_path, sampled.id) == sampled
    unknown = from_json(to_json(question()))
    assert math.isnan(unknown.answers[0].reference_loss)
    assert "NaN" not in (tmp_path / "answers" / f"{sampled.id}.json").read_text()


def test_the_last_questions_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT_QUESTIONS + 2):
        save_question(tmp_path, question(number))
    ids = question_ids(tmp_path)
    assert len(ids) == KEPT_QUESTIONS and ids[0] == question(KEPT_QUESTIONS + 1).id
    with pytest.raises(RunError, match="are kept"):
        load_question(tmp_path, question(0).id)
    with pytest.raises(RunError, match="not a question's id"):
        load_question(tmp_path, "../studio")


def test_an_end_closes_what_is_not_finished() -> None:
    three = question(models=(MODEL,) * 3, answers=(Answer("done", "a", 1, ended="end"), Answer("answering", "b", 1), Answer()))  # fmt: skip
    failed = three.ended("failed", "memory")
    assert [answer.state for answer in failed.answers] == ["done", "failed", "failed"]
    assert failed.answers[1].text == "b" and failed.answers[1].error == "memory"
    assert [answer.ended for answer in three.ended("stopped").answers] == ["end", "stopped", "stopped"]


def test_speed_is_unknown_without_tokens() -> None:
    assert math.isnan(Answer().tokens_per_second)
    assert Answer(tokens=6, seconds=2.0).tokens_per_second == 3.0


# ---------------------------------------------------------------- which samples are fair


def test_held_out_samples_are_those_that_no_run_could_train_on(tmp_path: Path) -> None:
    one = make_run(tmp_path, small_pool(), held_rows=(0, 2))
    other = make_run(tmp_path, small_pool(), held_rows=(2, 4))
    assert analysis.unseen_samples(tmp_path, [one]).rows.tolist() == [0, 2]
    both = analysis.unseen_samples(tmp_path, [one, other])
    assert both.rows.tolist() == [2] and both.seen == 1
    sample = analysis.unseen_sample(tmp_path, [one, other], f"{2:032x}-0")
    assert sample.response == "answer 2 to a question about apples" and sample.run == one
    with pytest.raises(RunError, match="may have been trained on it"):
        analysis.unseen_sample(tmp_path, [one, other], f"{0:032x}-0")
    apart = make_run(tmp_path, small_pool(), held_rows=(1,))
    with pytest.raises(RunError, match="type a prompt"):
        analysis.unseen_samples(tmp_path, [one, apart])


def test_a_twin_in_the_pool_makes_a_sample_seen(tmp_path: Path) -> None:
    pool = small_pool()
    ids = pool.ids.copy()
    ids[3] = ids[0][:-1] + "1"  # the same content a second time
    table = pool.table.set_column(0, "id", [list(ids)])
    run = make_run(tmp_path, dataclasses.replace(pool, table=table), held_rows=(0, 2))
    assert analysis.unseen_samples(tmp_path, [run]).rows.tolist() == [2]


def test_held_out_samples_from_a_file(tmp_path: Path) -> None:
    held = small_pool(5, name="held")
    store.save_pool(tmp_path, small_pool(8))
    store.save_pool(tmp_path, held, listed=False)
    run = store.create_run(tmp_path, small_config(held_out="held.json"), small_pool(8), held_out=held)
    with pytest.raises(RunError, match="each of the 5"):  # the file's samples are in the pool too
        analysis.unseen_samples(tmp_path, [run])
    renamed = held.table.set_column(0, "id", [[f"{i:032x}-0" for i in range(90, 95)]])
    fresh = Pool("beef" * 4, "held", renamed)
    store.save_pool(tmp_path, fresh, listed=False)
    run = store.create_run(tmp_path, small_config(held_out="held.json"), small_pool(8), held_out=fresh)
    found = analysis.unseen_samples(tmp_path, [run])
    assert found.pool == fresh.id and len(found.rows) == 5
    drawn = [analysis.draw_unseen(tmp_path, [run], 3, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({sample.id for sample in drawn[0]}) == 3


def test_runs_that_hold_nothing_out_say_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, small_pool(), held_rows=())
    with pytest.raises(RunError, match="holds no samples out"):
        analysis.unseen_samples(tmp_path, [run])
    with pytest.raises(RunError, match="at least one run"):
        analysis.unseen_samples(tmp_path, [])


# ---------------------------------------------------------------- whom it goes to


def test_base_models_come_first_and_once(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, small_pool(), model="demo", system_prompt="be kind") for _ in range(2)]
    models = models_of(tmp_path, runs)
    assert [model.run for model in models] == ["", *runs]
    assert models[0].label == "demo (base)" and models[0].system_prompt == "be kind"
    assert models[1].model == str(tmp_path / runs[0] / "model")
    assert len({model.label for model in models}) == 3  # runs of one name are told apart
    assert [model.run for model in models_of(tmp_path, runs, base=False)] == runs
    rude = make_run(tmp_path, small_pool(), model="demo", system_prompt="be rude")
    prompts = [model.system_prompt for model in models_of(tmp_path, [runs[0], rude])]
    assert prompts == ["be kind", "be rude", "be kind", "be rude"]


def test_a_model_by_its_name_is_found_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    given = base_model("mine/model", max_length=9, system_prompt="", precision="bf16")
    assert given == AskedModel("mine/model", str(tmp_path / "mine" / "model"), "", "", 9, "bf16")
    assert base_model("demo", max_length=9, system_prompt="").model == "demo"
    assert base_model(str(tmp_path / "mine" / "model"), max_length=9, system_prompt="").label == "model"


@pytest.mark.parametrize(
    ("state", "why"), [("done", "is gone"), ("failed", "resume it"), ("queued", "not started")]
)
def test_a_run_without_a_model_says_why(tmp_path: Path, state: str, why: str) -> None:
    run = make_run(tmp_path, small_pool(), model_folder=False, state=state)
    with pytest.raises(RunError, match=why):
        run_model(tmp_path, run)
    with pytest.raises(RunError, match=why):
        models_of(tmp_path, [run])


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    for wrong, word in ((Sampling(0), "max new tokens"), (Sampling(5, -1), "temperature"), (Sampling(5, 0, -1), "seed")):  # fmt: skip
        with pytest.raises(AskingError, match=word):
            question_queue.ask(tmp_path, [MODEL], question().turns, sampling=wrong)
    with pytest.raises(AskingError, match="empty"):
        question_queue.checked_prompt("  \n")
    with pytest.raises(AskingError, match="characters"):
        question_queue.checked_prompt("x" * (question_queue.LONGEST_PROMPT + 1))
    with pytest.raises(AskingError, match="no model"):
        question_queue.ask(tmp_path, [], question().turns)
    assert question_ids(tmp_path) == []


def test_an_app_that_ended_leaves_no_question_waiting(tmp_path: Path) -> None:
    gone = question(host=processes.this_host(), pid=os.getpid(), process_started=12.0, state="answering")
    save_question(tmp_path, gone)
    found = question_queue.current(tmp_path, gone.id)
    assert found.state == "failed" and "ask again" in found.answers[0].error
    assert np.isnan(found.answers[0].reference_loss)
