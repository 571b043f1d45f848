"""A whole run: encode, keep samples aside, and for each epoch score, select, train and measure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity import held_out_loss
from backend.config import RunConfig, held_out_share
from backend.diversity import NgramCounts, count_ngrams
from backend.errors import ConfigError, RunError
from backend.iterate.choose import Decisions
from backend.iterate.held_out import split
from backend.iterate.report import Record, Reporter, Review
from backend.model import usable_length
from backend.prompts import Encoded, encode
from backend.records import EpochRecord, Metrics, Pool, Progress
from backend.training import Checkpoint, last_checkpoint, save_model, steps_per_epoch, train

__all__ = ["Record", "Reporter", "run"]

logger = logging.getLogger(__name__)


def run(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    report: Reporter,
    folder: Path,
    counts: Callable[[], NgramCounts] | None = None,
    held_out_pool: Pool | None = None,
    resume: bool = False,
    done: Sequence[EpochRecord] = (),
    review: Review | None = None,
) -> None:
    """Score, select and train `config.epochs` epochs; with 0 epochs only score and select once.

    Parameters
    ----------
    report : called with every record in order: Progress, Metrics, and an EpochRecord before each epoch; raises
        `Stopped` to stop. What is on disk then is what the last finished epoch left.
    folder : gets checkpoints/ (one, of the last finished epoch) and, at the end, model/. Nothing else is written.
    counts : gives the n-gram counts of the pool, and is called before the first selection; None counts there.
    held_out_pool : what `config.held_out` names where it names a file.
    resume, done : go on from the last checkpoint, with the epoch records that were reported before. Metrics after
        that checkpoint's step are reported again, with the same values.
    review : asked before each new selection is final; None where nobody is asked.

    Raises
    ------
    Stopped : from `report`.
    ConfigError : `held_out` names a file that was not read, or a selection is empty.
    RunError : the epoch records do not reach the checkpoint.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.epochs:
        model.float()  # an update of 2e-5 is lost in 8 or 11 bits; see model.load(train=True)
    encoded = _encode(config, pool, model, tokenizer, report)
    measured, measured_rows, held_out = _held_out(
        config, pool, model, tokenizer, encoded, held_out_pool, report
    )
    if not len(measured_rows) and held_out_share(config) != 0:
        logger.warning(
            "no held-out loss will be measured: %s", _nothing_held_out(config, pool, held_out_pool)
        )
    if counts is None:
        counts = partial(count_ngrams, pool.responses(), suffix=config.response_suffix)
    decisions = Decisions(config, pool, encoded, counts, held_out, report, review)
    checkpoint = last_checkpoint(folder / "checkpoints") if resume else None
    start = _restore(decisions, done if resume else (), checkpoint)

    first = decisions.decide(0, model)
    if not config.epochs:
        return

    def choose(epoch: int) -> np.ndarray:
        return decisions.decide(epoch, model).selection.rows

    def measure(epochs_trained: int, step: int) -> None:
        if not len(measured_rows):
            return
        loss = held_out_loss(
            model,
            measured,
            measured_rows,
            batch_tokens=config.batch_tokens,
            precision=config.precision,
            epoch=epochs_trained,
            on_progress=report,
        )
        report(Metrics(step, float(epochs_trained), held_out=loss, held_out_epoch=epochs_trained))

    if start == 0:
        measure(0, 0)
    trainer = train(
        model,
        encoded,
        config,
        length=len(first.selection),
        choose=choose,
        after_epoch=measure,
        report=report,
        folder=folder / "checkpoints",
        checkpoint=checkpoint,
    )
    report(Progress("save", config.epochs, 0, 1, "models"))
    save_model(trainer, tokenizer, folder / "model")
    report(Progress("save", config.epochs, 1, 1, "models"))


def _encode(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    report: Reporter,
) -> Encoded:
    return encode(
        pool,
        tokenizer,
        system_prompt=config.system_prompt,
        max_length=usable_length(model, config.max_length),
        on_progress=report,
    )


def _held_out(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: Encoded,
    held_out_pool: Pool | None,
    report: Reporter,
) -> tuple[Encoded, np.ndarray, np.ndarray]:
    """What the held-out loss is measured on: encoded samples, their rows, and (n,) bool, rows taken from the pool."""
    none = np.zeros(len(pool), dtype=bool)
    if held_out_pool is not None:
        other = _encode(config, held_out_pool, model, tokenizer, report)
        return other, np.flatnonzero(other.reason == ""), none
    share = held_out_share(config)
    if share is None:
        raise ConfigError(
            f"held_out is {config.held_out!r}, a file that was not read; give its pool, or a share"
        )
    kept = {*config.pinned, *config.excluded}
    held_out = split(share, ids=pool.ids, usable=encoded.reason == "", kept=kept, seed=config.seed)
    return encoded, np.flatnonzero(held_out), held_out


def _nothing_held_out(config: RunConfig, pool: Pool, held_out_pool: Pool | None) -> str:
    """Why there is no sample to measure on, although one was asked for."""
    if held_out_pool is not None:
        return f"none of the {len(held_out_pool):,} samples of {held_out_pool.name} has a response token"
    return f"a share of {config.held_out} of {len(pool):,} samples holds none that can be kept aside"


def _restore(decisions: Decisions, done: Sequence[EpochRecord], checkpoint: Checkpoint | None) -> int:
    """Take over what an interrupted run decided up to the epoch it goes on with, and return that epoch."""
    records = {record.epoch: record for record in done}
    if checkpoint is None:
        decisions.records.update({epoch: record for epoch, record in records.items() if epoch == 0})
        return 0
    if 0 not in records:
        raise RunError(f"{checkpoint.path} has no epoch record that leads to it")
    steps = steps_per_epoch(len(records[0].selection), decisions.config)
    start = checkpoint.step // steps
    missing = [epoch for epoch in range(start) if epoch not in records]
    if checkpoint.step % steps or missing:
        raise RunError(
            f"{checkpoint.path} is at step {checkpoint.step}, which is not the end of an epoch of {steps} steps whose "
            f"records are all there (found: epochs {sorted(records)})"
        )
    decisions.records.update({epoch: record for epoch, record in records.items() if epoch <= start})
    logger.info("going on after epoch %d, from %s", start, checkpoint.path)
    return start
