"""IterIT before every epoch of anybody's `transformers.Trainer`, and of TRL's SFTTrainer.

A stock Trainer fixes the number of steps and the learning rate's course before it trains, so the sampler that it is given
always has the length of epoch 0's selection. Before each epoch the callback scores and selects with the live model, and
tells the sampler what to yield. A trainer may drop, shuffle or reorder samples when it prepares them (the SFTTrainer drops
those of which no label is left), so a sample is known by its id, never by its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
from torch.utils.data import IterableDataset, Sampler
from transformers import (
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import has_length

from backend.errors import ConfigError
from backend.records import EpochRecord, Pool, Progress
from backend.training.sampler import SelectionSampler
from iterit.dataset_rows import places_of, read_otherwise
from iterit.reselection import Reselection, refuse_several_processes
from iterit.selected import READING, SELECTING, Selected, config_of

logger = logging.getLogger(__name__)


class IterITCallback(TrainerCallback):
    """Selects from a pool before every epoch of a trainer, with the model as it is then.

    ::

        trainer = SFTTrainer(model, args, train_dataset=iterit.to_dataset(pool), processing_class=tokenizer)
        callback = iterit.IterITCallback(pool, budget=0.05).attach(trainer)
        trainer.train()
        callback.table()                   # what each epoch selected

    Parameters
    ----------
    pool : n samples.
    id_column : the column of the trainer's dataset that has the samples' ids, as `to_dataset` and `with_ids` write it.
    rows : (m,) int, for a dataset without such a column: the row of the pool that each of its m items is.
    preset, settings : as for `Reselection`. What is not given is the trainer's own: its max_length, where it has one,
        and the precision that it trains in.
    on_progress : called while it scores; may raise to stop.

    Raises
    ------
    ConfigError : an unknown setting, or one out of its range.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        id_column: str = "id",
        rows: np.ndarray | None = None,
        preset: str = "paper",
        on_progress: Callable[[Progress], None] | None = None,
        **settings: Any,
    ) -> None:
        config_of(settings, preset=preset, allowed=(*SELECTING, *READING))
        self.pool, self.id_column, self.rows = pool, id_column, rows
        self.preset, self.settings, self.on_progress = preset, settings, on_progress
        self.trainer: Trainer | None = None
        self.sampler: SelectionSampler | None = None
        self.reselection: Reselection | None = None
        self.places = np.zeros(0, dtype=np.int64)
        self._epoch = 0

    def attach(self, trainer: Trainer) -> IterITCallback:
        """Give a trainer the callback and its sampler, before `trainer.train()`.

        Raises
        ------
        ConfigError : several processes, DeepSpeed or FSDP, packed or streamed samples, an order of its own
            (`train_sampling_strategy`), no tokenizer, or a dataset whose items are not known to be samples of the pool.
        """
        check_trainer(trainer)
        places_of(trainer.train_dataset, self.pool, id_column=self.id_column, rows=self.rows)
        self.trainer = trainer
        if self not in trainer.callback_handler.callbacks:
            trainer.add_callback(self)
        trainer._get_train_sampler = self._new_sampler  # type: ignore[method-assign]
        return self

    @property
    def absent(self) -> np.ndarray:
        """(k,) int64: rows of the pool that the trainer's dataset does not have; they are not selected. None are known
        before the training begins."""
        return np.flatnonzero(self.places < 0)

    @property
    def records(self) -> list[EpochRecord]:
        """What was decided before each epoch so far."""
        return self._decided().records

    def selected(self, epoch: int = -1) -> Selected:
        """The selection of an epoch (the last where -1), for `why` and `export`."""
        return self._decided().selected(epoch)

    def table(self) -> pd.DataFrame:
        """A line for each epoch; see `Reselection.table`."""
        return self._decided().table()

    def _decided(self) -> Reselection:
        if self.reselection is None:
            raise ConfigError("nothing was selected yet: call attach(trainer), then trainer.train()")
        return self.reselection

    def _new_sampler(self, train_dataset: Any = None) -> Sampler[Any]:
        """The sampler of a training that begins: epoch 0's selection says how long each epoch is."""
        trainer = self.trainer
        assert trainer is not None
        self.places = places_of(trainer.train_dataset, self.pool, id_column=self.id_column, rows=self.rows)
        if len(self.absent):
            logger.warning(
                "%s of the %s samples of %s are not in the trainer's dataset (it drops those without a label, such as "
                "prompts as long as max_length) and are not selected; the first is %s",
                f"{len(self.absent):,}",
                f"{len(self.pool):,}",
                self.pool.name,
                self.pool.ids[self.absent[0]],
            )
        made = Reselection(
            self.pool,
            tokenizer_of(trainer),
            among=self.places >= 0,
            preset=self.preset,
            on_progress=self.on_progress,
            **{**_settings_of(trainer.args), **self.settings},
        )
        first = made.before_epoch(0, cast(PreTrainedModel, trainer.model))
        self.reselection, self._epoch = made, 0
        self.sampler = SelectionSampler(len(first), seed=made.config.seed)
        assert made.encoded is not None
        words = read_otherwise(trainer.train_dataset, made.encoded, self.places, self.pool)
        if words:
            logger.warning("%s", words)
        return self.sampler

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Refuse a training whose samples would not be those that are selected."""
        if self.trainer is None:
            raise ConfigError(
                "the callback is not attached: call callback.attach(trainer) before trainer.train()"
            )
        if state.global_step:
            raise ConfigError(
                f"the training goes on at step {state.global_step}, and what earlier epochs selected is not known any "
                "more; train from the beginning, or let `iterit tune` do it, which resumes"
            )
        batches = getattr(given.get("train_dataloader"), "batch_sampler", None)
        if self.sampler is None or getattr(batches, "sampler", None) is not self.sampler:
            raise ConfigError(
                f"{type(self.trainer).__name__} makes its data loader in its own way and would not read what is "
                "selected; a trainer is needed that takes its order from _get_train_sampler, as transformers' does"
            )

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Select, and tell the sampler, before the trainer asks for the first batch."""
        assert self.trainer is not None and self.sampler is not None and self.reselection is not None
        rows = self.reselection.before_epoch(self._epoch, cast(PreTrainedModel, self.trainer.model))
        self.sampler.choose(self._epoch, self.places[rows])
        record = self.reselection.records[self._epoch]
        logger.info(
            "epoch %d: %s samples rescored, %s selected",
            self._epoch,
            f"{int(record.rescored.sum()):,}",
            f"{len(rows):,}",
        )
        if len(rows) < self.sampler.length:
            logger.warning(
                "epoch %d: %s samples are selected and the epoch reads %s; it goes through them again",
                self._epoch,
                f"{len(rows):,}",
                f"{self.sampler.length:,}",
            )
        self._epoch += 1


def check_trainer(trainer: Trainer) -> None:
    """Raise ConfigError where a trainer cannot be told before each epoch which samples to read."""
    args, dataset = trainer.args, trainer.train_dataset
    refuse_several_processes(args.world_size)
    if trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        kind = "DeepSpeed" if trainer.is_deepspeed_enabled else "FSDP"
        raise ConfigError(f"iterit scores with the whole model in one process; {kind} is not supported")
    if getattr(args, "packing", False):
        raise ConfigError(
            "packing=True puts several samples into one item, which cannot be selected one by one; turn it off"
        )
    if dataset is None or isinstance(dataset, IterableDataset) or not has_length(dataset):
        raise ConfigError(
            f"the trainer's dataset is {type(dataset).__name__}; samples are selected by their place, so one with a "
            "length is needed"
        )
    if args.train_sampling_strategy != "random":
        raise ConfigError(
            f"train_sampling_strategy is {args.train_sampling_strategy!r}, and the order is that of iterit's sampler "
            "(allowed: 'random')"
        )
    tokenizer_of(trainer)


def tokenizer_of(trainer: Trainer) -> Any:
    """The trainer's tokenizer; that of its processor, where it has one.

    Raises
    ------
    ConfigError : it has none.
    """
    found = trainer.processing_class
    found = getattr(found, "tokenizer", found)
    if found is None:
        raise ConfigError(f"{type(trainer).__name__} has no tokenizer; give it processing_class=tokenizer")
    return found


def _settings_of(args: TrainingArguments) -> dict[str, Any]:
    """What scoring takes over from a training: the arithmetic, and after how many tokens a sample is cut."""
    length = getattr(args, "max_length", None)
    precision = "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32"
    return {"precision": precision, **({"max_length": length} if length else {})}
