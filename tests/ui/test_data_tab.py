"""The callbacks of Data: values in, values out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from backend import findings, selection, store
from backend.config import config_from
from backend.data import demo, load_pool
from backend.errors import StudioError
from backend.findings.lengths import NOT_SCORED
from backend.records import EpochRecord, Pool, Scores
from iterit_ui.data import bulk_marks as actions
from iterit_ui.data import draw, events, sources
from iterit_ui.data.lists import VIEW
from iterit_ui.shared.session import demo_pool, prepare

WHO = "Ada"
LONG = "the tall old tree in the middle of the garden keeps its leaves until the first cold night of november"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def pool(home: Path, tmp_path: Path) -> Pool:
    """Twelve samples: three the same, two nearly, one refusal, one empty, five others; and one that cannot be read."""
    outputs = [LONG] * 3 + [f"{LONG} here", f"{LONG} there"]
    outputs += ["I'm sorry, but I cannot help with that.", ""]
    outputs += [f"answer number {i} of another kind altogether" for i in range(5)]
    rows: list[dict[str, Any]] = [
        {
            "instruction": "Describe the tree." if i < 5 else f"question {i}",
            "output": text,
            "source": "ab"[i % 2],
        }
        for i, text in enumerate(outputs)
    ]
    rows.append({"instruction": "no answer"})
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    made = load_pool([path])
    store.save_pool(home, made, inputs=[str(path)])
    return made


@pytest.fixture
def known(home: Path, pool: Pool) -> Pool:
    """The same, after the background work."""
    store.build_search(home, pool)
    prompts, responses = findings.prompt_texts(pool, system=False), findings.response_texts(pool)
    store.save_near(home, pool.id, findings.near_pairs(prompts, responses))
    return pool


def cards(home: Path, pool: Pool, view: dict | None = None) -> dict[str, dict]:
    figures = draw.heads(home, pool.id, view or dict(VIEW))[0]
    return {card["label"]: card for card in figures["cards"]}


def at(**changes: Any) -> dict[str, Any]:
    return {**VIEW, **changes}


def test_the_pool_is_counted_and_what_is_not_known_says_so(home: Path, pool: Pool) -> None:
    found = cards(home, pool)
    assert [found[name]["value"] for name in ("Samples", "Sources", "Rejected rows")] == ["12", "2", "1"]
    assert [found[name]["value"] for name in ("Empty responses", "Exact duplicates", "Refusals")] == [
        "1",
        "3",
        "1",
    ]
    assert found["Near-duplicates"]["value"] == "–"
    head, _ = draw.page_values(home, pool.id, at(which="near"), "", dict(actions.NOTHING_DONE))
    assert "Not searched for yet" in head["text"] and head["buttons"][0]["key"] == "find"
    head, _ = draw.page_values(home, pool.id, at(which="too_long"), "", dict(actions.NOTHING_DONE))
    assert head["buttons"][0]["key"] == "count"


def test_every_card_lists_as_many_rows_as_it_counts(home: Path, known: Pool) -> None:
    for label, card in cards(home, known).items():
        view = events.picked_card(known.id, at(), {"key": card["key"]})
        listed = draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))[1]
        if card["value"] != "–" and card["key"] != "sources":
            assert f"{listed['total']:,}" == card["value"], label
    assert events.picked_card(known.id, at(which="near"), {"key": "near"})["which"] == "all"
    assert events.picked_card(known.id, at(), {"key": "__class__"}) == gr.skip()


def test_one_of_each_group_is_kept_and_taken_back(home: Path, known: Pool) -> None:
    view = at(which="exact")
    head, table = draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))
    assert head["buttons"][0]["label"] == "Keep one of each, exclude the other 2"
    assert [row["keep"]["text"] for row in table["rows"]] == ["keep", "alike", "alike"]
    revision, did = actions.acted(home, known.id, view, "", WHO, {"key": "keep_all"})
    assert revision == store.curation_revision(home, known.id)
    assert store.marks(home, known.id) == {str(known.ids[1]): "excluded", str(known.ids[2]): "excluded"}
    head, table = draw.page_values(home, known.id, view, "", did)
    assert head["buttons"][0]["off"] and head["done"]["text"] == "Excluded 2 samples."
    assert [row["keep"]["text"] for row in table["rows"]] == ["keep", "excluded", "excluded"]
    actions.taken_back(home, known.id, WHO)
    assert store.marks(home, known.id) == {}


def test_the_threshold_decides_who_is_alike(home: Path, known: Pool) -> None:
    def alike(threshold: float) -> int:
        view = events.moved_threshold(known.id, at(which="near"), {"value": threshold})
        return draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))[1]["total"]

    assert alike(0.8) == 5 and alike(1.0) == 3
    for nonsense in ("x", None, True, 7):
        assert events.moved_threshold(known.id, at(), {"value": nonsense}) == gr.skip()


def test_a_pinned_sample_is_the_one_that_is_kept(home: Path, known: Pool) -> None:
    store.set_mark(home, known.id, [str(known.ids[2])], "pinned", WHO)
    actions.acted(home, known.id, at(which="exact"), "", WHO, {"key": "keep_all"})
    assert store.marks(home, known.id)[str(known.ids[2])] == "pinned"
    assert sorted(store.marks(home, known.id).values()) == ["excluded", "excluded", "pinned"]


def test_what_is_listed_is_exported(home: Path, known: Pool) -> None:
    view = at(which="exact")
    ids = draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))[1]["ids"]
    answer = {"which": "", "format": "messages", "ending": "jsonl"}
    event = {"action": "export", "ids": [], "all": True, "export": answer}
    again = load_pool([actions.exported(home, event, known.id, view, WHO)])
    rows = [known.row_of[i] for i in ids]
    assert len(rows) > 1
    assert [again.response(k) for k in range(len(again))] == [known.response(row) for row in rows]
    for nonsense in (None, {**event, "export": None}, {**event, "action": "exclude"}):
        with pytest.raises(StudioError):
            actions.exported(home, nonsense, known.id, view, WHO)


def test_what_is_listed_is_excluded_together(home: Path, known: Pool) -> None:
    view = at(which="refusal")
    actions.acted(home, known.id, view, "", WHO, {"key": "exclude"})
    assert store.marks(home, known.id) == {str(known.ids[5]): "excluded"}
    assert actions.acted(home, known.id, view, "", WHO, {"key": "keep_all"}) == [gr.skip(), gr.skip()]
    # what changes nothing leaves the revision as it is, and is no state of None
    assert actions.acted(home, known.id, view, "", WHO, {"key": "exclude"}) == [gr.skip(), gr.skip()]


def test_the_list_is_searched_and_narrowed_to_a_source(home: Path, known: Pool) -> None:
    view = events.searched(known.id, at(), {"text": "answer -number"})
    assert (
        draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))[1]["empty"]
        == "No samples match."
    )
    view = events.searched(known.id, at(), {"text": "tree"})
    view = events.picked_source(home, known.id, view, {"custom": ["a"]})
    listed = draw.page_values(home, known.id, view, "", dict(actions.NOTHING_DONE))[1]
    assert listed["total"] == 3 and [chip["key"] for chip in listed["chips"]] == ["source"]
    assert events.chip_removed(known.id, view, {"key": "source"})["source"] == ""
    bad = events.searched(known.id, at(), {"text": "-"})
    assert draw.page_values(home, known.id, bad, "", dict(actions.NOTHING_DONE))[1]["search"]["error"]


def test_stepping_follows_the_list(home: Path, known: Pool) -> None:
    view = at(which="exact")
    first, _ = events.on_step(home, known.id, view, "", {"by": 1})
    assert first == str(known.ids[0])
    assert events.on_step(home, known.id, view, first, {"by": 1})[0] == str(known.ids[1])


def test_rejected_rows_name_file_row_and_reason(home: Path, pool: Pool) -> None:
    listed = draw.page_values(home, pool.id, at(which="rejected"), "", dict(actions.NOTHING_DONE))[1]
    (row,) = listed["rows"]
    assert row["file"] == "rows.json" and row["row"] == "12" and "output" in row["reason"]


def test_only_files_under_the_roots_are_offered(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jsonl").write_text("{}")
    (root / ".hidden.json").write_text("[]")
    (root / "notes.txt").write_text("")
    offered = [value for _, value in sources.choices_under((root,))]
    assert str(root / "a.jsonl") in offered
    assert not [value for value in offered if "hidden" in value or value.endswith(".txt")]


@pytest.mark.skipif(not demo.SCORES.exists(), reason="the demo's scores are not built")
def test_what_cannot_be_scored_is_known_from_scores(home: Path, pool: Pool) -> None:
    prepare(home)
    assert cards(home, demo_pool())["Unscorable"]["value"] == "0"
    assert cards(home, demo_pool())["Unscorable"]["hint"] == "from scores"
    head, _ = draw.page_values(home, demo_pool().id, at(which="unscorable"), "", dict(actions.NOTHING_DONE))
    assert "Known from scores (demo model, untouched)." in head["text"]
    assert cards(home, pool)["Unscorable"]["value"] == "–"


def test_a_list_of_the_unscorable_follows_the_scores_that_come_later(home: Path, pool: Pool) -> None:
    def shown() -> tuple[str, str, dict, dict]:
        card = cards(home, pool)["Unscorable"]
        head, table = draw.page_values(home, pool.id, at(which="unscorable"), "", dict(actions.NOTHING_DONE))
        return card["value"], card["hint"], head, table

    value, hint, head, table = shown()
    assert (value, hint, table["empty"]) == ("–", "not counted yet", "Not known yet.")
    assert "Not counted yet" in head["text"] and head["buttons"][0]["key"] == "count"
    scored_run(home, pool, unscorable={6: "empty response"}, unread=(8, 9))
    value, hint, head, table = shown()
    assert (value, hint, table["total"]) == ("1", "from scores", 1)
    assert table["ids"] == [str(pool.ids[6])]
    assert "nowhere" not in hint and "tiny" in head["text"]
    assert "2 samples were not scored: not known." in head["text"]


def scored_run(home: Path, pool: Pool, *, unscorable: dict[int, str], unread: tuple[int, ...]) -> None:
    """A run that has read the pool, but for the rows `unread`, and could not score those of `unscorable`."""
    n = len(pool)
    complexity, reason = np.full(n, 0.5, np.float32), np.full(n, "", dtype=object)
    for row, words in {**unscorable, **dict.fromkeys(unread, NOT_SCORED)}.items():
        complexity[row], reason[row] = np.nan, words
    loss, tokens = np.where(np.isnan(complexity), np.nan, np.float32(1)), np.full(n, 8, dtype=np.int32)
    scores = Scores(loss, loss, complexity, tokens, reason)
    config = config_from({"pool": ("rows.json",), "model": "nowhere/tiny", "epochs": 1, "make_map": False})
    run = store.create_run(home, config, pool)
    counts = store.ngram_counts(home, pool)
    who: dict[str, Any] = {"ids": pool.ids, "source_codes": pool.source_codes, "sources": pool.sources}
    made = selection.select(counts, scores, config, budget=2, **who)
    diversity = np.full(n, np.nan)
    store.write_epoch(home, run, EpochRecord(0, scores, np.ones(n, dtype=bool), diversity, made, {}))
