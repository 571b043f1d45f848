"""What IterIT does between the Trainer's steps: select before every epoch, measure, write checkpoints, stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

import numpy as np
import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from backend.config import RunConfig
from backend.distributed.process_group import STOPPED
from backend.errors import Stopped
from backend.records import Metrics, Progress
from backend.training.checkpoints import Checkpoint
from backend.training.trainer import SelectionTrainer

logger = logging.getLogger(__name__)

Report = Callable[[Progress | Metrics], None]
Measure = Callable[[float, int, Callable[[Progress], None]], float | None]


class NothingLeft(Exception):
    """All steps were done before the checkpoint that was loaded."""


class SelectionCallback(TrainerCallback):
    """Selects before each epoch, measures after it, and reports in between.

    `on_epoch_begin` comes before the Trainer iterates its data loader, so the sampler reads the new selection.

    A `Stopped` that `report` raises is kept until the optimizer step is done and its checkpoint written. Several
    processes agree on it after every step, so that all stop at the same one.

    steps : optimizer steps of a whole epoch.
    measured : steps at which the held-out loss is known already.
    """

    def __init__(
        self,
        trainer: SelectionTrainer,
        config: RunConfig,
        steps: int,
        *,
        choose: Callable[[int], np.ndarray],
        measure: Measure,
        report: Report,
        checkpoint: Checkpoint | None,
        measured: Collection[int],
    ) -> None:
        self.trainer, self.config, self.steps = trainer, config, steps
        self.choose, self.measure, self.report = choose, measure, report
        self.checkpoint, self.measured = checkpoint, measured
        self.epoch = 0
        self.asked: Stopped | None = None  # what `report` raised here
        self.stopping = False  # what all processes agreed on

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if self.checkpoint is None:
            return
        self.trainer.go_on(self.checkpoint.carried)
        step = state.global_step
        self.epoch = min(step, state.max_steps - 1) // self.steps
        due = self._ends_epoch(state) or self._every(step, self.config.held_out_every)
        if due and step not in self.measured:  # a stop came before it was measured
            self._measure(state)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if state.global_step >= state.max_steps:
            raise NothingLeft
        self.epoch, within = divmod(state.global_step, self.steps)
        try:
            rows = self.choose(self.epoch)
        except Stopped:
            if state.global_step > max(0, self.trainer.course.saved):  # the epoch before was not saved
                self.trainer.save_checkpoint()
            raise
        sampler = self.trainer.batches.sampler
        sampler.choose(self.epoch, rows)
        if len(rows) < sampler.length:
            logger.warning(
                "epoch %d: %s samples are selected and the epoch reads %s; it goes through them again",
                self.epoch,
                f"{len(rows):,}",
                f"{sampler.length:,}",
            )
        if not within:
            self.trainer.course.tokens_before = int(state.num_input_tokens_seen)
        self._report(self._progress(state))

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self._report(self._progress(state))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self._report(self._progress(state))
        step, last = state.global_step, self._ends_epoch(state)
        if not last:  # the end of an epoch is measured and saved anyway
            if self._every(step, self.config.held_out_every):
                self._measure_or_stop(state)
            if self._every(step, self.config.checkpoint_every):
                control.should_save = True
        if self._agree_to_stop():
            control.should_save = True
            if last:  # the line that the epoch's end would have written
                control.should_log = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        if logs is None or "loss" not in logs:
            return  # the summary at the end
        self._report(
            Metrics(
                step=state.global_step,
                epoch=float(state.epoch or 0.0),
                loss=logs["loss"],
                learning_rate=logs["learning_rate"],
                grad_norm=logs.get("grad_norm"),
                tokens=int(state.num_input_tokens_seen),
                seconds=self.trainer.course.seconds,
                memory_gib=_memory_gib(),
            )
        )

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self._measure_or_stop(state)
        control.should_log = True  # the steps since the last full interval
        if self._agree_to_stop() or self.config.save_checkpoints:
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if self.stopping:
            raise self.asked or Stopped(STOPPED)

    def _agree_to_stop(self) -> bool:
        """Whether this step is the last for now, the same in every process."""
        self.stopping = self.trainer.group.any(self.asked is not None)
        return self.stopping

    def _report(self, record: Progress | Metrics) -> None:
        """Report, and keep a `Stopped` for later."""
        try:
            self.report(record)
        except Stopped as stopped:
            self.asked = stopped

    def _measure_or_stop(self, state: TrainerState) -> None:
        """Measure, and keep a `Stopped` for later: what was trained is saved first."""
        try:
            self._measure(state)
        except Stopped as stopped:
            self.asked = stopped

    def _measure(self, state: TrainerState) -> None:
        if state.global_step % self.steps == 0:
            loss = self.measure(float(state.global_step // self.steps), state.global_step, self.report)
        else:
            # within an epoch it is a part of the training, and so of its time
            loss = self.measure(
                float(state.epoch or 0.0), state.global_step, lambda _: self.report(self._progress(state))
            )
        if loss is not None and self.config.report_to:
            due = self.trainer.control.should_log
            self.trainer.log({"held_out_loss": loss})
            self.trainer.control.should_log = due  # the Trainer takes it for its own line

    def _ends_epoch(self, state: TrainerState) -> bool:
        return state.global_step % self.steps == 0 or state.global_step >= state.max_steps

    def _progress(self, state: TrainerState) -> Progress:
        before = self.epoch * self.steps
        tokens = int(state.num_input_tokens_seen) - self.trainer.course.tokens_before
        steps = min(self.steps, state.max_steps - before)
        return Progress("train", self.epoch, state.global_step - before, steps, "steps", tokens)

    @staticmethod
    def _every(step: int, interval: int) -> bool:
        return interval > 0 and step % interval == 0


def _memory_gib() -> float:
    """The most memory taken so far on the GPU, else what this process holds now."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return float(psutil.Process().memory_info().rss) / 2**30
