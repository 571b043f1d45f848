"""Training over all epochs: transformers' Trainer, told before each epoch what to read."""

from __future__ import annotations

import gc
import math
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from backend.config import RunConfig, Schedule
from backend.model import arithmetic_of, no_progress_bars
from backend.prompts import Encoded
from backend.training.callback import Report, SelectionCallback, SelectionTrainer
from backend.training.checkpoints import Checkpoint
from backend.training.sampler import SelectionSampler
from backend.training.samples import ResponseDataset, collate

SCHEDULES: dict[Schedule, str] = {
    "cosine": "cosine",
    "linear": "linear",
    "constant": "constant_with_warmup",
}
LOG_LINES = 300  # points of a run's loss curve: enough for a screen, few enough for a file


def steps_per_epoch(length: int, config: RunConfig) -> int:
    """Optimizer steps of an epoch that reads `length` samples."""
    device_batch, accumulation = _batches(config)
    return math.ceil(math.ceil(length / device_batch) / accumulation)


def train(
    model: PreTrainedModel,
    encoded: Encoded,
    config: RunConfig,
    *,
    length: int,
    choose: Callable[[int], np.ndarray],
    after_epoch: Callable[[int, int], None],
    report: Report,
    folder: Path,
    checkpoint: Checkpoint | None = None,
) -> Trainer:
    """Fine-tune all weights of `model` on what `choose` selects before each epoch.

    One AdamW and one learning-rate schedule run over all epochs; the loss is the mean over the response tokens of
    an optimizer step, with the tokens that close the turn.

    Parameters
    ----------
    length : samples an epoch reads (epoch 0's selection); a smaller selection is gone through again.
    choose : epoch -> (k,) rows to train on; called before the epoch, with the model as it is then.
    after_epoch : (epochs trained, step), called when an epoch has ended and before its checkpoint is written.
    report : gets Progress after each forward pass and Metrics for each log line; may raise `Stopped`.
    folder : where checkpoints are written.
    checkpoint : go on from here; the model, the optimizer and the schedule are read from it.
    """
    sampler = SelectionSampler(length, seed=config.seed)
    use_cache = getattr(model.config, "use_cache", True)
    trainer = SelectionTrainer(
        model=model,
        args=_arguments(config, model, length, folder),
        train_dataset=ResponseDataset(encoded),
        data_collator=partial(collate, pad_id=encoded.pad_id),
        callbacks=[SelectionCallback(sampler, steps_per_epoch(length, config), choose, after_epoch, report)],
        sampler=sampler,
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout what Metrics reports
    # the Trainer looks for garbage as it begins; all that torch and transformers have loaded is none, and takes half
    # a second to look through
    gc.freeze()
    try:
        with no_progress_bars():
            trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    finally:
        gc.unfreeze()
    model.config.use_cache = use_cache  # the Trainer turns it off, and it is saved with the model
    return trainer


def save_model(trainer: Trainer, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the model and its tokenizer to `folder`, under another name until all of it is there."""
    unfinished = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    with no_progress_bars():
        trainer.save_model(str(unfinished))
    (unfinished / "training_args.bin").unlink(missing_ok=True)  # a pickle; the run's config.json says it all
    tokenizer.save_pretrained(unfinished)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(unfinished, folder)


def _batches(config: RunConfig) -> tuple[int, int]:
    """Samples of a forward pass, and forward passes of an optimizer step."""
    device_batch = min(config.device_batch_size, config.batch_size)
    return device_batch, config.batch_size // device_batch


def _arguments(config: RunConfig, model: PreTrainedModel, length: int, folder: Path) -> TrainingArguments:
    device_batch, accumulation = _batches(config)
    total = steps_per_epoch(length, config) * config.epochs
    arithmetic = arithmetic_of(config.precision, model.device)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=device_batch,
        gradient_accumulation_steps=accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=SCHEDULES[config.schedule],
        warmup_steps=math.ceil(round(config.warmup_ratio * total, 9)),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=arithmetic == "bf16",
        fp16=arithmetic == "fp16",
        seed=config.seed % 2**32,  # NumPy's limit
        use_cpu=model.device.type == "cpu",
        save_strategy="epoch" if config.save_checkpoints else "no",
        save_total_limit=1,  # written before the one before it is deleted
        logging_steps=max(1, total // LOG_LINES),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not finite is shown as it is
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,  # the collator makes every column
        dataloader_pin_memory=model.device.type == "cuda",
        disable_tqdm=True,
        report_to="none",
    )
