"""What a model reads of a pool, and a model left as it was found."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend import prompts
from backend.config import RunConfig
from backend.model.load import embedding_rows, usable_length
from backend.prompts import Encoded
from backend.records import Pool, Progress


def encoded_for(
    pool: Pool,
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    config: RunConfig,
    *,
    rows: np.ndarray | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Encoded:
    """The token ids of a pool's n samples as this model can read them. rows : (m,) int, those wanted; None for all."""
    encoded = prompts.encode(
        pool,
        tokenizer,
        system_prompt=config.system_prompt,
        max_length=usable_length(model, config.max_length),
        rows=rows,
        on_progress=on_progress,
    )
    return encoded.readable(embedding_rows(model))


@contextlib.contextmanager
def as_it_was(model: torch.nn.Module) -> Iterator[None]:
    """What the block does to which modules are in training mode and to the random states is undone at its end.

    A training goes on as if nothing had been scored in between.
    """
    modes = [(module, module.training) for module in model.modules()]
    python, cpu = random.getstate(), torch.get_rng_state()
    legacy = np.random.get_state()  # noqa: NPY002 - what transformers and datasets draw from
    cuda: Any = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
