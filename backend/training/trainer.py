"""transformers' Trainer with what IterIT needs of it: its own order of samples, and checkpoints that are whole."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import Trainer

from backend.distributed.process_group import ProcessGroup
from backend.training.checkpoints import Carried, publish
from backend.training.sampler import SelectionBatches


@dataclass
class Course:
    """Where a training is: when it began (time.monotonic, earlier by what was trained before an interruption), the
    tokens read before the present epoch, and the step of the last checkpoint (-1: there is none)."""

    began: float = field(default_factory=time.monotonic)
    tokens_before: int = 0
    saved: int = -1

    @property
    def seconds(self) -> float:
        """How long the run has trained."""
        return time.monotonic() - self.began


class SelectionTrainer(Trainer):
    """The Trainer, with batches of ours and checkpoints that appear whole in `folder`.

    Its own `output_dir` is where they are written before.
    """

    def __init__(
        self, *args: Any, batches: SelectionBatches, folder: Path, group: ProcessGroup, **kwargs: Any
    ) -> None:
        self.batches, self.folder, self.group = batches, folder, group
        self.course = Course()
        super().__init__(*args, **kwargs)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """This process's batches; Accelerate would share them out once more."""
        return DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=self.batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def go_on(self, carried: Carried) -> None:
        """Take up what was carried over from the checkpoint that was loaded.

        The Trainer forgets the losses of the steps since its last log line, and so would report another mean.
        """
        self.course.began = time.monotonic() - carried.seconds
        self.course.tokens_before = carried.tokens_before
        self.course.saved = self.state.global_step
        if len(carried.losses) == self.group.size:  # else another number of processes goes on
            self._tr_loss += carried.losses[self.group.rank]
        else:
            self._tr_loss += sum(carried.losses) / len(carried.losses)
        self._globalstep_last_logged = carried.logged

    def save_checkpoint(self) -> None:
        """Write a checkpoint of this very moment."""
        model = self.model
        assert model is not None
        self._save_checkpoint(model, None)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        carried = Carried(
            losses=tuple(self.group.gather(float(self._tr_loss.item()))),
            logged=self._globalstep_last_logged,
            seconds=self.course.seconds,
            tokens_before=self.course.tokens_before,
        )
        # every process has written its part once it has given its loss
        self.group.from_rank0(lambda: publish(self.folder, self.state.global_step, carried))
        self.course.saved = self.state.global_step
