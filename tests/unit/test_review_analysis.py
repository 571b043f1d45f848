"""What is shown of an epoch under review is what its worker will train on."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner
from waiting_runs import BUDGET, waiting_run

from backend import analysis, diversity, store
from backend.cli import commands
from backend.errors import ConfigError, RunError
from backend.selection import reviewed_record


@pytest.fixture
def run(tmp_path):
    return tmp_path, waiting_run(tmp_path)


def outside(home, run) -> str:
    """A candidate that the run did not propose."""
    shown = analysis.review_selection(home, run, 1, {})
    return str(
        shown.pool.ids[np.setdiff1d(analysis.candidate_rows(shown.selection), shown.selection.rows)[-1]]
    )


@pytest.mark.parametrize(
    "values", [{}, {"budget": 7.0}, {"decay": 0.9, "source_weights": {"a": 0.2}}, {"pinned": 1}]
)
def test_the_preview_is_the_workers_selection(run, values):
    changes = {**values, "pinned": [outside(*run)]} if "pinned" in values else values
    shown = analysis.review_selection(*run, 1, changes)
    pool = store.load_pool_from_store(run[0], store.read_run_pool(*run).id)
    texts = pool.responses().to_pylist()
    worker = reviewed_record(
        pool, lambda: diversity.count_ngrams(texts), store.read_proposal(*run, 1), store.read_config(*run), changes, most=BUDGET
    )  # fmt: skip
    assert shown.selection.rows.tolist() == worker.selection.rows.tolist()
    assert len(shown.selection) == (7 if "budget" in values else BUDGET)


def test_came_stayed_and_went_are_against_the_epoch_before(run):
    shown = analysis.review_selection(*run, 1, {})
    moved, before = shown.moved(), set(shown.previous.selection.rows.tolist())
    now = set(shown.selection.rows.tolist())
    assert set(moved["came"].tolist()) == now - before and len(moved["came"])
    assert set(moved["stayed"].tolist()) == now & before
    assert set(moved["went"].tolist()) == before - now


def test_what_was_changed_by_hand_is_told_apart(run):
    sample = outside(*run)
    shown = analysis.review_selection(*run, 1, {"pinned": [sample]})
    own = shown.by_hand()
    assert shown.pool.ids[own["in"]].tolist() == [sample] and len(own["out"]) == 1
    assert shown.selection.rows[0] == own["in"][0]


def test_a_budget_beyond_the_steps_is_refused(run):
    assert analysis.review_selection(*run, 1, {}).most == BUDGET
    with pytest.raises(ConfigError, match="steps for 12"):
        analysis.review_selection(*run, 1, {"budget": 20})
    with pytest.raises(ConfigError, match="cannot be changed in a review"):
        analysis.review_selection(*run, 1, {"seed": 2})


def call(home, *words):
    return CliRunner().invoke(commands.app, ["review", *words, "--runs-dir", str(home)])


def test_the_command_shows_tries_and_answers(run):
    home, run_id = run
    sample = outside(*run)
    shown = json.loads(call(home, run_id, "--json").stdout)
    assert shown["epoch"] == 1 and shown["selected"] == BUDGET and not shown["accepted"]
    assert "came" in call(home, "last").stdout
    tried = json.loads(call(home, run_id, "--budget", "8", "--pin", sample, "--json").stdout)
    assert tried["selected"] == 8 and sample in tried["by_hand"]["in"]
    assert store.open_review(*run) is not None  # only tried
    answered = call(home, run_id, "--budget", "8", "--pin", sample, "--accept", "--who", "Ann", "--json")
    assert json.loads(answered.stdout)["accepted"]
    kept = store.reviews(*run)[-1]
    assert kept.who == "Ann" and kept.changes == {"budget": 8.0, "pinned": [sample]}
    again = call(home, run_id, "--accept")
    assert again.exit_code == 1 and "does not wait" in again.stderr


def test_the_command_refuses_what_cannot_be(run):
    home, run_id = run
    result = call(home, run_id, "--budget", "40", "--accept")
    assert result.exit_code == 1 and "steps for 12" in result.stderr
    assert store.open_review(*run) is not None


def test_without_a_proposal_there_is_nothing_to_review(run):
    with pytest.raises(RunError):
        analysis.review_selection(*run, 2, {})


def test_where_a_run_goes_on(run):
    config = store.read_config(*run)
    assert analysis.goes_on_from(*run, config) == analysis.GoesOn(0, 0.0, True)
    folder = store.run_folder(*run) / "checkpoints" / "checkpoint-3"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"12345")
    (folder / "complete.json").write_text(json.dumps({"step": 3, "files": {"model.bin": 5}}))
    there = analysis.goes_on_from(*run, config)
    assert there.step == 3 and there.epochs == 3.0  # 12 samples in one step of 32
    (folder / "model.bin").write_bytes(b"1")
    assert analysis.goes_on_from(*run, config).step == 0


def test_the_timeline_tells_done_now_and_next(run):
    home, run_id = run
    store.set_process(home, run_id, host="here", pid=1, process_started=0.0)
    from backend.records import Progress

    store.heartbeat(home, run_id, Progress("review", 1, 0, 0))
    line = analysis.timeline(home, store.run_info(*run), store.read_config(*run), [])
    first, second, third = line.epochs
    assert first.selected == BUDGET and first.cells["select"].state == "done"
    assert second.cells["review"].state == "now" and second.cells["train"].state == "next"
    assert second.review is not None and third.cells["score"].state == "next"
    assert line.save.state == "next" and np.isnan(second.held_out)
    store.answer_review(home, run_id, 1, {}, who="Ann")
    assert (
        analysis.timeline(home, store.run_info(*run), store.read_config(*run), []).epochs[1].review.who
        == "Ann"
    )
