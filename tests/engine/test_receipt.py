"""The receipt of a run, and its selections repeated from stored scores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny
from interrupted import settings, write_inputs
from typer.testing import CliRunner

from backend import store
from backend.analysis.receipt import read_receipt, write_receipt
from backend.cli.commands import app
from backend.data import load_pool
from backend.data.response_edits import with_edits
from backend.errors import RunError
from backend.iterate import Record, run
from backend.records import EpochRecord, Pool
from backend.store.paths import epoch_folder

STRATEGIES = ("iterit", "iterit-cumulative", "random-each-epoch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pool.jsonl, model/, and runs/ with a run of each strategy: iterit on a pool with an edited response,
    iterit-cumulative with a review that changes the second epoch."""
    folder = tmp_path_factory.mktemp("receipt")
    write_inputs(folder, samples=60)
    home = folder / "runs"
    plain = load_pool([folder / "pool.jsonl"])
    edited = with_edits(plain, {str(plain.ids[3]): "seven days are in a week"})
    for strategy in STRATEGIES:
        pool = edited if strategy == "iterit" else plain
        for one in (plain, pool):
            store.save_pool(home, one)
        config = settings(
            folder, strategy=strategy, name=strategy, held_out_every=0, checkpoint_every=0, max_complexity=3.0
        )
        run_id = store.create_run(home, config, pool)

        def report(record: Record, run_id: str = run_id) -> None:
            if isinstance(record, EpochRecord):
                store.write_epoch(home, run_id, record)

        def review(proposal: EpochRecord, refused: str, pool: Pool = pool) -> dict[str, Any]:
            first = str(pool.ids[proposal.selection.rows[0]])
            return {"decay": 0.5, "excluded": (first,)} if proposal.epoch == 1 and not refused else {}

        run(
            config,
            pool,
            tiny.model(),
            tiny.tokenizer(),
            report=report,
            folder=folder / strategy,
            review=review if strategy == "iterit-cumulative" else None,
        )
        write_receipt(home, run_id)
    return folder


def receipt_path(folder: Path, strategy: str) -> Path:
    run_id = next(info.id for info in store.runs(folder / "runs") if info.name == strategy)
    return store.run_folder(folder / "runs", run_id) / "receipt.json"


def replayed(folder: Path, receipt: Path) -> tuple[int, str]:
    made = CliRunner().invoke(app, ["replay", str(receipt), "--runs-dir", str(folder / "runs")])
    return made.exit_code, made.stdout


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_epoch_is_selected_again(folder: Path, strategy: str) -> None:
    receipt = receipt_path(folder, strategy)
    told = json.loads(receipt.read_text())
    selections = [epoch["ids"] for epoch in told["epochs"]]
    assert len(selections) == 3 and selections[0] != selections[1] != selections[2]
    assert told["complete"] and told["model"]["files"] and told["held_out"]["samples"] == 6
    code, out = replayed(folder, receipt)
    assert code == 0, out
    for epoch in range(3):
        assert f"epoch {epoch}: 15 samples, identical" in out
    assert ("edits: same" in out) == (strategy == "iterit") == ("edits" in told)
    assert bool(told["epochs"][1]["changes"]) == (strategy == "iterit-cumulative")
    assert "pool: same" in out and "model: same" in out and "held out: same" in out


def swapped(told: dict[str, Any]) -> None:
    ids = told["epochs"][1]["ids"]
    ids[4] = "0" * 16 + "-0"


def reseeded(told: dict[str, Any]) -> None:
    told["configuration"]["seed"] += 1


@pytest.mark.parametrize(
    ("strategy", "change", "said"),
    [
        ("iterit", swapped, "epoch 1: DIFFERS: the receipt's ids_sha256"),
        ("iterit", swapped, "pick 5 in the receipt is 0000000000000000-0"),
        ("random-each-epoch", reseeded, "epoch 0: DIFFERS: pick"),
        ("iterit", reseeded, "configuration: DIFFERS (seed is"),
    ],
)
def test_a_changed_receipt_is_told(
    folder: Path, tmp_path: Path, strategy: str, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    told = json.loads(receipt_path(folder, strategy).read_text())
    change(told)
    changed = tmp_path / "receipt.json"
    changed.write_text(json.dumps(told))
    code, out = replayed(folder, changed)
    assert code == 1 and said in out and "not identical with the receipt" in out


def test_a_changed_score_is_told(folder: Path) -> None:
    receipt = receipt_path(folder, "iterit")
    path = epoch_folder(folder / "runs", receipt.parent.name, 2) / "samples.parquet"
    before = path.read_bytes()
    table = pq.read_table(path)
    values = table["complexity"].to_pylist()
    at = json.loads(receipt.read_text())["epochs"][2]["ids"][0]
    values[table["id"].to_pylist().index(at)] *= 0.5
    column = pa.array(values, pa.float32())
    pq.write_table(table.set_column(table.column_names.index("complexity"), "complexity", column), path)
    try:
        code, out = replayed(folder, receipt)
    finally:
        path.write_bytes(before)
    assert code == 1
    assert "epoch 1: 15 samples, identical" in out
    assert "epoch 2: DIFFERS: the stored scores are not those of the receipt; pick 1" in out


def test_of_any_run_it_is_made_when_asked_for(folder: Path, tmp_path: Path) -> None:
    kept = receipt_path(folder, "iterit-cumulative")
    words = ["receipt", kept.parent.name, "--runs-dir", str(folder / "runs")]
    told = json.loads(CliRunner().invoke(app, words).stdout)
    assert told == json.loads(kept.read_text())
    moved = kept.rename(tmp_path / "kept.json")
    made = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "made.json")])
    moved.rename(kept)
    assert made.exit_code == 0, made.stderr
    again = json.loads((tmp_path / "made.json").read_text())
    assert again["epochs"] == told["epochs"] and again["configuration"] == told["configuration"]


def test_what_is_not_here_is_said_and_no_failure(folder: Path) -> None:
    receipt = receipt_path(folder, "random-each-epoch")
    model = (folder / "model").rename(folder / "elsewhere")
    try:
        words = ["replay", str(receipt), "--runs-dir", str(folder / "runs"), "--json"]
        made = CliRunner().invoke(app, words)
    finally:
        model.rename(folder / "model")
    told = json.loads(made.stdout)
    assert made.exit_code == 0 and told["identical"]
    assert {check["what"]: check["state"] for check in told["checks"]}["model"] == "missing"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: told.pop("receipt"), "is not a receipt"),
        (lambda told: told.update(receipt=2), "newer version"),
        (lambda told: told["epochs"][0].pop("ids"), r'"epochs\.ids" is missing'),
        (lambda told: told["epochs"].clear(), '"epochs" is empty'),
    ],
)
def test_what_is_no_receipt_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    told = json.loads(receipt_path(folder, "iterit").read_text())
    change(told)
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(told))
    with pytest.raises(RunError, match=said):
        read_receipt(path)
