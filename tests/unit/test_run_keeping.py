"""What people do with runs beside starting them: order the queue, label, delete, restore, review, export."""

from pathlib import Path

import pytest
from small_runs import small_config, small_pool, small_record

from backend import store
from backend.errors import RunError
from backend.iterate.review_gate import wait_for_review
from backend.records import Progress


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store.save_pool(tmp_path, small_pool())
    return tmp_path


def new_run(home: Path, **values: object) -> str:
    return store.create_run(home, small_config(**values), small_pool())


def running(home: Path) -> str:
    run = new_run(home)
    store.set_state(home, run, "running")
    return run


def waiting_order(home: Path) -> list[str]:
    found = [info for info in store.runs(home) if info.state == "queued"]
    return [info.id for info in sorted(found, key=lambda info: info.ahead)]


@pytest.mark.parametrize(("to", "order"), [(0, [2, 0, 1]), (1, [0, 2, 1]), (9, [0, 1, 2]), (-3, [2, 0, 1])])
def test_a_run_moves_in_the_queue(home, to, order):
    runs = [new_run(home) for _ in range(3)]
    assert waiting_order(home) == runs
    store.move_in_queue(home, runs[2], to)
    assert waiting_order(home) == [runs[i] for i in order]
    assert store.claim_next(home, "here") == runs[order[0]]


def test_only_what_waits_can_be_moved(home):
    run = running(home)
    with pytest.raises(RunError, match=r"does not wait in the queue \(waiting: none\)"):
        store.move_in_queue(home, run, 0)


def test_a_waiting_run_holds_the_queue(home):
    first, second = running(home), new_run(home)
    store.ask_review(home, first, small_record(), until=None)
    assert store.run_info(home, first).state == "waiting"
    assert store.run_info(home, first).active
    assert store.claim_next(home, "here") is None
    assert store.run_info(home, second).ahead == 1


def test_labels_are_kept_and_checked(home):
    run = new_run(home)
    store.label_run(home, run, name=" better ", tags=["a", " b ", "a"], notes="first\nsecond\n")
    info = store.run_info(home, run)
    assert (info.name, info.tags, info.notes) == ("better", ("a", "b"), "first\nsecond")
    store.label_run(home, run, tags=[])
    assert store.run_info(home, run).tags == ()
    assert store.run_info(home, run).notes == "first\nsecond"
    for wrong in ({"name": " "}, {"tags": ["x" * 41]}, {"tags": ["a\nb"]}, {"notes": "x" * 4001}):
        with pytest.raises(RunError):
            store.label_run(home, run, **wrong)
    with pytest.raises(RunError, match=r"run .* not found"):
        store.label_run(home, "20250101-000000-abcdef", name="x")


def test_a_deleted_run_comes_back_whole_and_an_erased_one_is_gone(home):
    run = running(home)
    store.write_epoch(home, run, small_record())
    with pytest.raises(RunError, match="is running; stop it"):
        store.delete_run(home, run)
    store.set_state(home, run, "done")
    store.delete_run(home, run, who="me")
    assert store.runs(home) == []
    assert [info.id for info in store.runs(home, deleted=True)] == [run]
    assert not store.run_folder(home, run).exists()
    with pytest.raises(RunError, match=r"run .* not found"):
        store.run_info(home, run)
    store.restore_run(home, run)
    assert store.read_epoch(home, run, 0).selection.rows.tolist() == [3, 1]
    with pytest.raises(RunError, match="not among the deleted"):
        store.erase_run(home, run)
    store.delete_run(home, run)
    store.erase_run(home, run)
    assert store.runs(home, deleted=True) == []
    assert not list((home / "deleted").iterdir())


def test_exports_are_written_down(home):
    run = new_run(home)
    store.note_export(home, run, 2, rows=75, file="/somewhere/x.jsonl", who="me")
    (one,) = store.exports(home, run)
    assert (one.epoch, one.rows, one.file, one.who) == (2, 75, "/somewhere/x.jsonl", "me")


def test_a_review_is_asked_for_answered_once_and_remembered(home):
    run = running(home)
    store.ask_review(home, run, small_record(1), until=None)
    review = store.open_review(home, run)
    assert (review.epoch, review.until, review.who) == (1, None, None)
    assert store.read_proposal(home, run, 1).selection.rows.tolist() == [3, 1]
    assert store.epochs(home, run) == []  # a proposal is no decision
    store.answer_review(home, run, 1, {"budget": 1, "pinned": ["a"]}, who="me")
    assert store.run_info(home, run).state == "running"
    assert store.open_review(home, run) is None
    with pytest.raises(RunError, match="does not wait for a review of epoch 1"):
        store.answer_review(home, run, 1, {}, who="another")
    (kept,) = store.reviews(home, run)
    assert (kept.who, kept.changes) == ("me", {"budget": 1, "pinned": ["a"]})
    assert store.events(home, run)[-1].text == "epoch 1: reviewed by me, budget = 1, pinned: 1 samples"


def test_a_resumed_run_finds_its_answer_again(home):
    run = running(home)
    store.ask_review(home, run, small_record(), until=None)
    store.answer_review(home, run, 0, {"decay": 0.5}, who="me")
    seen: list[Progress] = []
    changes = wait_for_review(home, run, small_record(), "", minutes=0, report=seen.append)
    assert changes == {"decay": 0.5}
    assert store.run_info(home, run).state == "running"


def test_nobody_answering_in_time_lets_the_run_go_on(home):
    run = running(home)
    seen: list[Progress] = []
    changes = wait_for_review(home, run, small_record(), "", minutes=0.01, report=seen.append)
    assert changes == {}
    assert seen and {progress.stage for progress in seen} == {"review"}
    (review,) = store.reviews(home, run)
    assert review.who is None
    assert review.answered >= review.until
    assert "nobody answered in time" in store.events(home, run)[-1].text


def test_an_answer_that_is_not_possible_is_asked_for_again(home):
    run = running(home)
    store.ask_review(home, run, small_record(), until=1.0)
    store.answer_review(home, run, 0, {"budget": 500}, who="me")

    def answer(progress: Progress) -> None:
        assert store.open_review(home, run).until is None  # the time that ran out once does not decide now
        store.answer_review(home, run, 0, {"budget": 2}, who="me")

    changes = wait_for_review(home, run, small_record(), "budget is 500", minutes=1, report=answer)
    assert changes == {"budget": 2}
    assert any("asked again, because budget is 500" in event.text for event in store.events(home, run))


def test_a_run_that_is_stopped_while_it_waits_takes_no_answer(home):
    run = running(home)
    store.ask_review(home, run, small_record(), until=None)
    store.set_state(home, run, "stopping", expect=("running", "waiting"))
    with pytest.raises(RunError, match="it is stopping"):
        store.answer_review(home, run, 0, {}, who="me")
