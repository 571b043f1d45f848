"""What we add to transformers' Trainer: a sampler, and a callback that selects before every epoch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import torch
from torch.utils.data import Dataset, Sampler
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from backend.records import Metrics, Progress
from backend.training.sampler import SelectionSampler

logger = logging.getLogger(__name__)

Report = Callable[[Progress | Metrics], None]


class SelectionTrainer(Trainer):
    """The Trainer with a sampler of ours; nothing else of it is changed."""

    def __init__(self, *args: Any, sampler: SelectionSampler, **kwargs: Any) -> None:
        self.selection_sampler = sampler
        super().__init__(*args, **kwargs)

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> Sampler[int]:
        return self.selection_sampler


class SelectionCallback(TrainerCallback):
    """Selects before each epoch, measures after it, and reports in between.

    `on_epoch_begin` comes before the Trainer iterates its data loader, so the sampler reads the new selection.
    """

    def __init__(
        self,
        sampler: SelectionSampler,
        steps: int,
        choose: Callable[[int], np.ndarray],
        after_epoch: Callable[[int, int], None],
        report: Report,
    ) -> None:
        self.sampler, self.steps = sampler, steps
        self.choose, self.after_epoch, self.report = choose, after_epoch, report
        self.epoch = self.tokens_before = 0
        self.started = time.monotonic()

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.epoch = state.global_step // self.steps
        rows = self.choose(self.epoch)
        self.sampler.choose(self.epoch, rows)
        if len(rows) < self.sampler.length:
            logger.warning(
                "epoch %d: %s samples are selected and the epoch reads %s; it goes through them again",
                self.epoch,
                f"{len(rows):,}",
                f"{self.sampler.length:,}",
            )
        self.tokens_before = int(state.num_input_tokens_seen)
        self._progress(state)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._progress(state)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._progress(state)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs is None or "loss" not in logs:
            return  # the summary at the end
        self.report(
            Metrics(
                step=state.global_step,
                epoch=float(state.epoch or 0.0),
                loss=logs["loss"],
                learning_rate=logs["learning_rate"],
                grad_norm=logs.get("grad_norm"),
                tokens=int(state.num_input_tokens_seen),
                seconds=time.monotonic() - self.started,
                memory_gib=_memory_gib(),
            )
        )

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.after_epoch(self.epoch + 1, state.global_step)
        control.should_log = True  # the steps since the last full interval

    def _progress(self, state: TrainerState) -> None:
        done = state.global_step - self.epoch * self.steps
        tokens = int(state.num_input_tokens_seen) - self.tokens_before
        self.report(Progress("train", self.epoch, done, self.steps, "steps", tokens))


def _memory_gib() -> float:
    """The most memory taken so far on the GPU, else what this process holds now."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return float(psutil.Process().memory_info().rss) / 2**30
