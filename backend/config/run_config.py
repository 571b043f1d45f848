"""Everything that a run is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.config.fields import setting
from backend.config.selection import SelectionSettings

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Schedule = Literal["cosine", "linear", "constant"]
Attention = Literal["auto", "eager", "sdpa", "flash_attention_2"]
TRACKERS = ("trackio", "tensorboard", "wandb")


@dataclass(frozen=True, kw_only=True)
class RunConfig(SelectionSettings):
    """A complete run: running the same configuration again on the same machine gives the same run."""

    pool: tuple[str, ...] = setting((), "files, folders, a hub dataset id, or 'demo'", group="data")
    mapping: dict[str, str] = setting(
        {},
        "how to read files whose format is not recognised, or not as you want: columns by role (prompt=question, "
        "response=answer.text, messages=dialog), speakers (role.customer=user), bad=keep to read rows marked as bad; "
        "with a file's name or path and a colon before it for that file alone (talks.jsonl:messages=dialog)",
        group="data",
    )
    model: str = setting("", "folder of a causal language model, a hub id, or 'demo'", group="model")
    name: str = setting("", "what to call this run; made from strategy and budget where empty", group="data")
    epochs: int = setting(
        3,
        "passes of training; 0 only scores and selects",
        group="training",
        unit="epochs",
        origin="paper",
        low=0,
    )
    learning_rate: float = setting(2e-5, "peak learning rate", group="training", origin="paper", low=0.0)
    schedule: Schedule = setting(
        "cosine", "shape of the learning rate over all epochs", group="training", origin="paper"
    )
    warmup_ratio: float = setting(
        0.03,
        "share of all steps that warm up",
        group="training",
        unit="share",
        origin="paper",
        low=0.0,
        high=1.0,
    )
    weight_decay: float = setting(0.0, "AdamW's weight decay", group="training", origin="paper", low=0.0)
    batch_size: int = setting(
        32, "samples per optimizer step", group="training", unit="samples", origin="paper", low=1
    )
    device_batch_size: int = setting(
        8,
        "samples per forward pass; gradients are accumulated up to the batch size",
        group="training",
        unit="samples",
        low=1,
    )
    max_grad_norm: float = setting(1.0, "gradient clipping", group="training", origin="transformers", low=0.0)
    held_out: str = setting(
        "0.05",
        "what the held-out loss is measured on: a share of the pool that is held out, or a file; 0 for none",
        group="data",
        unit="share or file",
    )
    max_length: int = setting(
        1024,
        "a conversation is cut at its end after this many tokens (never more than the model's positions)",
        group="model",
        unit="tokens",
        low=8,
    )
    system_prompt: str = setting(
        "You are a helpful assistant.",
        "system turn put before conversations that bring none; empty for none",
        group="model",
        origin="authors' code",
    )
    precision: Precision = setting(
        "auto", "auto: bf16 on a GPU that has it, else float32", group="model", origin="paper (bf16)"
    )
    batch_tokens: int = setting(
        8192, "tokens in one scoring batch, padding included", group="model", unit="tokens", low=64
    )
    rescore: bool = setting(
        False,
        "score with the untouched model again even if its scores are kept, and replace them",
        group="model",
    )
    threads: int = setting(0, "CPU threads; 0 leaves it to torch", group="model", unit="threads", low=0)
    attention: Attention = setting(
        "auto",
        "how attention is computed; auto leaves it to transformers, flash_attention_2 needs its package and a GPU",
        group="model",
        origin="transformers",
    )
    gradient_checkpointing: bool = setting(
        False,
        "compute each layer's activations again in the backward pass instead of keeping them: much less memory, "
        "about a third slower",
        group="model",
    )
    max_steps: int = setting(
        0,
        "at most this many optimizer steps in all; the learning-rate schedule spans them, and the last epoch may end early. "
        "0 trains every epoch to its end",
        group="training",
        unit="steps",
        low=0,
    )
    lora_rank: int = setting(
        0,
        "rank of LoRA adapters that are trained in place of the weights (8 to 64 are usual, with a learning rate of "
        "1e-4 to 3e-4); 0 trains all weights",
        group="lora",
        low=0,
    )
    lora_alpha: float = setting(
        0.0, "the adapters' output is scaled by alpha / rank; 0 takes twice the rank", group="lora", low=0.0
    )
    lora_dropout: float = setting(
        0.0, "share of the adapters' input that is dropped in training", group="lora", low=0.0, high=0.9
    )
    lora_targets: tuple[str, ...] = setting(
        (),
        "names of the layers that get adapters (q_proj, v_proj, ...); every linear layer but the head where none is "
        "named",
        group="lora",
    )
    save_merged: bool = setting(
        False,
        "also save the whole model with its adapters merged in (merged/), beside the adapters alone (model/), for "
        "programs that know no adapters",
        group="lora",
    )
    processes: int = setting(
        0,
        "processes that score and train together; 0 scores with one per GPU, and trains with one",
        group="running",
        unit="processes",
        low=0,
    )
    accelerate_config: str = setting(
        "",
        "a file written by `accelerate config`, which then says how the processes are started; each holds the whole model",
        group="running",
        unit="file",
    )
    save_checkpoints: bool = setting(
        True, "write a checkpoint after each epoch, so that the run can be resumed", group="running"
    )
    checkpoint_every: int = setting(
        0,
        "also write a checkpoint each time this many optimizer steps are done; 0 for none between epochs. One is "
        "written in any case where a run is asked to stop",
        group="running",
        unit="steps",
        low=0,
    )
    held_out_every: int = setting(
        0,
        "also measure the held-out loss every this many optimizer steps; 0 for none between epochs",
        group="running",
        unit="steps",
        low=0,
    )
    review: bool = setting(
        False,
        "wait after each scoring until somebody has approved the selection",
        group="running",
    )
    review_minutes: float = setting(
        0.0,
        "continue without an answer after this long; 0 waits for one",
        group="running",
        unit="minutes",
        low=0.0,
    )
    report_to: tuple[str, ...] = setting(
        (),
        "also report losses and learning rate to trackio, tensorboard or wandb; each needs its package installed",
        group="running",
    )
    make_map: bool = setting(True, "lay out the pool's map once", group="running")
