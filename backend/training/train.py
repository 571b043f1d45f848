"""Training over all epochs: transformers' Trainer, told before each epoch what to read."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from peft import PeftModel
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from backend.config import RunConfig, Schedule, batches, steps_in_all, steps_per_epoch, warmup_steps
from backend.distributed.process_group import ProcessGroup
from backend.errors import ConfigError
from backend.model import adapters
from backend.model.load import arithmetic_of, no_progress_bars
from backend.prompts import Encoded
from backend.training import tracking
from backend.training.callback import Measure, NothingLeft, Report, SelectionCallback
from backend.training.checkpoints import UNFINISHED, Checkpoint
from backend.training.dataset import ResponseDataset, collate
from backend.training.sampler import SelectionBatches, SelectionSampler
from backend.training.trainer import SelectionTrainer

SCHEDULES: dict[Schedule, str] = {
    "cosine": "cosine",
    "linear": "linear",
    "constant": "constant_with_warmup",
}

logger = logging.getLogger(__name__)
LOG_LINES = 300  # points of a run's loss curve: enough for a screen, few enough for a file


def train(
    model: PreTrainedModel,
    encoded: Encoded,
    config: RunConfig,
    *,
    length: int,
    choose: Callable[[int], np.ndarray],
    measure: Measure,
    report: Report,
    folder: Path,
    checkpoint: Checkpoint | None = None,
    measured: Collection[int] = (),
    group: ProcessGroup | None = None,
) -> Trainer:
    """Fine-tune `model` on what `choose` selects before each epoch: all its weights, or LoRA adapters on it.

    One AdamW and one learning-rate schedule run over all epochs; the loss is the mean over the response tokens of
    an optimizer step, with the tokens that close the turn. With `max_steps` the last epoch may end early. Several
    processes share each step, and every sample is read once.

    Parameters
    ----------
    length : samples an epoch reads (epoch 0's selection); a smaller selection is gone through again.
    choose : epoch -> (k,) rows to train on; called before the epoch, with the model as it is then.
    measure : (epochs trained, step, report for its progress), called when an epoch has ended and before its checkpoint
        is written, and every `held_out_every` steps.
    report : gets Progress after each forward pass and Metrics for each log line. Where it raises `Stopped`, the
        optimizer step is finished, a checkpoint written, and `Stopped` raised.
    folder : where checkpoints are written.
    checkpoint : go on from here; the model, the optimizer and the schedule are read from it.
    measured : steps at which nothing needs to be measured again.
    group : the processes that train; all of them call this.
    """
    group = group or ProcessGroup()
    _check_shares(config, group.size)
    sampler = SelectionSampler(length, seed=config.seed)
    use_cache = getattr(model.config, "use_cache", True)
    args = _arguments(config, model, length, folder, processes=group.size)
    unfinished = folder / UNFINISHED
    args.output_dir = str(unfinished)
    group.from_rank0(lambda: shutil.rmtree(unfinished, ignore_errors=True))
    trainer = SelectionTrainer(
        model=adapters.add(model, config) if config.lora_rank else model,
        args=args,
        train_dataset=ResponseDataset(encoded),
        data_collator=partial(collate, pad_id=encoded.pad_id),
        callbacks=tracking.callbacks(
            config, folder.with_name("tensorboard"), step=checkpoint.step if checkpoint else 0
        )
        if group.rank == 0
        else [],
        batches=SelectionBatches(
            sampler,
            size=args.per_device_train_batch_size,
            step=config.batch_size,
            processes=group.size,
            process=group.rank,
        ),
        folder=folder,
        group=group,
    )
    trainer.add_callback(
        SelectionCallback(
            trainer,
            config,
            steps_per_epoch(length, config, group.size),
            choose=choose,
            measure=measure,
            report=report,
            checkpoint=checkpoint,
            measured=measured,
        )
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout what Metrics reports
    # the Trainer looks for garbage as it begins; all that torch and transformers have loaded is none, and takes half
    # a second to look through
    gc.freeze()
    try:
        with no_progress_bars():
            trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    except NothingLeft:
        logger.info("all steps were done before")
    finally:
        gc.unfreeze()
    group.wait()  # the Trainer's last look goes through that folder, in every process
    group.from_rank0(lambda: shutil.rmtree(unfinished, ignore_errors=True))
    model.config.use_cache = use_cache  # the Trainer turns it off, and it is saved with the model
    return trainer


def save_model(
    trainer: Trainer, tokenizer: PreTrainedTokenizerBase, folder: Path, *, merged: Path | None = None
) -> None:
    """Write the model, or its adapters, and its tokenizer to `folder`, under another name until all of it is there.

    merged : also write the whole model with its adapters merged in to this folder; the adapters are gone then.
    """
    with _whole(folder) as unfinished:
        trainer.save_model(str(unfinished))
        # a pickle, whose content the run's config.json says better, and peft's form for a model card, left empty
        for name in ("training_args.bin", "README.md"):
            (unfinished / name).unlink(missing_ok=True)
        tokenizer.save_pretrained(unfinished)
    if merged is not None:
        model = trainer.model
        assert isinstance(model, PeftModel)
        with _whole(merged) as unfinished:
            adapters.save_merged(model, tokenizer, unfinished)


@contextlib.contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A new folder to write to, which takes the place of `folder` once all of it is there."""
    unfinished = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    with no_progress_bars():
        yield unfinished
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(unfinished, folder)


def _check_shares(config: RunConfig, processes: int) -> None:
    """The settings know how many processes there are only where they say so; a launcher may start any number."""
    size, passes = batches(config, processes)
    if size * passes * processes != config.batch_size:
        raise ConfigError(
            f"batch_size ({config.batch_size}) cannot be shared by {processes} processes in forward passes of {size} "
            f"samples each (allowed: a multiple of {size * processes})"
        )


def _arguments(
    config: RunConfig, model: PreTrainedModel, length: int, folder: Path, *, processes: int
) -> TrainingArguments:
    device_batch, accumulation = batches(config, processes)
    total = steps_in_all(length, config, processes)
    arithmetic = arithmetic_of(config.precision, model.device)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        max_steps=total,
        per_device_train_batch_size=device_batch,
        gradient_accumulation_steps=accumulation,
        activation_checkpointing=config.gradient_checkpointing,
        learning_rate=config.learning_rate,
        lr_scheduler_type=SCHEDULES[config.schedule],
        warmup_steps=warmup_steps(length, config, processes),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=arithmetic == "bf16",
        fp16=arithmetic == "fp16",
        seed=config.seed % 2**32,  # NumPy's limit
        use_cpu=model.device.type == "cpu",
        save_strategy="no",  # the callback says when
        logging_steps=max(1, total // LOG_LINES),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not finite is shown as it is
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,  # the collator makes every column
        label_names=["labels"],  # which the Trainer cannot see behind adapters
        dataloader_pin_memory=model.device.type == "cuda",
        disable_tqdm=True,
        report_to=tracking.services(config) or "none",
        run_name=config.name or f"{config.strategy} {folder.parent.name}",
        project="iterit-studio",
        trackio_static_space_id=False,  # nothing is published by itself
    )
