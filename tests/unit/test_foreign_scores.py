"""Scores that were computed elsewhere: matched by id or by row of the file, and nothing that did not match goes unsaid."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import analysis, store
from backend.cli.commands import app
from backend.data import load_pool
from backend.errors import ScoresError
from backend.records import EDITED, NOT_IMPORTED, Pool, Scores
from backend.store.foreign_scores import EMPTY, FAILED, NO_NUMBER, ForeignScores, read_foreign_scores
from backend.store.imported_scores import imported_sets, keep_imported, load_imported
from backend.store.scores_file import write_scores

N = 6
ROWS = [{"instruction": f"question {i}", "output": f"answer {i} in words"} for i in range(N)]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    (tmp_path / "pool.json").write_text(json.dumps(ROWS))
    return load_pool([str(tmp_path / "pool.json")])


def read(folder: Path, text: str, pool: Pool, name: str = "scores.jsonl") -> ForeignScores:
    (folder / name).write_text(text)
    return read_foreign_scores([str(folder / name)], pool)


def test_the_authors_scores_by_their_index(tmp_path: Path, pool: Pool) -> None:
    """After the first epoch they are in the order of the ranking; null samples are NaN, which Python writes as it is."""
    value = {"index": [3, 0, 5, 1, 17], "score": [0.3, 0.9, float("nan"), 0.0, 0.7], "train_num": 2}
    found = read(tmp_path, json.dumps(value), pool, "1_alpaca.jsonl")
    np.testing.assert_array_equal(found.scores.complexity, [0.9, np.nan, np.nan, 0.3, np.nan, np.nan])
    reasons = ["", "complexity 0 in the imported file", NOT_IMPORTED, "", NOT_IMPORTED, NO_NUMBER]
    assert found.scores.reason.tolist() == reasons
    assert (found.by, found.matched, found.strange) == ("row", 4, (1, ("17",)))
    assert found.without == (2, (pool.ids[2], pool.ids[4]))
    said = " ".join(found.sentences)
    for words in (
        "4 of 6 samples matched by row, 2 of them with a score",
        "no sample: row 17",
        str(pool.ids[2]),
    ):
        assert words in said
    with pytest.raises(ScoresError, match="lists of one length"):
        read(tmp_path, '{"index": [1], "score": [1, 2]}', pool)


def line(alone: float, conditioned: float) -> dict[str, Any]:
    return {"ppl": [0, alone, 0, conditioned], "loss": [0, alone and math.log(alone), 0, conditioned and math.log(conditioned)]}  # fmt: skip


def test_superfilterings_lines_by_row_of_the_file(tmp_path: Path) -> None:
    """Rows of the file that the pool leaves out are counted."""
    rows = [*ROWS[:2], {"instruction": "no answer here"}, *ROWS[2:]]
    (tmp_path / "pool.json").write_text(json.dumps(rows))
    pool = load_pool([str(tmp_path / "pool.json")])
    assert len(pool) == N and pool.left_out == 1
    lines = [line(4, 2), line(4, 3), line(9, 9), {}, line(0, 0), line(float("nan"), 3), line(4, 1)]
    found = read(tmp_path, "".join(json.dumps(one) + "\n" for one in lines), pool)
    np.testing.assert_array_equal(found.scores.complexity, [0.5, 0.75, np.nan, np.nan, np.nan, 0.25])
    assert found.scores.reason.tolist() == ["", "", EMPTY, FAILED, NO_NUMBER, ""]
    np.testing.assert_allclose(found.scores.loss_prior[[0, 5]], math.log(4), rtol=1e-6)
    np.testing.assert_allclose(found.scores.loss_cond[:2], np.log([2, 3]), rtol=1e-6)
    assert found.strange == (1, ("2",))
    with pytest.raises(ScoresError, match=r"jsonl line 2: expected .ppl."):
        read(tmp_path, json.dumps(line(4, 2)) + '\n{"ppl": [1, 2]}\n', pool)


def test_rows_of_one_of_several_files_are_not_guessed(tmp_path: Path, pool: Pool) -> None:
    (tmp_path / "more.json").write_text(json.dumps([*ROWS[:1], {"instruction": "no answer here"}]))
    both = load_pool([str(tmp_path / "pool.json"), str(tmp_path / "more.json")])
    with pytest.raises(ScoresError, match="2 files of which 1 rows were left out"):
        read(tmp_path, json.dumps({"index": [0], "score": [0.5]}), both)


def test_scored_data_is_known_again_by_its_content(tmp_path: Path, pool: Pool) -> None:
    data = [{**ROWS[4], "ppl_A_direct": 4.0, "ppl_A_condition": 2.0, "ifd_ppl": 0.5}]
    data += [{**ROWS[1], "ppl_A_direct": 0.0, "ppl_A_condition": 0.0, "ifd_ppl": 0.0}]
    data += [
        {
            "instruction": "a",
            "output": "stranger",
            "ppl_A_direct": 2.0,
            "ppl_A_condition": 1.0,
            "ifd_ppl": 0.5,
        }
    ]
    found = read(tmp_path, json.dumps(data), pool, "data.json")
    assert found.by == "id" and found.matched == 2 and found.strange[0] == 1
    assert found.scores.complexity[4] == 0.5 and found.scores.reason[1] == FAILED
    np.testing.assert_allclose(found.scores.loss_prior[4], math.log(4), rtol=1e-6)


def test_ours_by_id_in_any_order(tmp_path: Path, pool: Pool) -> None:
    records = [{"id": str(pool.ids[row]), "complexity": row / 10} for row in (5, 2)]
    found = read(tmp_path, json.dumps(records), pool, "scores.json")
    assert found.by == "id" and np.flatnonzero(found.scores.reason == "").tolist() == [2, 5]
    assert found.scores.complexity[[2, 5]].tolist() == [0.2, 0.5]
    with pytest.raises(ScoresError, match=f"names a sample twice: {pool.ids[5]}, row 5"):
        read(tmp_path, json.dumps([*records, records[0]]), pool, "scores.json")
    with pytest.raises(ScoresError, match="none of its 1 entries is of a sample of pool: id nobody-0 there"):
        read(tmp_path, json.dumps([{"id": "nobody-0", "complexity": 1.0}]), pool, "scores.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"id": "a", "loss": 1}]', "no scores that are known here .found: id, loss.; expected"),
        ('{"a": 1}\nnonsense\n', "line 2 cannot be read as JSON"),
        ("[]", "holds no scores that are known here"),
    ],
)
def test_what_is_no_scores_file_is_said(tmp_path: Path, pool: Pool, text: str, message: str) -> None:
    with pytest.raises(ScoresError, match=message):
        read(tmp_path, text, pool)


def test_imported_scores_stay_with_the_pool_and_know_what_was_edited_since(
    tmp_path: Path, pool: Pool
) -> None:
    home = tmp_path / "runs"
    store.save_pool(home, pool, inputs=[str(tmp_path / "pool.json")])
    found = read(tmp_path, json.dumps({"index": [3, 0], "score": [0.3, 0.9]}), pool)
    kept = keep_imported(home, pool, found, name="of the cluster", model="big")
    assert keep_imported(home, pool, found, name="of the cluster", model="big").key == kept.key
    (one,) = analysis.score_sets(home, pool)
    assert (one.key, one.label, one.model, one.stale) == (kept.key, "of the cluster, imported", "big", 0)
    np.testing.assert_array_equal(
        analysis.load_scores(home, pool, kept.key).complexity, found.scores.complexity
    )

    store.set_responses(home, pool.id, {str(pool.ids[3]): "mended"})
    edited = store.edited_pool(home, pool.id)
    assert analysis.score_sets(home, edited)[0].stale == 1
    assert load_imported(home, edited, kept.key).reason[[0, 3]].tolist() == ["", EDITED]
    # a damaged file hides no other
    (home / "pools" / pool.id / "scores" / "0123456789ab.parquet").write_bytes(b"no parquet")
    assert [one.key for one in imported_sets(home, pool.id)] == [kept.key]


def test_the_command_imports_says_and_writes_what_select_reads(tmp_path: Path, pool: Pool) -> None:
    scores = Scores.unknown(N, np.full(N, 4, dtype=np.int32), reason="")
    scores.complexity[:] = np.linspace(0.2, 0.7, N)
    write_scores(tmp_path / "ours.jsonl", pool, scores)
    words = ["--runs-dir", str(tmp_path / "runs")]
    out = tmp_path / "again.parquet"
    command = [
        "import-scores",
        str(tmp_path / "pool.json"),
        str(tmp_path / "ours.jsonl"),
        "--out",
        str(out),
        "--json",
    ]
    result = CliRunner().invoke(app, [*command, *words])
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["name"], said["by"], said["matched"], said["scored"]) == ("ours", "id", N, N)
    assert "6 of 6 samples matched by id, 6 of them with a score" in result.stderr
    assert [one.key for one in imported_sets(tmp_path / "runs", pool.id)] == [said["key"]]
    picks = [
        json.loads(CliRunner().invoke(app, ["select", command[1], "--scores", str(file), "--budget", "3", "--strategy", "complexity", *words]).stdout)
        for file in (tmp_path / "ours.jsonl", out)
    ]  # fmt: skip
    assert picks[0]["selected"] == picks[1]["selected"] == [5, 4, 3]
