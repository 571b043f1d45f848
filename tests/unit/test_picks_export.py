"""Picks that leave the studio: the columns beside them, the union of epochs, the recipe, and that they load again."""

import json
import shlex

import numpy as np
import pytest
from small_pools import random_case
from small_runs import small_config, small_pool, small_record
from typer.testing import CliRunner

from backend import store
from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.picks_export import COLUMNS, columns_of, picks_of_run, picks_of_settings
from backend.analysis.recipe import ids_hash
from backend.cli.commands import app
from backend.data import load_pool
from backend.records import Scores
from backend.store.scores_file import read_scores, write_scores
from tests.unit.compared import made_run

WORDS = ["oak", "elm", "ash", "fir", "yew", "box", "bay", "pine", "larch", "birch"]


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def lines_of(path):
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pool_file(tmp_path):
    """Thirty conversations; of some the system turn, several rounds, a source."""
    rng = np.random.default_rng(3)
    rows = []
    for i in range(30):
        turns = [{"role": "system", "content": "Be “brief”."}] if i % 3 == 0 else []
        if i % 4 == 0:
            turns += [{"role": "user", "content": f"first {i}"}, {"role": "assistant", "content": "yes\nno"}]
        turns += [
            {"role": "user", "content": f"name trees {i}"},
            {"role": "assistant", "content": " ".join(rng.choice(WORDS, 5))},
        ]
        rows.append({"messages": turns, "source": ("x", "y")[i % 2]})
    path = tmp_path / "trees.json"
    path.write_text(json.dumps(rows))
    return path


def scored(pool, path):
    scores = Scores.unknown(len(pool), np.full(len(pool), 5, np.int32), reason="")
    scores.complexity[:] = np.random.default_rng(1).uniform(0.3, 1.2, len(pool))
    scores.complexity[4] = np.nan
    scores.reason[4] = "non-finite loss"
    write_scores(path, pool, scores)
    return scores


def test_the_columns_say_what_the_selection_says():
    case = random_case(5, budget=12)
    made = case.selection()
    lines = columns_of(case.pool, case.scores, made, case.settings)
    assert [list(line) for line in lines] == [list(COLUMNS)] * len(made)
    for at, (line, row) in enumerate(zip(lines, made.rows)):
        assert (line["id"], line["file"], line["row"], line["rank"]) == (f"s{row}", "f", row, at + 1)
        assert line["complexity"] == pytest.approx(float(case.scores.complexity[row]))
        assert line["gain"] == pytest.approx(line["complexity"] * line["diversity"])
        assert line["why"].startswith(case.why(int(row)).headline)


def test_a_number_that_does_not_exist_is_null_and_a_pin_is_told(tmp_path):
    home = tmp_path / "runs"
    store.save_pool(home, small_pool())
    run_id = store.create_run(home, small_config(), small_pool())
    store.write_epoch(home, run_id, small_record(0))
    first = picks_of_run(home, run_id).columns()[0]
    assert first["gain"] is None and "a person pinned it" in first["why"]
    assert "“answer 3”, “apples”" in first["why"]


def test_the_union_has_each_sample_once_as_its_first_epoch_knew_it(tmp_path):
    home = tmp_path / "runs"
    run_id = made_run(home, (3.0, 2.5, 2.0), picks=((5, 1, 9), (9, 2, 5)))
    picks = picks_of_run(home, run_id, store.ALL_EPOCHS)
    assert picks.rows.tolist() == [5, 1, 9, 2]
    found = [(line["epoch"], line["epochs"], line["rank"]) for line in picks.columns()]
    assert found == [(0, 2, 1), (0, 1, 2), (0, 2, 3), (1, 1, 2)]
    assert [line["id"] for line in picks.columns()] == picks.pool.ids[picks.rows].tolist()
    assert picks_of_run(home, run_id).rows.tolist() == [9, 2, 5]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize("format", ["alpaca", "messages", "prompt_completion", "sharegpt"])
def test_what_was_exported_loads_again_without_loss(tmp_path, pool_file, format, ending):
    pool = load_pool([pool_file])
    scores_path = tmp_path / "scores.parquet"
    scored(pool, scores_path)
    out = tmp_path / f"picks.{ending}"
    asked = ("--budget", 9, "--export", out, "--format", format, "--with-scores", "--recipe")
    result = run("select", pool_file, "--scores", scores_path, *asked)
    assert result.exit_code == 0 and result.stdout == "", result.output
    written = lines_of(out)
    again = load_pool([out])
    assert again.ids.tolist() == [line["id"] for line in written] and again.left_out == 0
    for line, sample in zip(written, again.table.to_pylist()):
        row = pool.row_of[line["id"]]
        assert (sample["turns"], sample["response"]) == (pool.turns(row), pool.response(row))
        assert sample["source"] == pool.sources[pool.source_codes[row]]
        assert set(COLUMNS) < set(line)


@pytest.mark.parametrize("excluded", [2, 12])  # by name, and by the recipe's list
def test_the_command_of_a_recipe_picks_the_same(tmp_path, monkeypatch, pool_file, excluded):
    monkeypatch.chdir(tmp_path)
    pool = load_pool([pool_file])
    scored(pool, tmp_path / "scores.parquet")
    marks = [word for i in pool.ids[:excluded] for word in ("--exclude", i)]
    settings = ("--budget", 6, "--decay", 0.5, "--source-weight", "x=2", "--pin", pool.ids[20], *marks)
    first = run(
        "select", pool_file, "--scores", "scores.parquet", *settings, "--export", "a.jsonl", "--recipe"
    )
    assert first.exit_code == 0, first.output
    recipe = json.loads((tmp_path / "a.recipe.json").read_text())
    assert recipe["excluded"] == pool.ids[:excluded].tolist() and recipe["pinned"] == [pool.ids[20]]
    assert recipe["pool"]["id"] == pool.id and recipe["strategy"] == "iterit" and recipe["epoch"] is None
    assert ("@a.recipe.json" in recipe["commands"][0]) == (excluded == 12)
    before = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "a.jsonl").unlink()
    words = shlex.split(recipe["commands"][0])
    assert words[:3] == ["python", "-m", "backend"]
    assert run(*words[3:]).exit_code == 0
    assert (tmp_path / "a.jsonl").read_bytes() == before
    again = json.loads((tmp_path / "a.recipe.json").read_text())
    assert again["ids_sha256"] == recipe["ids_sha256"] == ids_hash(load_pool(["a.jsonl"]).ids)


def test_a_run_exports_its_recipe_and_notes_that_it_did(tmp_path):
    home = tmp_path / "runs"
    run_id = made_run(home, (3.0, 2.5, 2.0), picks=((5, 1, 9), (9, 2, 5)))
    out = tmp_path / "all.jsonl"
    asked = ("--all-epochs", "--scores", "--recipe", "--runs-dir", home, "--json")
    told = json.loads(run("export", run_id, "--out", out, *asked).stdout)
    assert (
        told["epoch"] == "all"
        and told["samples"] == 4
        and told["recipe"] == str(tmp_path / "all.recipe.json")
    )
    recipe = json.loads((tmp_path / "all.recipe.json").read_text())
    assert recipe["run"] == run_id and recipe["epoch"] == "all" and recipe["samples"] == 4
    assert recipe["settings"]["epochs"] == store.read_config(home, run_id).epochs
    tune, export = (shlex.split(command)[3:] for command in recipe["commands"])
    assert tune[0] == "tune" and export[:2] == ["export", "last"]
    assert "--all-epochs" in export and "--with-scores" in export
    assert [one.rows for one in store.exports(home, run_id)] == [4]


def test_held_out_rows_of_a_runs_scores_are_no_candidates(tmp_path, pool_file):
    pool = load_pool([pool_file])
    scores = scored(pool, tmp_path / "scores.parquet")
    scores.complexity[7] = np.nan
    scores.reason[7] = "held out"
    write_scores(tmp_path / "scores.parquet", pool, scores)
    assert 7 not in read_scores(tmp_path / "scores.parquet", pool).rows
    asked = ("--strategy", "diversity", "--budget", 30)
    made = json.loads(run("select", pool_file, "--scores", tmp_path / "scores.parquet", *asked).stdout)
    assert 7 not in made["selected"] and len(made["selected"]) == 29


def test_an_export_needs_a_file_and_a_known_ending(tmp_path, pool_file):
    scored(load_pool([pool_file]), tmp_path / "scores.parquet")
    words = ("select", pool_file, "--scores", tmp_path / "scores.parquet")
    assert "--recipe needs --export" in run(*words, "--recipe").stderr
    assert 'ends in ".csv"' in run(*words, "--export", tmp_path / "a.csv").stderr


def test_unscored_picks_say_that_no_command_repeats_them(tmp_path):
    case = random_case(5, budget=4)
    made = case.selection()
    picks = picks_of_settings(
        case.pool, case.scores, made, case.settings, inputs=("a",), mapping={}, scores_files=()
    )
    export_picks(tmp_path / "a.json", picks, ExportOptions(recipe=True))
    recipe = json.loads((tmp_path / "a.recipe.json").read_text())
    assert recipe["commands"] == [] and "was not scored" in recipe["notes"][0]
