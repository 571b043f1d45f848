"""Drafts of reviews: kept beside the proposal, and not lost when a resumed run asks again."""

import pytest
from small_runs import small_config, small_pool, small_record

from backend import store
from backend.errors import RunError


@pytest.fixture
def waiting(tmp_path):
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    run = store.create_run(tmp_path, small_config(review=True), pool)
    store.set_state(tmp_path, run, "running")
    store.ask_review(tmp_path, run, small_record(), until=None)
    return tmp_path, run


def test_a_draft_comes_back_as_it_was_kept(waiting):
    assert store.read_draft(*waiting, 0) == store.ReviewDraft()
    kept = store.save_draft(*waiting, 0, {"budget": 3.0, "pinned": ["a"]}, mark_pool=True, who="Ann")
    assert store.read_draft(*waiting, 0) == kept
    assert kept.who == "Ann" and kept.changes["pinned"] == ["a"] and kept.at > 0


def test_a_draft_outlives_being_asked_again(waiting):
    kept = store.save_draft(*waiting, 0, {"decay": 0.5}, mark_pool=False, who="Ann")
    store.ask_review(*waiting, small_record(), until=None)
    assert store.read_draft(*waiting, 0) == kept
    store.drop_draft(*waiting, 0)
    store.drop_draft(*waiting, 0)
    assert store.read_draft(*waiting, 0).changes == {}


def test_a_draft_that_cannot_be_read_says_where(waiting):
    (store.run_folder(*waiting) / "reviews" / "0.draft.json").write_text("{")
    with pytest.raises(RunError, match="draft"):
        store.read_draft(*waiting, 0)
