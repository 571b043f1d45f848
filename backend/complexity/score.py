"""Complexity of samples, and the held-out loss, under one model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import PreTrainedModel

from backend.complexity.batches import Batch, pad
from backend.complexity.losses import ResponseLosses
from backend.complexity.reading_plan import Work, works_of
from backend.config import Precision
from backend.distributed.shards import Shards
from backend.model.load import autocast
from backend.prompts import Encoded, Sequences
from backend.records import Progress, Scores, Stage

if TYPE_CHECKING:
    from backend.complexity.kept import Keep, Known

# Grows where the same samples and the same model get other scores than before, beyond rounding: kept scores of another
# version are not used. (They are kept by the tokens that were read, so that a sample with other tokens has none anyway.)
SCORING_VERSION = 2

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
    known: Known | None = None,
    keep: Keep | None = None,
) -> Scores:
    """Complexity of the rows asked for: PPL(y | x) / PPL(y) = exp(loss_cond - loss_prior).

    Parameters
    ----------
    encoded : n samples.
    rows : (m,) int, rows to score; None for all.
    batch_tokens : tokens in one batch, padding included.
    precision : what to compute in where the weights are float32; losses are float32 in any case.
    epoch : only named in the progress reports.
    on_progress : called between batches; may raise `Stopped`. It counts what is read.
    known : losses that are taken as they are, of the two of `same_tokens`, and not computed. With several processes
        all are given the same.
    keep : is given the losses of each batch that this process has read.

    Returns the scores of all n samples: NaN with a reason where complexity is undefined or was not asked for.
    """
    wanted = np.arange(len(encoded)) if rows is None else np.asarray(rows, dtype=np.int64)
    scorable = wanted[encoded.reason[wanted] == ""]
    report = _Report("score", epoch, 2, on_progress)
    conditioned, alone = _losses(
        model,
        same_tokens(encoded),
        scorable,
        encoded.pad_id,
        batch_tokens,
        precision,
        report,
        known,
        keep,
    )

    scores = Scores.unknown(len(encoded), encoded.response_tokens)
    scores.loss_cond[scorable], scores.loss_prior[scorable] = conditioned, alone
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
    known: Known | None = None,
    keep: Keep | None = None,
) -> float:
    """Mean response loss given the prompt, in nats per token: every token counts the same, not every sample.

    NaN where no sample has a response token. Parameters as for `score`; `known` is of `conditioned` alone.
    """
    wanted = np.arange(len(encoded)) if rows is None else np.asarray(rows, dtype=np.int64)
    scorable = wanted[encoded.reason[wanted] == ""]
    report = _Report("evaluate", epoch, 1, on_progress)
    one = (encoded.conditioned,)
    (losses,) = _losses(model, one, scorable, encoded.pad_id, batch_tokens, precision, report, known, keep)
    counts = encoded.conditioned.lengths[scorable] - np.maximum(1, encoded.conditioned.first[scorable])
    if counts.sum() == 0:
        return float("nan")
    return float((losses * counts)[counts > 0].sum() / counts.sum())


def same_tokens(encoded: Encoded) -> tuple[Sequences, Sequences]:
    """Both readings, with the same tokens scored: where nothing stands before a lone turn's first token, nothing says
    how likely that token is there, and it is left out of both."""
    conditioned = encoded.conditioned
    first = np.minimum(conditioned.first + (encoded.alone.first == 0), conditioned.lengths)
    return replace(conditioned, first=first.astype(np.int32)), encoded.alone


def scoring_tokens(encoded: Encoded, rows: np.ndarray) -> int:
    """Tokens of both readings of the rows ((m,) int) that can be scored: what scoring them anew makes the model read."""
    scorable = rows[encoded.reason[rows] == ""]
    return int(encoded.conditioned.lengths[scorable].sum() + encoded.alone.lengths[scorable].sum())


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
    groups: tuple[Sequences, ...],
    rows: np.ndarray,
    pad_id: int,
    batch_tokens: int,
    precision: Precision,
    report: _Report,
    known: Known | None,
    keep: Keep | None,
) -> np.ndarray:
    """(groups, m) float64: mean response loss of each row in each group."""
    losses = np.zeros((len(groups), len(rows)))
    there = np.zeros(losses.shape, dtype=bool) if known is None else known.there[:, rows]
    shards, total = Shards(), int((~there).sum())
    done = tokens = 0
    with shards.together(), reading(model), autocast(model, precision):
        report(0, total, 0)
        read = ResponseLosses(model)
        works = works_of(read, groups, rows, pad_id, batch_tokens, there=there) if total else []
        hands = shards.deal([work.cost for work in works])
        waiting: list[tuple[Work, Batch, torch.Tensor]] = []

        def take() -> None:
            work, batch, nll = waiting.pop(0)
            found = batch.means(nll.cpu().double().numpy())
            losses[work.group, work.items] = found
            if keep is not None:
                keep(groups[work.group], rows[work.items], found)

        for turn in range(max(map(len, hands))):
            if turn < len(hands[shards.rank]):
                work = works[hands[shards.rank][turn]]
                batch = pad(groups[work.group], rows[work.items], pad_id=pad_id, skip=work.skip)
                waiting.append((work, batch, read(batch, work.prefix)))
                if len(waiting) > 1:  # a GPU has the next batch before this one's losses are asked for
                    take()
                done, tokens = done + len(work.items), tokens + work.tokens
            everybody, everything = shards.agree(done, tokens)
            if everybody < total:
                report(everybody, total, everything)
        while waiting:
            take()
        shards.settle(done, tokens)
        if total:
            report(total, total, sum(work.tokens for work in works))
        shards.settle(done, tokens)  # whoever was asked to stop by that report has told the others
        losses = shards.gather(losses)
    if known is not None:
        losses[there] = known.losses[:, rows][there]
    return losses


@contextlib.contextmanager
def reading(model: PreTrainedModel) -> Iterator[None]:
    """Without dropout and gradients. Not inference_mode: a rotary table that some models compute on the way would
    be an inference tensor ever after, and the next training step could not differentiate through it."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
