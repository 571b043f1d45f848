"""What an export writes, file or folder: that trainers' libraries open it, and what is said of what does not fit."""

import dataclasses
import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from backend import store
from backend.analysis import hub_push
from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.picks_export import picks_of_rows, picks_of_run, picks_of_settings
from backend.cli.commands import app
from backend.config import SelectionSettings
from backend.data import load_pool
from backend.errors import PoolError
from backend.records import Scores, Selection
from tests.engine.trainer_labels import llama_factory_rows
from tests.fake_hub import FakeHub
from tests.unit.compared import labelled, made_run

Q, A = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
CALL = {"type": "function", "function": {"name": "w", "arguments": {"c": "Rome"}}}
TOOL = {"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {}}}}
ROWS = [
    {"messages": [Q, A]},
    {"messages": [{"role": "system", "content": "s"}, Q, A, Q, A], "label": "clean"},
    {"messages": [Q, Q, A]},  # does not alternate
    {
        "messages": [
            Q,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "20"},
            {"role": "assistant", "content": "20.", "reasoning_content": "It is 20."},
        ],
        "tools": [TOOL],
    },
    {"messages": [A]},  # nothing stands before the response
    {"messages": [{"role": "user", "content": "kept aside"}, A]},
    {"messages": [Q, {"role": "user", "content": "kept aside, too"}, A]},
]


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({**row, "source": "s"}) + "\n" for row in ROWS))
    return load_pool([path])


def picked(pool):
    """The first five samples, the other two held out."""
    picks = picks_of_rows(pool, np.arange(5), inputs=("pool.jsonl",), mapping={})
    return dataclasses.replace(picks, held_out=lambda: (pool, np.array([5, 6])))


def opened(folder: Path, name: str | None = None):
    """The folder as the datasets library opens it."""
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(str(folder), name, cache_dir=str(folder.parent / "cache"))


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("format", "kind", "train", "test"),
    [
        ("messages", "jsonl", 5, 2),
        ("messages", "json", 5, 2),
        ("messages", "parquet", 5, 2),
        ("prompt_completion", "parquet", 4, 2),
        ("prompt_completion", "jsonl", 4, 2),
        ("sharegpt", "jsonl", 5, 2),
        ("alpaca", "jsonl", 2, 1),
        ("alpaca", "parquet", 2, 1),
    ],
)
def test_a_folder_opens_with_its_splits_and_holds_every_sample(
    tmp_path, pool, monkeypatch, format, kind, train, test
):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    folder = tmp_path / "made"
    made = export_picks(folder, picked(pool), ExportOptions(format, kind, scores=True, held_out=True))
    found = opened(folder)
    assert {name: len(split) for name, split in found.items()} == {"train": train, "test": test}
    assert found["train"].column_names == found["test"].column_names
    assert (made.samples, made.rest, made.held_out) == (5, 5 - train, 2)
    written = [found["train"]["id"], found["test"]["id"]]
    if made.rest:
        rest = opened(folder, "rest")
        assert {len(split) for split in rest.values()} <= {3, 1} and "messages" in rest["train"].column_names
        written = [[*ids, *(rest[name]["id"] if name in rest else [])] for ids, name in zip(written, found)]
    assert sorted(written[0]) == sorted(pool.ids[:5]) and sorted(written[1]) == sorted(pool.ids[5:])
    card = (folder / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["configs"][0]["config_name"] == "default"
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["ids"] == pool.ids[:5].tolist() and recipe["commands"][0] in card
    if format == "alpaca":
        assert "3 of 5 samples cannot be written as alpaca" in made.notes[0] and made.notes[0] in card
        assert all(isinstance(row["instruction"], str) for row in found["train"])


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize("format", ["sharegpt", "alpaca"])
def test_llama_factory_reads_what_its_rules_allow(tmp_path, pool, format, kind):
    made = export_picks(tmp_path / "made", picked(pool), ExportOptions(format, kind, held_out=True))
    rows = llama_factory_rows(made.out)
    read = [row for row in rows if row is not None]
    if format == "sharegpt":
        uneven = 2 + 1  # and one of those held out
        assert len(rows) - len(read) == 2 and f"In {uneven} samples" in made.notes[-1]
        assert [row["system"] for row in read] == ["", "s", ""] and json.loads(read[2]["tools"]) == [TOOL]
        assert read[2]["response"] == "<think>\nIt is 20.\n</think>\n\n20."
    else:
        assert [row["prompt"] for row in read] == [["q"], ["q", "a", "q"]] and len(rows) == 2
    assert len(llama_factory_rows(made.out, "test")) == (2 if format == "sharegpt" else 1)
    config = yaml.safe_load((made.out / "llama_factory.yaml").read_text())
    names = json.loads((made.out / "dataset_info.json").read_text())
    assert config["mask_history"] is True and config["train_on_prompt"] is False
    assert {config["dataset"], config["eval_dataset"]} == set(names)


def test_a_stanza_is_given_only_where_the_trainer_reads_all_of_it(tmp_path, pool):
    made = export_picks(tmp_path / "made", picked(pool), ExportOptions("messages"))
    assert not (made.out / "dataset_info.json").exists() and (made.out / "axolotl.yaml").exists()
    assert "lose reasoning and tool calls; export as sharegpt" in (made.out / "README.md").read_text()
    (dataset,) = yaml.safe_load((made.out / "axolotl.yaml").read_text())["datasets"]
    assert dataset["roles_to_train"] == [] and dataset["message_field_training"] == "train"
    one_round = picks_of_rows(pool, np.array([0, 2]), inputs=("pool.jsonl",), mapping={})
    made = export_picks(tmp_path / "made", one_round, ExportOptions("messages", "parquet"))
    (dataset,) = yaml.safe_load((made.out / "axolotl.yaml").read_text())["datasets"]
    assert dataset["roles_to_train"] == ["assistant"] and dataset["ds_type"] == "parquet"
    assert (made.out / "dataset_info.json").exists()
    assert not (made.out / "train.jsonl").exists()  # of the export before
    made = export_picks(tmp_path / "other", picked(pool), ExportOptions("prompt_completion"))
    assert {path.name for path in made.files} == {
        "train.jsonl", "train.rest.jsonl", "README.md", "recipe.json"
    }  # fmt: skip


def test_what_cannot_be_written_is_refused(tmp_path, pool):
    talk = picks_of_rows(pool, np.array([2]), inputs=("pool.jsonl",), mapping={})
    with pytest.raises(PoolError, match="none of the 1 samples can be written as alpaca"):
        export_picks(tmp_path / "a.jsonl", talk, ExportOptions("alpaca"))
    with pytest.raises(PoolError, match="nothing was held out"):
        export_picks(tmp_path / "a.jsonl", talk, ExportOptions(held_out=True))
    with pytest.raises(PoolError, match="nothing is selected"):
        export_picks(tmp_path / "a.jsonl", picks_of_rows(pool, np.array([], int), inputs=(), mapping={}))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(PoolError, match="holds something else"):
        export_picks(tmp_path / "mine", talk)
    with pytest.raises(PoolError, match=r'ends in ".csv"; .* a name without an ending is a folder'):
        export_picks(tmp_path / "a.csv", talk)
    assert {path.name for path in tmp_path.iterdir()} == {"pool.jsonl", "mine"}


def test_other_columns_of_a_file_come_out_beside_the_sample(tmp_path, pool):
    own = [None, {"judge": 0.5, "prompt": "p", "rank": 3}, *[{"judge": None, "prompt": None, "rank": 4}] * 5]
    kept = dataclasses.replace(pool, table=pool.table.append_column("own", pa.array(own)))
    picks = drawn_first(kept)
    export_picks(tmp_path / "a.jsonl", picks, ExportOptions(scores=True))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["judge"] for line in lines] == [None, 0.5] and lines[1]["own_prompt"] == "p"
    assert [line["own_rank"] for line in lines] == [None, 3] and [line["rank"] for line in lines] == [1, 2]


def drawn_first(pool):
    selection = Selection(
        np.array([0, 1]),
        np.full(2, np.nan),
        np.full(2, np.nan),
        np.ones(len(pool), np.uint8),
        explain=lambda: (np.empty((2, 0), object), np.empty((2, 0), np.float32)),
    )
    scores = Scores.unknown(len(pool))
    return picks_of_settings(
        pool,
        scores,
        selection,
        SelectionSettings(strategy="random"),
        inputs=("p",),
        mapping={},
        scores_files=(),
    )


def test_a_runs_held_out_rows_are_its_second_split(tmp_path):
    home = tmp_path / "runs"
    of_share = made_run(home, (3.0, 2.5, 2.0), kept_aside=(7, 8, 11))
    out = tmp_path / "picked.jsonl"
    made = export_picks(out, picks_of_run(home, of_share), ExportOptions(held_out=True))
    pool = store.load_pool_from_store(home, store.read_run_pool(home, of_share).id)
    test = load_pool([tmp_path / "picked.test.jsonl"])
    assert made.held_out == 3
    assert [test.response(row) for row in range(3)] == [pool.response(row) for row in (7, 8, 11)]
    of_file = made_run(home, (3.0, 2.5, 2.0), held_out=labelled(9, name="aside"))
    assert export_picks(out, picks_of_run(home, of_file), ExportOptions(held_out=True)).held_out == 9


def test_a_run_is_named_by_name_or_folder_and_a_comparison_means_its_lowest_run(tmp_path):
    home = tmp_path / "runs"
    low = made_run(home, (3.0, 2.0, 1.5), name="Ada's", strategy="iterit")
    high = made_run(home, (3.0, 2.5, 2.2), strategy="random")
    for named in ("Ada's", home / low):
        out = tmp_path / "by_name.jsonl"
        result = run(
            "export",
            named,
            "--out",
            out,
            "--runs-dir",
            home if named == "Ada's" else tmp_path / "none",
            "--json",
        )
        assert result.exit_code == 0 and json.loads(result.stdout)["run"] == low, result.output
    made = store.create_comparison(home, "both")
    store.add_to_comparison(home, made, [high, low])
    told = json.loads(
        run("export", "--comparison", made, "--out", tmp_path / "won", "--runs-dir", home, "--json").stdout
    )
    assert told["run"] == low and {Path(path).name for path in told["files"]} >= {"train.jsonl", "README.md"}
    both = run("export", low, "--comparison", made, "--out", tmp_path / "x.jsonl", "--runs-dir", home)
    assert both.exit_code == 1 and "name a RUN, a --comparison or a --pool" in both.stderr


def test_any_samples_of_a_pool_are_exported_and_their_recipe_repeats_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"instruction": f"name tree {i}", "output": ("oak", "yew", "fir")[i % 3]} for i in range(36)]
    (tmp_path / "trees.json").write_text(json.dumps(rows))
    result = run("export", "--pool", "trees.json", "--search", "yew", "--out", "yews.jsonl", "--recipe")
    assert result.exit_code == 0, result.output
    before = (tmp_path / "yews.jsonl").read_bytes()
    assert [json.loads(line)["messages"][1]["content"] for line in before.decode().splitlines()] == [
        "yew"
    ] * 12
    recipe = json.loads((tmp_path / "yews.recipe.json").read_text())
    (tmp_path / "yews.jsonl").unlink()
    words = shlex.split(recipe["commands"][0])[3:]
    assert "@yews.recipe.json" in words and run(*words).exit_code == 0
    assert (tmp_path / "yews.jsonl").read_bytes() == before
    pool = load_pool(["trees.json"])
    one = run(
        "export", "--pool", "trees.json", "--ids", pool.ids[3], "--format", "alpaca", "--out", "one.json"
    )
    assert one.exit_code == 0 and json.loads((tmp_path / "one.json").read_text())[0]["output"] == "oak"
    assert (
        "1 id is not in trees"
        in run("export", "--pool", "trees.json", "--ids", "x", "--out", "a.json").stderr
    )
    nothing = run("export", "--pool", "trees.json", "--search", "palm", "--out", "a.json")
    assert nothing.exit_code == 1 and "no sample of trees matches --search 'palm'" in nothing.stderr
    assert "--ids needs --pool" in run("export", "--ids", "x", "--out", "a.json").stderr


def test_a_folder_is_pushed_to_the_hub(tmp_path, monkeypatch):
    import huggingface_hub

    home = tmp_path / "runs"
    run_id = made_run(home, (3.0, 2.0, 1.5))
    words = ("export", run_id, "--push", "me/picked", "--format", "prompt_completion", "--runs-dir", home)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert "no token of the Hugging Face hub was found" in run(*words).stderr
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_fake")
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    told = run(*words, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["pushed"] == "https://hub.invalid/datasets/me/picked"
    assert FakeHub.sent["name"] == "me/picked" and FakeHub.sent["private"]
    assert {"train.jsonl", "README.md", "recipe.json"} <= set(FakeHub.sent["files"])
    # others read it: nothing names this machine's folders
    assert not [name for name, text in FakeHub.sent["files"].items() if str(tmp_path) in text]
    again = json.loads(FakeHub.sent["files"]["recipe.json"])["commands"]
    assert " tune a.json --model m " in again[0] and " --held-out aside.json" in again[0]
    assert not any("--runs-dir" in one for one in again)
    assert [one.file for one in store.exports(home, run_id)] == ["me/picked on the hub"]
    monkeypatch.setattr(FakeHub, "public", True)
    assert "anybody can read it" in run(*words).stderr
    assert run(*words, "--public").exit_code == 0 and not FakeHub.sent["private"]
    assert "expected OWNER/NAME" in run("export", run_id, "--push", "picked", "--runs-dir", home).stderr
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(PoolError, match="HF_HUB_OFFLINE is set"):
        hub_push.check_push("me/picked")
