"""Scores of an untouched model are computed once: by whom ever, for whomever, and never where anything is another."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import warm
from interrupted import settings, write_inputs
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from backend import analysis, store
from backend.cli.commands import app
from backend.complexity import Kept, kept_losses, score
from backend.complexity.losses import ResponseLosses
from backend.config import RunConfig
from backend.data import load_pool
from backend.errors import ScoresError
from backend.jobs import run_launch, scoring_anew, worker
from backend.model import load as models
from backend.prompts import encode
from backend.store.score_shards import read_own_scores, read_score_files

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 40


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    write_inputs(folder, samples=SAMPLES)
    return folder


@pytest.fixture
def folder(inputs: Path, tmp_path: Path) -> Path:
    """pool.jsonl and model/, to be changed."""
    shutil.copytree(inputs, tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sequences were read in each batch by this process."""
    counts: list[int] = []
    call = ResponseLosses.__call__

    def counted(self: ResponseLosses, batch: Any, prefix: Any = None) -> Any:
        counts.append(len(batch.ids))
        return call(self, batch, prefix)

    monkeypatch.setattr(ResponseLosses, "__call__", counted)
    return counts


def command(folder: Path, home: Path, out: str, *more: str) -> list[str]:
    return [
        "score", str(folder / "pool.jsonl"), "--model", str(folder / "model"), "--out", str(home / out),
        "--runs-dir", str(home), "--max-length", "64", "--system-prompt", "", "--batch-tokens", "64", "--threads", "1",
        *more,
    ]  # fmt: skip


def scored(folder: Path, home: Path, out: str, *more: str) -> dict[str, Any]:
    """Score on the command line; what it says of itself."""
    result = CliRunner().invoke(app, [*command(folder, home, out, *more), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def run(home: Path, config: RunConfig) -> tuple[str, Any]:
    """Work on a run in this process; its id and its first record."""
    pool = load_pool(config.pool)
    store.save_pool(home, pool, inputs=config.pool)
    run_id = store.create_run(home, config, pool)
    assert worker.work(home, run_id) == 0, store.run_info(home, run_id).error
    return run_id, store.read_epoch(home, run_id, 0)


@pytest.fixture(autouse=True)
def a_worker_in_this_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """It takes the signals of its process, and would start another for the next run in the queue."""
    monkeypatch.setattr(worker, "pump", lambda home: [])
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_second_scoring_and_runs_read_nothing(inputs: Path, home: Path, read: list[int]) -> None:
    assert scored(inputs, home, "first.parquet")["taken"] == 0
    assert sum(read) >= 2 * SAMPLES
    read.clear()
    assert scored(inputs, home, "second.parquet")["taken"] == SAMPLES
    assert not read
    first, second = (pq.read_table(home / f"{name}.parquet") for name in ("first", "second"))
    assert first.equals(second)

    # a run with any seed keeps other samples aside, and measures on them: their losses are known as well
    for seed in (0, 1):
        config = settings(inputs, epochs=0 if seed else 1, budget=4, seed=seed)
        run_id, record = run(home, config)
        aside = record.scores.reason == "held out"
        assert record.taken.samples == SAMPLES - aside.sum() > 0
        for name in ("loss_cond", "loss_prior", "complexity"):
            np.testing.assert_array_equal(
                getattr(record.scores, name)[~aside], first[name].to_numpy()[~aside]
            )
        if seed:
            assert not read
        else:
            # only the trained model has read the samples held out
            assert sum(read) <= 2 * int(aside.sum()) + 4
            read.clear()
        (said,) = [event.text for event in store.events(home, run_id) if "taken from" in event.text]
        assert f"scores {record.taken.words}" in said and ", 36 samples" in said


def test_a_run_selects_from_kept_scores_what_it_would_select(inputs: Path, home: Path) -> None:
    config = settings(inputs, epochs=0, budget=9)
    (_, fresh), (_, taken) = run(home, config), run(home, config)
    assert fresh.taken is None and taken.taken is not None
    assert taken.scored_tokens == fresh.scored_tokens > 0  # what was taken counts as what was computed
    assert fresh.selection.rows.tolist() == taken.selection.rows.tolist()
    np.testing.assert_array_equal(fresh.selection.gain, taken.selection.gain)
    np.testing.assert_array_equal(fresh.scores.complexity, taken.scores.complexity)


def test_a_run_takes_scores_of_another_machine_and_refuses_those_of_another_scoring(
    inputs: Path, home: Path, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_launch.lifecycle, "pump", lambda home: [])
    config = settings(inputs, epochs=0, budget=9)
    pool = load_pool(config.pool)
    for number in (1, 2):
        scored(inputs, home / "there", f"part-{number}.parquet", "--shard", f"{number}/2")
    files = [str(home / "there" / "part-*.parquet")]
    read.clear()
    run_id = run_launch.launch(home, config, pool=pool, given=read_own_scores(files, pool))
    assert worker.work(home, run_id) == 0 and not read
    taken = store.read_epoch(home, run_id, 0)
    assert taken.taken is not None and taken.taken.samples == SAMPLES - 4
    _, own = run(home / "alone", config)
    assert taken.selection.rows.tolist() == own.selection.rows.tolist()
    # another maximum length is seen once the model is there, before anything is scored
    scored(inputs, home / "there", "short.parquet", "--max-length", "60")
    given = read_own_scores([str(home / "there" / "short.parquet")], pool)
    read.clear()
    other = run_launch.launch(home, config, pool=pool, given=given)
    assert worker.work(home, other) == 1 and not read
    assert "another max_length (60 there, 64 here)" in str(store.run_info(home, other).error)


def test_rescoring_reads_anew_and_replaces(inputs: Path, home: Path, read: list[int]) -> None:
    run(home, settings(inputs, epochs=0))
    (before,) = home.glob("scores/*/*.parquet")
    read.clear()
    _, record = run(home, settings(inputs, epochs=0, rescore=True))
    assert record.taken is None and read
    (after,) = home.glob("scores/*/*.parquet")
    assert after != before
    read.clear()
    # another run of the same comparison was asked for before these were made
    pool = load_pool(settings(inputs).pool)
    config = settings(inputs, epochs=0, rescore=True)
    ids = [store.create_run(home, config, pool) for _ in range(2)]
    assert [worker.work(home, run_id) for run_id in ids] == [0, 0]
    records = [store.read_epoch(home, run_id, 0) for run_id in ids]
    assert records[0].taken is None and records[1].taken is not None


def other_weights(folder: Path) -> None:
    path = folder / "model" / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"][0] += 0.001
    save_file(weights, path, metadata={"format": "pt"})


def other_json(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "model" / name
        path.write_text(json.dumps(json.loads(path.read_text()) | {"note": "another"}))

    return change


def other_template(folder: Path) -> None:
    (folder / "model" / "chat_template.jinja").write_text(tiny.CHATML_TRIMMED)


CHANGES: dict[str, tuple[Callable[[Path], None] | None, dict[str, object]]] = {
    "weights": (other_weights, {}),
    "config": (other_json("config.json"), {}),
    "tokenizer": (other_json("tokenizer_config.json"), {}),
    "template": (other_template, {}),
    "max_length": (None, {"max_length": 63}),
    "system_prompt": (None, {"system_prompt": "the cat"}),
    "precision": (None, {"precision": "bf16"}),
}


@pytest.fixture(scope="module")
def kept_home(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    kept, groups, rows = kept_of(settings(inputs), home)
    with kept.keeping() as keep:
        for of in groups:
            keep(of, rows, np.ones(len(rows)))
    return home


def kept_of(config: RunConfig, home: Path) -> tuple[Kept, Any, np.ndarray]:
    """What is kept for a configuration, and all that would be looked for."""
    model, tokenizer = models.load(config.model, precision=config.precision, device="cpu")
    length = models.usable_length(model, config.max_length)
    pool = load_pool(config.pool)
    encoded = encode(pool, tokenizer, system_prompt=config.system_prompt, max_length=length)
    kept = kept_losses(home, config, model, tokenizer)
    assert kept is not None
    return kept, (encoded.conditioned, encoded.alone), np.flatnonzero(encoded.reason == "")


def test_a_copy_of_the_model_finds_all(folder: Path, kept_home: Path) -> None:
    kept, groups, rows = kept_of(settings(folder, batch_tokens=64, attention="eager"), kept_home)
    assert kept.known(groups, rows).there[:, rows].all()


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_matters_is_another_finds_nothing(folder: Path, kept_home: Path, what: str) -> None:
    change, values = CHANGES[what]
    if change is not None:
        change(folder)
    kept, groups, rows = kept_of(settings(folder, **values), kept_home)
    assert not kept.known(groups, rows).there.any()


def test_a_changed_sample_alone_is_scored(folder: Path, home: Path, read: list[int]) -> None:
    scored(folder, home, "scores.parquet")
    path = folder / "pool.jsonl"
    lines = path.read_text().splitlines()
    # the same samples in another file, in another order, one of them with another prompt
    lines[3] = json.dumps(json.loads(lines[3]) | {"prompt": "name the river"})
    path.write_text("\n".join(reversed(lines)))
    read.clear()
    assert scored(folder, home, "others.parquet")["taken"] == SAMPLES - 1
    assert len(read) <= 4 and read[-1] == 1  # how the model can be read is found out first
    found = pq.read_table(home / "others.parquet").to_pydict()
    before = pq.read_table(home / "scores.parquet").to_pydict()
    known = dict(zip(before["id"], before["complexity"]))
    assert (
        sum(known.get(name) == value for name, value in zip(found["id"], found["complexity"])) == SAMPLES - 1
    )


KILLED = """
import os, signal, sys
from backend.complexity.losses import ResponseLosses
from backend.store import kept_losses

kept_losses.FLUSH_SECONDS = 0.0
call, batches = ResponseLosses.__call__, []

def counted(self, batch, prefix=None):
    batches.append(batch)
    if len(batches) == 15:
        os.kill(os.getpid(), signal.SIGKILL)
    return call(self, batch, prefix)

ResponseLosses.__call__ = counted
from backend.cli.commands import app
app()
"""


def test_score_goes_on_after_it_was_killed(
    inputs: Path, home: Path, read: list[int], warm_server: str
) -> None:
    words = command(inputs, home, "scores.parquet")
    done = warm.Starting(warm_server).run([sys.executable, "-c", KILLED, *words], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL and not (home / "scores.parquet").exists()
    scored(inputs, home, "scores.parquet")
    after = sum(read)
    read.clear()
    scored(inputs, home / "elsewhere", "scores.parquet")
    assert 0 < after < sum(read)
    whole, resumed = (pq.read_table(place / "scores.parquet") for place in (home / "elsewhere", home))
    assert whole.equals(resumed)  # to the last bit: the batches are those that they would have been


def test_several_processes_keep_their_shares_and_read_none_again(
    inputs: Path, home: Path, warm_workers: None
) -> None:
    assert scored(inputs, home, "first.parquet", "--processes", "2")["taken"] == 0
    assert scored(inputs, home, "second.parquet", "--processes", "2")["taken"] == SAMPLES
    first, second = (pq.read_table(home / f"{name}.parquet") for name in ("first", "second"))
    assert first.equals(second)


def test_four_shards_give_what_one_scoring_gives(inputs: Path, home: Path, read: list[int]) -> None:
    """To what a batch of other company rounds: 1e-6 relative in float32; 1e-5 leaves room for other kernels."""
    scored(inputs, home, "whole.parquet")
    for number in range(1, 5):
        assert (
            scored(inputs, home / "jobs", f"part-{number}.parquet", "--shard", f"{number}/4")["samples"] == 10
        )
    pool = load_pool([str(inputs / "pool.jsonl")])
    whole = read_score_files([str(home / "whole.parquet")], pool).scores
    together = read_score_files([str(home / "jobs" / "part-*.parquet")], pool).scores
    for name in ("loss_cond", "loss_prior", "complexity"):
        np.testing.assert_allclose(getattr(together, name), getattr(whole, name), rtol=1e-5)
    assert together.reason.tolist() == whole.reason.tolist()
    # a job that is started again has read all of its part before
    read.clear()
    assert scored(inputs, home / "jobs", "part-2.parquet", "--shard", "2/4")["taken"] == 10 and not read
    # as a shard of another pool's scoring would be: another max_length
    scored(inputs, home / "jobs", "part-2.parquet", "--shard", "2/4", "--max-length", "60")
    with pytest.raises(
        ScoresError, match=r"part-2\.parquet was scored with another max_length .*60 there, 64 here"
    ):
        read_score_files([str(home / "jobs" / "part-*.parquet")], pool)


def test_an_unscorable_loss_is_known_too(home: Path, read: list[int]) -> None:
    model, tokenizer = tiny.model(), tiny.tokenizer()
    model.model.norm.weight.data[:] = float("nan")
    encoded = encode(tiny.random_pool(5), tokenizer, system_prompt="", max_length=64)
    kept, rows = Kept(home), np.arange(5)
    with kept.keeping() as keep:
        before = score(model, encoded, batch_tokens=64, keep=keep)
    read.clear()
    known = kept.known_scores(encoded, rows)
    after = score(model, encoded, batch_tokens=64, known=known)
    assert not read and set(before.reason) == {"non-finite loss"}
    assert after.reason.tolist() == before.reason.tolist()


def test_only_what_was_edited_is_scored_anew(
    inputs: Path, home: Path, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_anew.lifecycle, "pump", lambda home: [])
    first, record = run(home, settings(inputs, epochs=0, budget=9))
    pool = store.load_pool_from_store(home, store.read_run_pool(home, first).id)
    row = int(np.flatnonzero(record.scores.reason == "")[3])
    store.set_responses(home, pool.id, {str(pool.ids[row]): "four quite other words"})
    read.clear()
    again = scoring_anew.score_edited(home, pool.id, f"{first}/0")
    assert worker.work(home, again) == 0, store.run_info(home, again).error
    scored_anew = store.read_epoch(home, again, 0)
    new = scored_anew.scores
    assert scored_anew.taken.samples == int((record.scores.reason == "").sum()) - 1
    # with and without its prompt, and a few to see that what is quick gives the same
    assert 2 <= sum(read) < SAMPLES / 4
    assert new.loss_cond[row] != record.scores.loss_cond[row] and np.isfinite(new.complexity[row])
    others = np.arange(len(pool)) != row
    np.testing.assert_array_equal(new.complexity[others], record.scores.complexity[others])
    np.testing.assert_array_equal(new.reason[others], record.scores.reason[others])
    with pytest.raises(ScoresError, match="no sample was edited since"):
        scoring_anew.score_edited(home, pool.id, f"{again}/0")

    # nothing is kept, as with the scores that come with the app: what the run is given is not read either
    shutil.rmtree(home / "scores")
    edited = store.edited_pool(home, pool.id)
    given = store.create_run(home, store.read_config(home, again), edited)
    store.give_losses(home, given, analysis.load_scores(home, edited, f"{first}/0"))
    read.clear()
    assert worker.work(home, given) == 0, store.run_info(home, given).error
    assert 2 <= sum(read) < SAMPLES / 4
    found = store.read_epoch(home, given, 0).scores
    np.testing.assert_allclose(found.complexity, new.complexity, rtol=1e-5)
    np.testing.assert_array_equal(found.complexity[others], record.scores.complexity[others])
