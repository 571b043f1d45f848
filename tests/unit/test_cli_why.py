"""The commands that say why, from a pool and a file of scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.cli.commands import app
from backend.data import load_pool
from backend.records import Scores
from backend.store.scores_file import write_scores

ANSWERS = [
    "red apples grow on trees",
    "green apples grow on old trees",
    "a train leaves the station",
    "red apples grow on trees",
    "nothing in common here",
    "",
]


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def pool_file(tmp_path: Path) -> Path:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": f"q {i}", "output": text} for i, text in enumerate(ANSWERS)]))
    return path


@pytest.fixture
def scores_file(tmp_path: Path, pool_file: Path) -> Path:
    pool = load_pool([pool_file])
    scores = Scores.unknown(len(pool), np.array([5, 6, 5, 5, 4, 0], dtype=np.int32), reason="")
    scores.complexity[:-1] = [0.9, 0.8, 0.7, 0.6, 1.5]
    scores.reason[-1] = "empty response"
    path = tmp_path / "scores.parquet"
    write_scores(path, pool, scores)
    return path


def test_why_a_sample_was_not_picked(pool_file: Path, scores_file: Path) -> None:
    result = run("why", pool_file, 3, "--scores", scores_file, "--budget", 2, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    pool = load_pool([pool_file])
    assert (told["row"], told["id"], told["status"], told["pick"]) == (3, pool.ids[3], "outranked", None)
    assert "the last pick had" in told["headline"] and told["settings"]["budget"] == 2
    assert told["covered"] and told["terms"] == []
    first = told["covered"][0]
    assert first["id"] == pool.ids[first["row"]] and first["left"] < first["part"]
    assert told["reach"]["budget"] == 4
    again = json.loads(
        run("why", pool_file, pool.ids[3], "--scores", scores_file, "--budget", 4, "--json").stdout
    )
    assert again["pick"] == 4 and again["terms"] and again["reach"]["notes"]


def test_why_as_text(pool_file: Path, scores_file: Path) -> None:
    result = run("why", pool_file, 3, "--scores", scores_file, "--budget", 2)
    assert result.exit_code == 0, result.stderr
    for words in ("Not selected: ", "N-grams that earlier picks cover", "4 samples", "complexity weight"):
        assert words in result.stdout
    picked = run("why", pool_file, 0, "--scores", scores_file, "--budget", 3).stdout
    assert "N-grams that earned the pick" in picked and "it is picked now" in picked
    rejected = run("why", pool_file, 4, "--scores", scores_file, "--budget", 2).stdout
    assert "not below the limit of 1" in rejected
    longest = run("why", pool_file, 3, "--scores", scores_file, "--budget", 2, "--strategy", "longest").stdout
    assert "the last pick's has" in longest


def test_a_sample_that_is_not_there(pool_file: Path, scores_file: Path) -> None:
    result = run("why", pool_file, "9", "--scores", scores_file)
    assert result.exit_code == 1
    assert "no sample '9' in pool: expected an id, or a row from 0 to 5" in result.stderr


def test_frontier(pool_file: Path, scores_file: Path) -> None:
    result = run("frontier", pool_file, "--scores", scores_file, "--budget", 2, "--json")
    assert result.exit_code == 0, result.stderr
    table = json.loads(result.stdout)
    assert (table["candidates"], table["budget"]) == (4, 2)
    assert [point["budget"] for point in table["points"]] == [1, 2, 3, 4]
    assert [point["present"] for point in table["points"]] == [False, True, False, False]
    gains = [point["gain"] for point in table["points"]]
    assert gains == sorted(gains, reverse=True)
    text = run("frontier", pool_file, "--scores", scores_file, "--budget", 2).stdout
    assert "4 candidates" in text and "current budget" in text and "%" in text


def test_rows_without_scores_are_in_no_order(tmp_path: Path, pool_file: Path) -> None:
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps([{"row": 3, "complexity": 0.5}, {"row": 1, "complexity": 0.4}]))
    table = json.loads(run("frontier", pool_file, "--scores", scores, "--budget", 1, "--json").stdout)
    assert table["candidates"] == 2
    told = json.loads(run("why", pool_file, 0, "--scores", scores, "--budget", 1, "--json").stdout)
    assert told["status"] == "not_candidate"
    assert told["headline"] == "Not selected: no model has scored it."


def test_a_later_epoch_is_looked_ahead_to(pool_file: Path, scores_file: Path) -> None:
    cumulative = ("--scores", scores_file, "--budget", 2, "--strategy", "iterit-cumulative", "--json")
    picked = [
        json.loads(run("select", pool_file, *cumulative, "--ahead", n).stdout)["selected"] for n in (0, 1)
    ]
    assert len(picked[0]) == len(picked[1]) == 2 and not set(picked[0]) & set(picked[1])
    told = json.loads(run("why", pool_file, picked[0][0], *cumulative, "--ahead", 1).stdout)
    assert told["status"] == "trained" and "epoch 0 trained on it (as its pick 1)" in told["headline"]
    told = json.loads(run("why", pool_file, 3, *cumulative, "--ahead", 1).stdout)
    assert told["pick"] is not None and {one["epoch"] for one in told["covered"]} == {0}
    for command in (("select",), ("why",)):
        words = [
            *command,
            pool_file,
            *([3] if command == ("why",) else []),
            "--scores",
            scores_file,
            "--ahead",
            1,
        ]
        result = run(*words)
        assert result.exit_code == 1 and "needs the strategy iterit-cumulative" in result.stderr
