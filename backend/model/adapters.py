"""LoRA adapters on a model: put on anew, loaded from a folder, merged into the weights.

Adapters are put into the model's own layers, so from then on the model itself computes with them, and whatever scores
or reads it goes on as before. The wrapper that peft makes is what the Trainer trains and saves.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.pytorch_utils import Conv1D

from backend.config import RunConfig
from backend.data.demo import MODEL as DEMO_MODEL
from backend.errors import ModelError

ALL_LINEAR = "all-linear"  # peft's word for every linear layer but the output head


def add(model: PreTrainedModel, config: RunConfig) -> PeftModel:
    """Put new adapters on `model`, which computes as before until they are trained; its own weights are frozen.

    Adapters are float32 whatever the weights are. They are drawn from `config.seed` alone.

    Returns what the Trainer is given: it holds the same layers as `model`.

    Raises
    ------
    ModelError : `lora_targets` names a layer that the model does not have.
    """
    _check_targets(model, config.lora_targets)
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=config.lora_rank,
        lora_alpha=config.lora_alpha or 2 * config.lora_rank,  # type: ignore[arg-type]
        lora_dropout=config.lora_dropout,
        target_modules=list(config.lora_targets) or ALL_LINEAR,
    )
    devices = [model.device] if model.device.type == "cuda" else []
    with _quiet(), torch.random.fork_rng(devices):
        torch.manual_seed(config.seed)
        adapted = get_peft_model(model, lora)
    assert isinstance(adapted, PeftModel)
    # what this model was loaded from; peft would name the model beneath it where that were adapters, too
    adapted.peft_config["default"].base_model_name_or_path = (
        str(DEMO_MODEL) if config.model == "demo" else config.model
    )
    # "auto", the default, asks the hub whether the vocabulary was changed, at every checkpoint; it never is
    adapted.save_pretrained = partial(adapted.save_pretrained, save_embedding_layers=False)  # type: ignore[method-assign]
    return adapted


def put_on(model: PreTrainedModel, folder: Path, *, merge: bool) -> PreTrainedModel:
    """`model` with the adapters that a folder holds.

    merge : add them to the weights, for good, as has to be done before others are put on, or all weights are trained.
        Without, they stay apart and nothing of them is lost to the rounding of 16-bit weights.

    Raises
    ------
    ValueError, RuntimeError, KeyError, OSError : they are not LoRA adapters of this model, or cannot be read.
    """
    with _quiet():
        # half of the adapters would be random numbers
        warnings.filterwarnings("error", message="Found missing adapter keys", category=UserWarning)
        try:
            adapted = PeftModel.from_pretrained(model, str(folder))
        except UserWarning as warning:
            raise ValueError(str(warning)) from warning
    if not merge:
        return adapted.get_base_model()  # type: ignore[return-value]
    return merged(adapted).requires_grad_(True)


def merged(adapted: PeftModel) -> PreTrainedModel:
    """The model with its adapters added to the weights, rounded to their type; the adapters are gone."""
    return adapted.merge_and_unload(safe_merge=True)


def save_merged(adapted: PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a whole model to `folder`, which any program that knows transformers can load. The adapters are gone then."""
    merged(adapted).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _check_targets(model: PreTrainedModel, targets: tuple[str, ...]) -> None:
    """peft leaves out, without a word, names that fit no layer where others do."""
    linear = [name for name, part in model.named_modules() if isinstance(part, (torch.nn.Linear, Conv1D))]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            known = sorted({name.rpartition(".")[2] for name in linear})
            raise ModelError(
                f"lora_targets names {target!r}, and {type(model).__name__} has no such linear layer "
                f"(there are: {', '.join(known)})"
            )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """peft 0.21 asks transformers 5.24 whether activations are checkpointed by a name that has become another."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning
        )
        yield
