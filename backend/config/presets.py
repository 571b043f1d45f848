"""Where the settings of a run may start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    # An 8B model in bf16 is 15 GiB. AdamW on all of its weights would need 120 GiB; adapters of rank 16 on every linear
    # layer are 42 million numbers, under 1 GiB with everything that AdamW keeps. What is left of 24 GB goes to
    # activations: two samples of 1,024 tokens, of which only each layer's input is kept.
    "lora-24gb": {
        "lora_rank": 16,
        "learning_rate": 2e-4,
        "gradient_checkpointing": True,
        "precision": "bf16",
        "device_batch_size": 2,
        "max_length": 1024,
        "batch_tokens": 4096,
    },
    "demo": {
        "budget": 0.10,
        "learning_rate": 3e-4,
        "batch_size": 8,
        "device_batch_size": 8,
        "epochs": 3,
        "max_length": 512,
        "system_prompt": "",
        "held_out": "demo",
        "batch_tokens": 6144,
    },
}
PRESET_HELP = {
    "paper": "the paper's recommendation: 3 epochs, 5 %, learning rate 2e-5, cosine, batch 32",
    "lora-24gb": "7 or 8 billion parameters: bf16 weights (15 GiB), LoRA of rank 16 on every linear layer, learning rate "
    "2e-4, at most 1,024 tokens, batch 32",
    "demo": "for the embedded pool and its 2-million-parameter model: 10 %, learning rate 3e-4, batch 8; "
    "another pool is measured on 5 % of its own samples",
}
OWN_SHARE = (
    "0.05"  # what the other presets keep aside, too: every pool is measured on the same part of itself
)


def preset_values(name: str, pool: str | Sequence[str] | None = None) -> dict[str, Any]:
    """What a preset sets for a pool, as a configuration names it; None is the pool that it was made for.

    The embedded held-out rows are of the embedded pool: a loss on them says nothing about another one, of which a share
    is held out instead.
    """
    values = PRESETS[name]
    embedded = pool is None or pool == "demo" or (not isinstance(pool, str) and tuple(pool) == ("demo",))
    if values.get("held_out") == "demo" and not embedded:
        return {**values, "held_out": OWN_SHARE}
    return dict(values)
