"""Complexity of samples, and the held-out loss, under one model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from backend.complexity.batches import pad, plan
from backend.complexity.losses import ResponseLosses
from backend.config import Precision
from backend.model import autocast
from backend.prompts import Encoded, Sequences
from backend.records import Progress, Scores, Stage

NON_FINITE = "non-finite loss"
NOTHING_BEFORE = "no token before the response"
NOT_SCORED = "not scored"


def score(
    model: PreTrainedModel,
    encoded: Encoded,
    rows: np.ndarray | None = None,
    *,
    batch_tokens: int,
    precision: Precision = "fp32",
    epoch: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Scores:
    """Complexity of the rows asked for: PPL(y | x) / PPL(y) = exp(loss_cond - loss_prior).

    Parameters
    ----------
    encoded : n samples.
    rows : (m,) int, rows to score; None for all.
    batch_tokens : tokens in one batch, padding included.
    precision : what to compute in where the weights are float32; losses are float32 in any case.
    epoch : only named in the progress reports.
    on_progress : called between batches; may raise `Stopped`.

    Returns the scores of all n samples: NaN with a reason where complexity is undefined or was not asked for.
    """
    wanted = np.arange(len(encoded)) if rows is None else np.asarray(rows, dtype=np.int64)
    scorable = wanted[encoded.reason[wanted] == ""]
    sequences = [(encoded.conditioned, int(row)) for row in scorable]
    sequences += [(encoded.alone, int(row)) for row in scorable]
    losses = _losses(
        model, sequences, encoded, batch_tokens, precision, _Report("score", epoch, 2, on_progress)
    )

    scores = Scores.unknown(len(encoded), encoded.response_tokens)
    scores.loss_cond[scorable], scores.loss_prior[scorable] = losses[: len(scorable)], losses[len(scorable) :]
    with np.errstate(over="ignore"):  # a ratio beyond float32 is infinite, and said to be below
        scores.complexity[:] = np.exp(scores.loss_cond - scores.loss_prior)
    scores.reason[:] = np.where(encoded.reason == "", NOT_SCORED, encoded.reason)
    scores.reason[scorable] = ""
    bad = scorable[~np.isfinite(scores.complexity[scorable])]
    first_tokens = (encoded.alone.first[bad] == 0) & (encoded.response_tokens[bad] == 1)
    scores.reason[bad] = np.where(first_tokens, NOTHING_BEFORE, NON_FINITE)
    scores.complexity[bad] = np.nan
    return scores


def held_out_loss(
    model: PreTrainedModel,
    encoded: Encoded,
    rows: np.ndarray | None = None,
    *,
    batch_tokens: int,
    precision: Precision = "fp32",
    epoch: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> float:
    """Mean response loss given the prompt, in nats per token: every token counts the same, not every sample.

    NaN where no sample has a response token. Parameters as for `score`.
    """
    wanted = np.arange(len(encoded)) if rows is None else np.asarray(rows, dtype=np.int64)
    scorable = wanted[encoded.reason[wanted] == ""]
    sequences = [(encoded.conditioned, int(row)) for row in scorable]
    report = _Report("evaluate", epoch, 1, on_progress)
    losses = _losses(model, sequences, encoded, batch_tokens, precision, report)
    counts = encoded.conditioned.lengths[scorable] - np.maximum(1, encoded.conditioned.first[scorable])
    if counts.sum() == 0:
        return float("nan")
    return float((losses * counts)[counts > 0].sum() / counts.sum())


@dataclass(frozen=True)
class _Report:
    """Progress of one stage, counted in samples, each of which is read `times` times."""

    stage: Stage
    epoch: int
    times: int
    on_progress: Callable[[Progress], None] | None

    def __call__(self, done: int, total: int, tokens: int) -> None:
        if self.on_progress is not None:
            samples = (done // self.times, total // self.times)
            self.on_progress(Progress(self.stage, self.epoch, *samples, "samples", tokens))


def _losses(
    model: PreTrainedModel,
    sequences: list[tuple[Sequences, int]],
    encoded: Encoded,
    batch_tokens: int,
    precision: Precision,
    report: _Report,
) -> np.ndarray:
    """(m,) float64: mean response loss of each sequence."""
    losses = np.full(len(sequences), np.nan)
    lengths = np.array([len(of.tokens(row)) for of, row in sequences], dtype=np.int64)
    responses = lengths - np.array([of.first[row] for of, row in sequences], dtype=np.int64)
    vocabulary = int(model.config.get_text_config().vocab_size)
    batches = plan(lengths, responses, batch_tokens=batch_tokens, vocabulary=vocabulary)
    done = tokens = 0
    report(done, len(sequences), tokens)
    with _reading(model), autocast(model, precision):
        read = ResponseLosses(model)
        if len(sequences):
            shortest = np.argsort(lengths, kind="stable")[:2]
            read.check(pad(shortest, sequences, pad_id=encoded.pad_id))
        for items in batches:
            losses[items] = read(pad(items, sequences, pad_id=encoded.pad_id))
            done, tokens = done + len(items), tokens + int(lengths[items].sum())
            report(done, len(sequences), tokens)
    return losses


@contextlib.contextmanager
def _reading(model: PreTrainedModel) -> Iterator[None]:
    """Without dropout and gradients. Not inference_mode: a rotary table that some models compute on the way would
    be an inference tensor ever after, and the next training step could not differentiate through it."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
