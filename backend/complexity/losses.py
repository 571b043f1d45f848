"""Negative log-likelihood of the response tokens of a batch, with logits for these tokens only."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from backend.complexity.batches import Batch

# A response is often a small part of what is read, and a vocabulary of 150,000 makes the rest's logits the bulk
# of the work. float32 logits are taken in pieces, because the loss holds another copy or two of them.
CHUNK_CELLS = 1 << 25
SLOWER = "%s cannot give the response tokens' logits alone (%s): all are computed, which takes longer"

logger = logging.getLogger(__name__)


class ResponseLosses:
    """Computes response losses under one model; its twin is `plain`, which every model has.

    The fast way lets the model run as it is, and only hands its output head the hidden states that predict a
    response token; whatever the model does to logits afterwards (scaling, soft capping) it does as ever. That holds
    for any model whose head works token by token. `check` sees whether it does, on a first small batch, and
    otherwise everything is computed the plain way.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.fast = False

    def check(self, batch: Batch) -> None:
        """Compare both ways on one small batch and keep the fast one where it agrees."""
        plain = self._nll(batch, self._plain_logits(batch))
        try:
            fast = self._nll(batch, self._response_logits(batch))
        except (RuntimeError, IndexError, TypeError, ValueError, AttributeError) as error:
            # a head that needs every position says so in one of these ways; the plain way serves it
            logger.warning(SLOWER, type(self.model).__name__, f"{type(error).__name__}: {error}")
            return
        low_precision = self.model.dtype != torch.float32 or torch.is_autocast_enabled(self.model.device.type)
        tolerance = 3e-2 if low_precision else 1e-4
        self.fast = fast.shape == plain.shape and np.allclose(
            fast, plain, rtol=tolerance, atol=tolerance, equal_nan=True
        )
        if not self.fast:
            logger.warning(SLOWER, type(self.model).__name__, "they come out otherwise")

    def __call__(self, batch: Batch) -> np.ndarray:
        """(b,) float64, mean loss in nats per response token of each sequence; NaN where it has none."""
        nll = self._nll(batch, self._response_logits(batch) if self.fast else self._plain_logits(batch))
        sums = np.bincount(batch.sequence, weights=nll, minlength=len(batch.items))
        counts = np.bincount(batch.sequence, minlength=len(batch.items))
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)

    def _plain_logits(self, batch: Batch) -> torch.Tensor:
        """(k, vocabulary): logits of every position, of which the response's are kept."""
        return self._forward(batch)[self._tensor(batch.sequence), self._tensor(batch.position)]

    def _response_logits(self, batch: Batch) -> torch.Tensor:
        """(k, vocabulary): logits of the positions that predict a response token."""
        sequence, position = self._tensor(batch.sequence), self._tensor(batch.position)

        def keep_response(_: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            return args[0][sequence, position].unsqueeze(0), *args[1:]

        handle = self.model.get_output_embeddings().register_forward_pre_hook(keep_response)
        try:
            logits = self._forward(batch)
        finally:
            handle.remove()
        if logits.shape[:2] != (1, len(batch.target)):
            raise ValueError(
                f"logits of shape {tuple(logits.shape)} are not those of {len(batch.target)} tokens"
            )
        return logits[0]

    def _forward(self, batch: Batch) -> torch.Tensor:
        output: Any = self.model(
            input_ids=self._tensor(batch.ids), attention_mask=self._tensor(batch.mask), use_cache=False
        )
        return output.logits

    def _nll(self, batch: Batch, logits: torch.Tensor) -> np.ndarray:
        """(k,) float64: float32 log-softmax, piece by piece."""
        target = self._tensor(batch.target)
        piece = max(1, CHUNK_CELLS // logits.shape[-1])
        losses = [
            functional.cross_entropy(
                logits[at : at + piece].float(), target[at : at + piece], reduction="none"
            )
            for at in range(0, len(target), piece)
        ]
        return torch.cat(losses).cpu().double().numpy() if losses else np.zeros(0)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.model.device)
