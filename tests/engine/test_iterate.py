"""A whole run: what is scored, selected, trained and measured, in which order, for every strategy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, LlamaForCausalLM, PreTrainedTokenizerFast

from backend import complexity
from backend.config import RunConfig, Strategy, config_from
from backend.diversity import count_ngrams, initial_diversity, tfidf
from backend.errors import ConfigError, RunError, Stopped
from backend.iterate import Record, run, split
from backend.model import load as models
from backend.prompts import encode
from backend.records import EpochRecord, Metrics, Pool, Progress, Status
from backend.selection import rank_for_next_epoch, scores_needed, select, top_rows

N = 60
POOL = tiny.random_pool(N)


def config(**changes: object) -> RunConfig:
    values = {"budget": 8, "update_ratio": 2, "batch_size": 4, "device_batch_size": 4, "learning_rate": 1e-2}
    return config_from({**values, "max_complexity": 3.0, "held_out": "0.1", "batch_tokens": 600, **changes})


@dataclass
class Run:
    """A run and every record it reported."""

    config: RunConfig
    folder: Path
    pool: Pool = POOL
    records: list[Record] = field(default_factory=list)
    stop: object = None

    def __call__(self, record: Record) -> None:
        if callable(self.stop) and self.stop(record):
            raise Stopped("asked to")
        self.records.append(record)

    @property
    def epochs(self) -> list[EpochRecord]:
        return [record for record in self.records if isinstance(record, EpochRecord)]

    @property
    def metrics(self) -> list[Metrics]:
        return [record for record in self.records if isinstance(record, Metrics)]

    @property
    def held_out(self) -> list[tuple[int | None, float | None]]:
        return [(line.held_out_epoch, line.held_out) for line in self.metrics if line.held_out is not None]

    @property
    def losses(self) -> list[tuple[int, float | None, float | None]]:
        return [(line.step, line.loss, line.grad_norm) for line in self.metrics if line.loss is not None]

    def losses_by_step(self) -> dict[int, tuple[float | None, float | None]]:
        return {step: (loss, norm) for step, loss, norm in self.losses}

    def go(
        self,
        tokenizer: PreTrainedTokenizerFast,
        *,
        resume: bool = False,
        done: Sequence[EpochRecord] = (),
        held_out_pool: Pool | None = None,
        seed: int = 0,
    ) -> LlamaForCausalLM:
        model = tiny.model(seed=seed)
        run(
            self.config,
            self.pool,
            model,
            tokenizer,
            report=self,
            folder=self.folder,
            resume=resume,
            done=done,
            held_out_pool=held_out_pool,
        )
        return model


def same(a: EpochRecord, b: EpochRecord) -> None:
    """Two records of one epoch hold the same, bit for bit."""
    assert a.epoch == b.epoch
    for name in ("loss_cond", "loss_prior", "complexity", "response_tokens", "reason"):
        np.testing.assert_array_equal(getattr(a.scores, name), getattr(b.scores, name))
    for name in ("rows", "gain", "diversity", "terms", "parts", "status"):
        np.testing.assert_array_equal(getattr(a.selection, name), getattr(b.selection, name))
    np.testing.assert_array_equal(a.rescored, b.rescored)
    np.testing.assert_array_equal(a.diversity, b.diversity)


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_every_strategy_does_what_its_name_says(
    strategy: Strategy, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    made = Run(config(strategy=strategy, epochs=3), tmp_path)
    made.go(tokenizer)
    budget = N - 6 if strategy == "full" else 8
    assert [record.epoch for record in made.epochs] == [0, 1, 2]
    rescored = [int(record.rescored.sum()) for record in made.epochs]
    progress = [record for record in made.records if isinstance(record, Progress) and record.stage == "score"]
    read = [max((one.tokens for one in progress if one.epoch == epoch), default=0) for epoch in range(3)]
    assert [record.scored_tokens for record in made.epochs] == read  # nothing was kept: all was read
    if strategy in ("iterit", "iterit-cumulative", "complexity"):
        assert rescored == [N - 6, 16, 16]
    elif strategy in ("iterit-static", "superfiltering"):
        assert rescored == [N - 6, 0, 0]
    else:
        assert rescored == [0, 0, 0]
        assert np.isnan(made.epochs[-1].scores.complexity).all()
    selections = [record.selection.rows.tolist() for record in made.epochs]
    assert all(len(rows) == len(set(rows)) == budget for rows in selections)
    changes = strategy in ("iterit", "iterit-cumulative", "complexity", "random-each-epoch")
    assert (selections[0] != selections[1]) == changes
    assert (selections[1] != selections[2]) == changes
    for record in made.epochs:
        assert len(record.scores) == N
        assert (record.scores.response_tokens > 0).all()
        held_out = record.selection.status == Status.HELD_OUT
        assert held_out.sum() == 6 and not record.rescored[held_out].any()
        assert set(record.scores.reason[held_out]) == {"held out"}
        assert np.isfinite(record.diversity[record.selection.rows]).all()
    if strategy == "iterit-cumulative":
        assert len({row for rows in selections for row in rows}) == 3 * budget
    if strategy == "longest":
        tokens = made.epochs[0].scores.response_tokens
        others = np.setdiff1d(np.flatnonzero(~held_out), selections[0])
        assert tokens[selections[0]].min() >= tokens[others].max()
    # the untouched model, then after each epoch
    assert [epoch for epoch, _ in made.held_out] == [0, 1, 2, 3]
    assert len(made.losses) == 3 * -(-budget // 4)
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "model"}


def test_iterit_step_by_step(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    """Every decision of a run, made again from its parts with the models that the run had at that moment."""
    settings = config(epochs=2)
    checkpoints: list[LlamaForCausalLM] = []

    def keep_model(record: Record) -> bool:
        # a model is as it is before epoch 1 when that epoch's record arrives: its checkpoint was just written
        if isinstance(record, EpochRecord) and record.epoch == 1:
            folder = tmp_path / "checkpoints" / "checkpoint-2"
            checkpoints.append(AutoModelForCausalLM.from_pretrained(folder))
        return False

    made = Run(settings, tmp_path, stop=keep_model)
    made.go(tokenizer)
    encoded = encode(POOL, tokenizer, system_prompt=settings.system_prompt, max_length=256)
    held_out = made.epochs[0].selection.status == Status.HELD_OUT
    counts = count_ngrams(POOL.responses())
    order = None
    known = None
    for epoch, model in enumerate([tiny.model(), *checkpoints]):
        record = made.epochs[epoch]
        rows = np.flatnonzero(~held_out)
        if order is not None:
            rows = np.sort(top_rows(order, update_ratio=2, budget=8))
            assert len(rows) == 16
        scores = complexity.score(model, encoded, rows, batch_tokens=600)
        np.testing.assert_allclose(record.scores.complexity[rows], scores.complexity[rows], rtol=1e-5)
        if known is not None:  # the rest keeps what was known
            rest = np.setdiff1d(np.arange(N), rows)
            np.testing.assert_array_equal(record.scores.complexity[rest], known[rest])
            np.testing.assert_array_equal(np.flatnonzero(record.rescored), rows)
            assert (record.scores.complexity[rows] != known[rows]).all()
        known = record.scores.complexity
        selection = select(
            counts, record.scores, settings, budget=8, ids=POOL.ids, source_codes=POOL.source_codes,
            sources=POOL.sources, rows=rows if epoch else None, held_out=held_out, epoch=epoch,
        )  # fmt: skip
        np.testing.assert_array_equal(selection.rows, record.selection.rows)
        np.testing.assert_array_equal(selection.gain, record.selection.gain)
        candidates = np.flatnonzero(np.isfinite(record.diversity))
        np.testing.assert_array_equal(
            record.diversity[candidates], initial_diversity(tfidf(counts, candidates))
        )
        loss = complexity.held_out_loss(model, encoded, np.flatnonzero(held_out), batch_tokens=600)
        assert dict(made.held_out)[epoch] == pytest.approx(loss, rel=1e-6)
        order = rank_for_next_epoch(selection, record.scores, settings=settings, previous_order=order)


def test_records_come_in_order(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    made = Run(config(epochs=2), tmp_path)
    made.go(tokenizer)
    told = []
    for record in made.records:
        if isinstance(record, Progress):
            told.append((record.stage, record.epoch))
        elif isinstance(record, EpochRecord):
            told.append(("epoch", record.epoch))
        else:
            told.append(("held out", record.held_out_epoch) if record.held_out is not None else ("loss", 0))
    stages = [stage for at, stage in enumerate(told) if at == 0 or told[at - 1] != stage]
    stages = [stage for stage in stages if stage != ("loss", 0)]
    stages = [stage for at, stage in enumerate(stages) if at == 0 or stages[at - 1] != stage]
    assert stages == [
        ("load", 0), ("score", 0), ("select", 0), ("epoch", 0), ("evaluate", 0), ("held out", 0),
        ("train", 0), ("evaluate", 1), ("held out", 1),
        ("score", 1), ("select", 1), ("epoch", 1), ("train", 1), ("evaluate", 2), ("held out", 2), ("save", 2),
    ]  # fmt: skip


def test_no_epochs_score_and_select_once(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    made = Run(config(epochs=0), tmp_path)
    before = tiny.model()
    after = made.go(tokenizer)
    assert [record.epoch for record in made.epochs] == [0] and made.metrics == []
    assert not list(tmp_path.iterdir())
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters()))


def test_a_stop_while_the_model_is_saved_comes_too_late(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    made = Run(config(), tmp_path, stop=lambda r: isinstance(r, Progress) and r.stage == "save")
    made.go(tokenizer)
    assert (tmp_path / "model" / "config.json").is_file()


def stop_in(epoch: int, done: int) -> object:
    return lambda r: isinstance(r, Progress) and (r.stage, r.epoch, r.done) == ("train", epoch, done)


@pytest.mark.parametrize(
    ("stop", "epochs_kept"),
    [
        pytest.param(
            lambda r: isinstance(r, Progress) and r.stage == "score" and r.done > 20, 0, id="scoring"
        ),
        pytest.param(stop_in(0, 1), 1, id="epoch 0"),
        pytest.param(
            lambda r: isinstance(r, EpochRecord) and r.epoch == 1, 1, id="before epoch 1 is written"
        ),
        pytest.param(stop_in(1, 1), 2, id="epoch 1"),
        pytest.param(stop_in(2, 1), 3, id="epoch 2"),
        pytest.param(lambda r: isinstance(r, Metrics) and r.held_out_epoch == 3, 3, id="last held-out loss"),
    ],
)
def test_resumed_is_the_uninterrupted_run(
    stop: object, epochs_kept: int, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    whole = Run(config(), tmp_path / "whole")
    model = whole.go(tokenizer)
    first = Run(config(), tmp_path / "halves", stop=stop)
    with pytest.raises(Stopped):
        first.go(tokenizer)
    assert len(first.epochs) == epochs_kept
    second = Run(config(), tmp_path / "halves")
    again = second.go(tokenizer, resume=True, done=first.epochs)
    epochs = {record.epoch: record for record in [*first.epochs, *second.epochs]}
    assert sorted(epochs) == [0, 1, 2] and len(first.epochs) + len(second.epochs) == 3
    for record in whole.epochs:
        same(record, epochs[record.epoch])
    # what was measured after the checkpoint comes again, with the same values
    assert second.losses_by_step() | first.losses_by_step() == whole.losses_by_step()
    assert first.losses_by_step() | second.losses_by_step() == whole.losses_by_step()
    assert dict(first.held_out) | dict(second.held_out) == dict(whole.held_out)
    assert dict(second.held_out) | dict(first.held_out) == dict(whole.held_out)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    assert (tmp_path / "halves" / "model" / "config.json").is_file()


def test_a_resumed_run_remembers_what_it_trained_on(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    """Budget 20 of 54: after two epochs fewer are left, and the third begins a new round."""
    settings = config(strategy="iterit-cumulative", budget=20)
    whole = Run(settings, tmp_path / "whole")
    whole.go(tokenizer)
    assert [record.round for record in whole.epochs] == [0, 0, 1]
    first = Run(settings, tmp_path / "halves", stop=stop_in(1, 1))
    with pytest.raises(Stopped):
        first.go(tokenizer)
    second = Run(settings, tmp_path / "halves")
    second.go(tokenizer, resume=True, done=first.epochs)
    for one, other in zip(whole.epochs, [*first.epochs, *second.epochs], strict=True):
        same(one, other)
        np.testing.assert_array_equal(one.earlier, other.earlier)
        assert one.round == other.round
    picked = [set(record.selection.rows.tolist()) for record in whole.epochs]
    assert not picked[0] & picked[1]
    assert dict(first.held_out) | dict(second.held_out) == dict(whole.held_out)


def test_records_that_do_not_reach_the_checkpoint(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    first = Run(config(), tmp_path, stop=stop_in(2, 1))
    with pytest.raises(Stopped):
        first.go(tokenizer)
    with pytest.raises(RunError, match="has no epoch record that leads to it"):
        Run(config(), tmp_path).go(tokenizer, resume=True)
    with pytest.raises(
        RunError,
        match=r"at step 5, in epoch 2, and the record of epoch 1 is missing \(found: epochs \[0\]\)",
    ):
        Run(config(), tmp_path).go(tokenizer, resume=True, done=first.epochs[:1])


def test_resuming_what_never_began_is_starting(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    made = Run(config(epochs=1), tmp_path)
    made.go(tokenizer, resume=True)
    assert len(made.epochs) == 1 and [epoch for epoch, _ in made.held_out] == [0, 1]


def test_a_smaller_later_selection_fills_the_epoch(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the authors' ranking the rejected crowd out the candidates, so that fewer than the budget are left."""
    made = Run(
        config(
            budget=20, update_ratio=1.5, ranking="authors", max_complexity=0.95, learning_rate=0.1, epochs=3
        ),
        tmp_path,
    )
    made.go(tokenizer)
    sizes = [len(record.selection) for record in made.epochs]
    assert sizes[0] > min(sizes[1:]), sizes
    assert max(sizes) == sizes[0]
    steps = -(-sizes[0] // 4)
    assert [line.step for line in made.metrics if line.loss is not None][-1] == 3 * steps
    assert f"{min(sizes[1:])} samples are selected and the epoch reads {sizes[0]}" in caplog.text


def test_curation_and_limits_hold_in_every_epoch(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    pinned, excluded = (POOL.ids[3], POOL.ids[30]), (POOL.ids[4],)
    made = Run(
        config(pinned=pinned, excluded=excluded, source_weights={"web": 0.0}, update_ratio=1, epochs=2),
        tmp_path,
    )
    made.go(tokenizer)
    for record in made.epochs:
        assert record.selection.rows[:2].tolist() == [3, 30]
        assert record.selection.status[4] == Status.EXCLUDED
        web = record.selection.status[1::2]
        assert set(web) <= {Status.SOURCE_OFF, Status.PINNED, Status.HELD_OUT}
    assert made.epochs[1].rescored.sum() == N - 6  # an update ratio of 1 is the whole pool


def test_held_out_pool_of_its_own(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    other = tiny.random_pool(10, seed=5)
    made = Run(config(held_out="other.json", epochs=1), tmp_path)
    made.go(tokenizer, held_out_pool=other)
    assert not (made.epochs[0].selection.status == Status.HELD_OUT).any()
    encoded = encode(other, tokenizer, system_prompt=made.config.system_prompt, max_length=256)
    loss = complexity.held_out_loss(tiny.model(), encoded, batch_tokens=600)
    assert made.held_out[0] == (0, pytest.approx(loss, rel=1e-6))
    with pytest.raises(ConfigError, match=r"held_out is 'other.json', a file that was not read"):
        Run(made.config, tmp_path).go(tokenizer)


def test_no_held_out(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Run(config(held_out="0", epochs=1), tmp_path)
    made.go(tokenizer)
    assert made.held_out == []
    assert made.epochs[0].rescored.all()
    assert "held-out" not in caplog.text


def test_a_held_out_set_that_cannot_be_measured_is_said_to_be(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty = tiny.pool([("name 1", " "), ("name 2", "")])
    made = Run(config(held_out="other.json", epochs=0), tmp_path)
    made.go(tokenizer, held_out_pool=empty)
    assert f"none of the 2 samples of {empty.name} has a response token" in caplog.text
    made = Run(config(held_out="0.001", epochs=0), tmp_path)
    made.go(tokenizer)
    assert f"a share of 0.001 of {N} samples holds none that can be held out" in caplog.text
    assert made.held_out == []


def test_split_keeps_copies_together() -> None:
    ids = np.array([f"{row // 3:03d}-{row % 3}" for row in range(90)], dtype=object)
    usable = np.arange(90) % 7 != 0
    held_out = split(0.2, ids=ids, usable=usable, kept={"010-1"}, seed=3)
    assert 0 < held_out.sum() <= 18
    assert np.array_equal(held_out.reshape(30, 3).any(axis=1), held_out.reshape(30, 3).all(axis=1))
    assert not held_out[30:33].any()
    assert np.array_equal(held_out, split(0.2, ids=ids, usable=usable, kept={"010-1"}, seed=3))
    assert not np.array_equal(held_out, split(0.2, ids=ids, usable=usable, kept=set(), seed=4))
    single = np.array([f"{row}-0" for row in range(100)], dtype=object)
    assert split(0.29, ids=single, usable=np.ones(100, bool), kept=set(), seed=0).sum() == 29
    assert not split(0, ids=single, usable=np.ones(100, bool), kept=set(), seed=0).any()


def test_rows_that_cannot_be_trained_on_are_never_selected(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    samples = [(f"name {i}", "" if i % 3 == 0 else "dog " * (i + 1)) for i in range(12)]
    made = Run(config(strategy="full", held_out="0", epochs=1), tmp_path, pool=tiny.pool(samples))
    made.go(tokenizer)
    record = made.epochs[0]
    assert record.selection.rows.tolist() == [row for row in range(12) if row % 3]
    assert set(record.scores.reason[::3]) == {"empty response"}
    assert set(record.selection.status[::3]) == {Status.UNSCORABLE}


def test_real_samples(shared: Path, tmp_path: Path) -> None:
    """Three epochs on real data with the golden model: selections differ, and the held-out loss falls."""
    data = json.loads((shared / "data" / "pool_small.json").read_text())
    data = [row for row in data if len(row["output"]) < 300 and len(row["instruction"] + row["input"]) < 300][
        :250
    ]
    pool = tiny.pool(
        [
            (row["instruction"] + (f"\nInput: {row['input']}" if row["input"] else ""), row["output"])
            for row in data
        ]
    )
    model, tokenizer = models.load(str(shared / "golden" / "tiny-llama"), device="cpu", train=True)
    settings = config_from(
        {"budget": 0.1, "batch_size": 8, "learning_rate": 2e-3, "held_out": "0.1", "batch_tokens": 2048}
    )
    made = Run(settings, tmp_path)
    run(settings, pool, model, tokenizer, report=made, folder=tmp_path)
    chosen = [set(record.selection.rows.tolist()) for record in made.epochs]
    assert all(len(rows) == 22 for rows in chosen)
    assert chosen[0] != chosen[1] != chosen[2]
    losses = [loss for _, loss in made.held_out]
    assert losses[-1] is not None and losses[0] is not None and losses[-1] < losses[0]
    assert scores_needed(settings.strategy, 1) == "top"
