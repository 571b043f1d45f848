"""Where the settings of a run may start from."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
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
    "demo": "for the embedded pool and its 2-million-parameter model: 10 %, learning rate 3e-4, batch 8",
}
