"""Cards and lists of overlaps with evaluation data on the Data tab, the field for the file, and the warning on Tune."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend import data, findings, store
from backend.jobs import lifecycle, pool_work
from backend.records import Pool
from iterit_ui.data import bulk_marks, draw, job_status, views
from iterit_ui.data.lists import VIEW
from tests.planted_overlaps import EVALUATION, POOL, PUMP, ROWS, write_files


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    made = data.load_pool([str(write_files(tmp_path)[0])])
    store.save_pool(tmp_path, made)
    return made


def compare(home: Path, pool: Pool, *, name: str = "evaluation.json", number: int = 0) -> None:
    texts = [[pair[side] for pair in pairs] for pairs in (POOL, EVALUATION) for side in (0, 1)]
    against = store.Against(f"{number:016x}", name, name, len(EVALUATION))
    store.save_overlaps(home, pool.id, against, findings.contamination(*texts))


def cards(home: Path, pool: Pool) -> dict[str, dict]:
    return {card["key"]: card for card in draw.heads(home, pool.id, dict(VIEW))[0]["cards"]}


def test_cards_count_what_overlaps_once_there_is_a_file(tmp_path: Path, pool: Pool) -> None:
    assert {cards(tmp_path, pool)[kind]["hint"] for kind in ROWS} == {"not compared yet"}
    head = bulk_marks.finding_value(
        tmp_path, pool.id, {**VIEW, "which": "overlap_near"}, "", dict(bulk_marks.NOTHING_DONE)
    )
    assert "Compare with evaluation data" in head["text"] and not head["buttons"]
    compare(tmp_path, pool)
    found = cards(tmp_path, pool)
    assert {kind: found[kind]["value"] for kind in ROWS} == {
        kind: str(len(rows)) for kind, rows in ROWS.items()
    }
    assert {found[kind]["group"] for kind in ROWS} == {"Overlap with evaluation data"}
    assert all(found[kind]["help"] for kind in ROWS)


def test_the_list_shows_what_each_overlaps_with_and_all_are_excluded_and_brought_back(
    tmp_path: Path, pool: Pool
) -> None:
    compare(tmp_path, pool)
    view = {**VIEW, "which": "overlap_exact"}
    table = views.table_value(tmp_path, pool.id, view, "")
    assert [column["label"] for column in table["columns"]][2] == "Overlaps with"
    assert table["rows"][0]["found"] == f"evaluation.json row 0 (prompt): {PUMP}"
    head = bulk_marks.finding_value(tmp_path, pool.id, view, "", dict(bulk_marks.NOTHING_DONE))
    assert "Compared with evaluation.json (4 rows). 11 more samples share set phrases only." in head["text"]
    assert [button["label"] for button in head["buttons"]] == ["Exclude these 2", "Forget evaluation.json"]
    bulk_marks.acted(tmp_path, pool.id, view, "", "Ada", {"key": "exclude"})
    assert cards(tmp_path, pool)["overlap_exact"]["hint"] == "2 excluded, 0 left"
    assert cards(tmp_path, pool)["overlap_run"]["hint"] == "2 excluded, 3 left"
    bulk_marks.taken_back(tmp_path, pool.id, "Ada")
    assert "excluded" not in cards(tmp_path, pool)["overlap_exact"]["hint"]


def test_several_files_count_together_and_each_can_be_forgotten(tmp_path: Path, pool: Pool) -> None:
    compare(tmp_path, pool)
    compare(tmp_path, pool, name="second.json", number=1)
    before = job_status.stamp_of(tmp_path, pool.id)
    view = {**VIEW, "which": "overlap_exact"}
    assert cards(tmp_path, pool)["overlap_exact"]["value"] == "2"
    assert " | second.json row 0" in views.table_value(tmp_path, pool.id, view, "")["rows"][0]["found"]
    asked = [tmp_path, (), pool.id, "demo", 100]
    job_status.asked(*asked, {"key": "forget:" + "0" * 15 + "1"})
    job_status.asked(*asked, {"key": "forget:../../x"})
    assert [against.name for against, _ in store.load_overlaps(tmp_path, pool.id)] == ["evaluation.json"]
    assert job_status.stamp_of(tmp_path, pool.id) != before  # so the page draws it


def test_a_comparison_runs_in_the_background_and_only_on_files_that_may_be_read(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(job_status.messages, "warning", said.append)
    asked: list[tuple[str, ...]] = []

    def command(home: Path, job: store.Job) -> list[str]:
        asked.append((job.kind, *job.arguments))
        return [sys.executable, "-c", ""]

    monkeypatch.setattr(lifecycle, "command_of", command)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    job_status.compared(tmp_path, (folder,), pool.id, str(tmp_path / "evaluation.json"))
    job_status.compared(tmp_path, (folder,), pool.id, None)
    assert not asked and len(said) == 2 and "evaluation.json" in said[0]
    status, _ = job_status.compared(tmp_path, (tmp_path,), pool.id, str(tmp_path / "evaluation.json"))
    assert asked == [("overlaps", "--against", str(tmp_path / "evaluation.json"))]
    assert status["title"] == "Comparing with evaluation data"
    assert pool_work.work_info(tmp_path, pool.id, "overlaps").state != "absent"
