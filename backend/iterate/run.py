"""A whole run: encode, keep samples aside, and for each epoch score, select, train and measure."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity import Kept, held_out_loss
from backend.config import RunConfig, held_out_share
from backend.distributed.process_group import ProcessGroup
from backend.diversity import NgramCounts, count_ngrams
from backend.errors import ConfigError, Stopped
from backend.iterate.before_epoch import Decisions
from backend.iterate.listener import Record, Reporter, Review
from backend.iterate.resume import Start, start_of
from backend.model.load import embedding_rows, usable_length
from backend.prompts import Encoded, encode
from backend.records import EpochRecord, Metrics, Pool, Progress
from backend.selection.held_out import split
from backend.training import save_model, train

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
    measured: Collection[int] = (),
    group: ProcessGroup | None = None,
    kept: Callable[[], Kept | None] = lambda: None,
) -> None:
    """Score, select and train `config.epochs` epochs; with 0 epochs only score and select once.

    Parameters
    ----------
    report : called with every record in order: Progress, Metrics, and an EpochRecord before each epoch; raises
        `Stopped` to stop. While the model trains, the current optimizer step is finished then and a checkpoint written;
        the writing of the finished model is finished, too.
    folder : gets checkpoints/ (one, the last) and, at the end, model/. Nothing else is written.
    counts : gives the n-gram counts of the pool, and is called before the first selection; None counts there.
    held_out_pool : what `config.held_out` names where it names a file.
    resume, done : go on from the last checkpoint, with the epoch records that were reported before. Metrics after
        that checkpoint's step are reported again, with the same values.
    review : asked before each new selection is final; None where nobody is asked.
    measured : when resuming, the steps at which the held-out loss was reported before.
    kept : gives the losses of the untouched model that are kept, where what epoch 0 needs is looked for before it is
        computed; called in the first process only, and only where something is to be read.
    group : the processes of the run, each of which calls this. All score and train; the first one reports, selects
        and writes, and only its `report`, `counts`, `done` and `review` are used.

    Raises
    ------
    Stopped : from `report`.
    ConfigError : `held_out` names a file that was not read, or a selection is empty.
    RunError : the epoch records do not reach the checkpoint.
    """
    group = group or ProcessGroup()
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.epochs and not config.lora_rank:  # adapters are float32 of themselves
        model.float()  # an update of 2e-5 is lost in 8 or 11 bits; see model.load(train=True)
    if group.rank:
        report = _silence
    encoded, aside = group.on_all_ranks(
        lambda: _prepare(config, pool, model, tokenizer, held_out_pool, report=report)
    )
    if not len(aside.rows) and held_out_share(config) != 0 and group.rank == 0:
        logger.warning(
            "no held-out loss will be measured: %s", _nothing_held_out(config, pool, held_out_pool)
        )
    if counts is None:
        counts = partial(count_ngrams, pool.responses(), suffix=config.response_suffix, words=config.words)
    once = functools.cache(lambda: group.from_rank0(kept))
    decisions = Decisions(config, pool, encoded, counts, aside.taken, report, once, review, group=group)
    start = Start()
    if resume:
        known = {record.epoch: record for record in done}
        decided = {epoch: len(record.selection) for epoch, record in known.items()}
        start = group.from_rank0(lambda: start_of(config, folder, decided, processes=group.size))
        decisions.records.update({epoch: record for epoch, record in known.items() if epoch <= start.epoch})

    first = decisions.decide(0, model)
    if not config.epochs:
        return

    def measure(epochs_trained: float, step: int, progress: Callable[[Progress], None]) -> float | None:
        if not len(aside.rows):
            return None
        own = once() if step == 0 else None
        groups = (aside.encoded.conditioned,)
        with own.keeping() if own else contextlib.nullcontext() as keep:
            loss = held_out_loss(
                model,
                aside.encoded,
                aside.rows,
                batch_tokens=config.batch_tokens,
                precision=config.precision,
                epoch=math.ceil(epochs_trained),
                on_progress=progress,
                known=group.from_rank0(lambda: own.known(groups, aside.rows)) if own else None,
                keep=keep,
            )
        whole = int(epochs_trained) if epochs_trained.is_integer() else None
        line = Metrics(step, epochs_trained, held_out=loss, held_out_epoch=whole)
        group.from_rank0(lambda: report(line))
        return loss

    if start.checkpoint is None:
        measure(0.0, 0, report)
    trainer = train(
        model,
        encoded,
        config,
        length=len(first),
        choose=lambda epoch: decisions.decide(epoch, model),
        measure=measure,
        report=report,
        folder=folder / "checkpoints",
        checkpoint=start.checkpoint,
        measured=measured,
        group=group,
    )

    def save() -> None:
        merged = folder / "merged" if config.save_merged else None
        # nothing is left but to write the model down: a stop comes too late to be of use
        with contextlib.suppress(Stopped):
            report(Progress("save", config.epochs, 0, 1, "models"))
        save_model(trainer, tokenizer, folder / "model", merged=merged)
        with contextlib.suppress(Stopped):
            report(Progress("save", config.epochs, 1, 1, "models"))

    group.from_rank0(save)


class Aside(NamedTuple):
    """What the held-out loss is measured on: encoded samples and their rows; and (n,) bool, rows taken from the pool."""

    encoded: Encoded
    rows: np.ndarray
    taken: np.ndarray


def _silence(record: Record) -> None:
    """What the processes that do not report do with a record."""


def _prepare(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    held_out_pool: Pool | None,
    *,
    report: Reporter,
) -> tuple[Encoded, Aside]:
    encoded = _encode(config, pool, model, tokenizer, report)
    return encoded, _held_out(config, pool, model, tokenizer, encoded, held_out_pool, report)


def _encode(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    report: Reporter,
) -> Encoded:
    encoded = encode(
        pool,
        tokenizer,
        system_prompt=config.system_prompt,
        max_length=usable_length(model, config.max_length),
        on_progress=report,
    )
    return encoded.readable(embedding_rows(model))


def _held_out(
    config: RunConfig,
    pool: Pool,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: Encoded,
    held_out_pool: Pool | None,
    report: Reporter,
) -> Aside:
    none = np.zeros(len(pool), dtype=bool)
    if held_out_pool is not None:
        other = _encode(config, held_out_pool, model, tokenizer, report)
        return Aside(other, np.flatnonzero(other.reason == ""), none)
    share = held_out_share(config)
    if share is None:
        raise ConfigError(
            f"held_out is {config.held_out!r}, a file that was not read; give its pool, or a share"
        )
    kept = {*config.pinned, *config.excluded}
    held_out = split(share, ids=pool.ids, usable=encoded.reason == "", kept=kept, seed=config.seed)
    return Aside(encoded, np.flatnonzero(held_out), held_out)


def _nothing_held_out(config: RunConfig, pool: Pool, held_out_pool: Pool | None) -> str:
    """Why there is no sample to measure on, although one was asked for."""
    if held_out_pool is not None:
        return f"none of the {len(held_out_pool):,} samples of {held_out_pool.name} has a response token"
    return f"a share of {config.held_out} of {len(pool):,} samples holds none that can be held out"
