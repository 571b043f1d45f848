"""Negative log-likelihood of the response tokens of a batch, with as little work as the model allows."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch
from peft import PeftModel
from torch.nn import functional
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from backend.complexity.batches import Batch, pad
from backend.complexity.kernels import FasterKernels
from backend.prompts import Sequences

# Logits are float32 and the loss holds another copy or two of them, so they are taken in pieces. On a CPU a piece
# stays in the cache, and below the 32 MiB from which on glibc asks the system for fresh memory every time.
PIECE_CELLS = {"cpu": 3 << 21}
PIECE_CELLS_OTHERWISE = 1 << 27

# How a wrong way shows, besides wrong numbers: a head that needs every position, a cache of another kind
REFUSALS = (RuntimeError, IndexError, TypeError, ValueError, AttributeError, NotImplementedError)
SLOWER = "%s cannot give the response tokens' logits alone (%s): all are computed, which takes longer"
UNSHARED = "%s reads the %d tokens that all texts begin with again for each (%s)"

Head = Literal["all", "response", "pieces"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prefix:
    """What the model remembers of the tokens that all sequences begin with.

    length : tokens. states : keys and values, (1, heads, length, d) each, by layer.
    """

    length: int
    states: list[tuple[torch.Tensor, torch.Tensor]]

    def cache(self, model: PreTrainedModel, size: int) -> Cache:
        """A cache for `size` sequences; every forward pass needs one of its own, because it grows."""
        cache = DynamicCache(config=model.config)
        for layer, (keys, values) in enumerate(self.states):
            cache.update(keys.expand(size, -1, -1, -1), values.expand(size, -1, -1, -1), layer)
        return cache


class ResponseLosses:
    """Computes response losses under one model, each shortcut only where `check` has seen that it changes nothing.

    Its twin is the plain way, which every model has: the whole text, a padding mask, logits for every position. The
    shortcuts, one upon the other:

    head "response" : the model runs as it is, and its output head is handed only the hidden states that predict a
        response token; whatever the model does to logits afterwards (scaling, soft capping) it does as ever. Holds
        for any model whose head works token by token.
    head "pieces" : the head is called here, piece by piece, and logits do not leave the processor's cache. Holds
        where the model returns its head's logits as they are.
    not masked : what is padded stands behind every text's end, where a causal model does not look.
    a shared prefix (`share`) : the tokens that all texts begin with are read once.
    """

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        # adapters are in the layers of the model itself, and its own forward has the arguments that are looked for
        self.model = cast(PreTrainedModel, model.get_base_model()) if isinstance(model, PeftModel) else model
        self.head: Head = "all"
        self.masked = True
        # transformers 5.24 has given it another name, and warns of the former one
        takes = inspect.signature(self.model.forward).parameters
        self.cache_name = "cache" if "cache" in takes else "past_key_values"

    def check(self, batch: Batch) -> None:
        """Compare the ways on one small batch, of two lengths if there are two, and keep the fastest that agrees."""
        plain = self._plain(batch)
        fastest: tuple[Head, ...] = ("pieces", "response")
        for head in fastest:
            reason = self._otherwise(plain, partial(self._nll, batch, head=head, masked=True))
            if not reason:
                self.head = head
                break
        else:
            logger.warning(SLOWER, type(self.model).__name__, reason)
        self.masked = bool(self._otherwise(plain, lambda: self._nll(batch, head=self.head, masked=False)))

    def share(self, of: Sequences, rows: np.ndarray, length: int, *, pad_id: int) -> Prefix | None:
        """Read the first `length` tokens of these rows, which are the same in all, or None where that cannot be used.

        rows : a few of those that have this prefix; on them the two ways are compared.
        """
        if length == 0:
            return None
        if self.masked or self.head == "all":
            reason = "it is read without this shortcut"
        else:
            plain = self._plain(pad(of, rows, pad_id=pad_id))
            prefix: list[Prefix] = []

            def read() -> torch.Tensor:
                prefix.append(self._read_prefix(of.tokens(rows[0])[:length]))
                return self(pad(of, rows, pad_id=pad_id, skip=length), prefix[0])

            reason = self._otherwise(plain, read)
            if not reason:
                return prefix[0]
        logger.info(UNSHARED, type(self.model).__name__, length, reason)
        return None

    def __call__(self, batch: Batch, prefix: Prefix | None = None) -> torch.Tensor:
        """(k,) float32 on the model's device: nats of each response token of the batch, which lacks the prefix."""
        return self._nll(batch, head=self.head, masked=self.masked, prefix=prefix)

    def _otherwise(self, plain: torch.Tensor, way: Callable[[], torch.Tensor]) -> str:
        """Why `way` cannot be taken instead of what gave `plain`; "" where it can."""
        try:
            found = way()
        except REFUSALS as error:
            return f"{type(error).__name__}: {error}"
        low_precision = self.model.dtype != torch.float32 or torch.is_autocast_enabled(self.model.device.type)
        tolerance = 3e-2 if low_precision else 1e-4
        agrees = found.shape == plain.shape and torch.allclose(
            found, plain, rtol=tolerance, atol=tolerance, equal_nan=True
        )
        return "" if agrees else "the results differ"

    def _plain(self, batch: Batch) -> torch.Tensor:
        """(k,) float32: as it would be written down, without this file's means."""
        output: Any = self.model(
            input_ids=self._tensor(batch.ids), attention_mask=self._tensor(batch.mask), use_cache=False
        )
        return self._loss(
            output.logits[self._tensor(batch.sequence), self._tensor(batch.position)],
            self._tensor(batch.target),
        )

    def _nll(self, batch: Batch, *, head: Head, masked: bool, prefix: Prefix | None = None) -> torch.Tensor:
        sequence, position = self._tensor(batch.sequence), self._tensor(batch.position)
        target = self._tensor(batch.target)
        output_head = self.model.get_output_embeddings()
        kept: list[torch.Tensor] = []

        def keep(_: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
            if head == "all":
                return None
            hidden = args[0][sequence, position].unsqueeze(0)
            if head == "pieces":
                kept.append(hidden[0])
                hidden = hidden[:, :1]  # the model goes on with one token
            return hidden, *args[1:]

        with FasterKernels():
            handle = output_head.register_forward_pre_hook(keep)
            try:
                logits = self._forward(batch, masked=masked, prefix=prefix)
            finally:
                handle.remove()
            if head == "pieces":
                (states,) = kept
                piece = self._piece(logits.shape[-1])
                losses = [
                    self._loss(output_head(states[at : at + piece]), target[at : at + piece])
                    for at in range(0, len(target), piece)
                ]
                return torch.cat(losses) if losses else states.new_zeros(0, dtype=torch.float32)
        if head == "response" and logits.shape[:2] != (1, len(target)):
            raise ValueError(f"logits of shape {tuple(logits.shape)} are not those of {len(target)} tokens")
        return self._loss(logits[0] if head == "response" else logits[sequence, position], target)

    def _forward(self, batch: Batch, *, masked: bool, prefix: Prefix | None) -> torch.Tensor:
        given: dict[str, Any] = {"input_ids": self._tensor(batch.ids)}
        if masked:
            given["attention_mask"] = self._tensor(batch.mask)
        if prefix is not None:
            given[self.cache_name] = prefix.cache(self.model, len(batch.ids))
        output: Any = self.model(**given, use_cache=prefix is not None)
        return output.logits

    def _read_prefix(self, tokens: np.ndarray) -> Prefix:
        """Raises ValueError where the model's cache holds anything but keys and values of all tokens."""
        with FasterKernels():
            output: Any = self.model(
                input_ids=self._tensor(tokens[None].astype(np.int64)),
                use_cache=True,
                **{self.cache_name: DynamicCache(config=self.model.config)},
            )
        layers = output[self.cache_name].layers
        kinds = {type(layer).__name__ for layer in layers if type(layer) is not DynamicLayer}
        if kinds or any(layer.get_seq_length() != len(tokens) for layer in layers):
            raise ValueError(f"its cache holds {', '.join(sorted(kinds)) or 'other lengths'}")
        return Prefix(len(tokens), [(layer.keys, layer.values) for layer in layers])

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(k,) float32: log-softmax in float32, piece by piece."""
        piece = self._piece(logits.shape[-1])
        losses = [
            functional.cross_entropy(
                logits[at : at + piece].float(), target[at : at + piece], reduction="none"
            )
            for at in range(0, len(target), piece)
        ]
        return torch.cat(losses) if losses else logits.new_zeros(0, dtype=torch.float32)

    def _piece(self, vocabulary: int) -> int:
        """Rows of logits that are looked at together."""
        return max(1, PIECE_CELLS.get(self.model.device.type, PIECE_CELLS_OTHERWISE) // vocabulary)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        """On the model's device, copied while it computes something else where it can be."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self.model.device.type == "cuda":
            return tensor.pin_memory().to(self.model.device, non_blocking=True)
        return tensor.to(self.model.device)
