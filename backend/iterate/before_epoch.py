"""What is decided before each epoch: which samples are rescored, and which are selected."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from transformers import PreTrainedModel

from backend.complexity import Kept, score_unknown, scoring_tokens
from backend.config import RunConfig, budget_of
from backend.distributed.process_group import ProcessGroup
from backend.diversity import NgramCounts
from backend.errors import ConfigError
from backend.iterate.listener import Reporter, Review
from backend.prompts import Encoded
from backend.records import EpochRecord, Pool, Progress, Scores, Taken
from backend.selection import (
    keeps_selection,
    reviewed_record,
    round_before,
    rows_to_score,
    select_epoch,
)

HELD_OUT = "held out"
logger = logging.getLogger(__name__)


@dataclass
class Decisions:
    """Decides epoch after epoch, and remembers what it decided.

    counts : gives the pool's n-gram counts; called before the first selection, and once.
    held_out : (n,) bool, rows that are neither scored nor selected, for the reason `aside`.
    kept : gives the kept losses of the untouched model, the same in every process; called in all of them, before epoch 0
        is scored. None where none are kept.
    review : asked before each new selection is final; None where nobody is asked.
    records : what was decided, by epoch, in the first process; what an interrupted run has already decided is put here.
    group : the processes of the run; all of them call `decide`.
    """

    config: RunConfig
    pool: Pool
    encoded: Encoded
    counts: Callable[[], NgramCounts]
    held_out: np.ndarray
    report: Reporter
    kept: Callable[[], Kept | None] = lambda: None
    review: Review | None = None
    records: dict[int, EpochRecord] = field(default_factory=dict)
    group: ProcessGroup = field(default_factory=ProcessGroup)
    aside: str = HELD_OUT

    @property
    def budget(self) -> int:
        """Samples an epoch trains on, of those that are not held out."""
        return budget_of(self.config.budget, int((~self.held_out).sum()))

    @cached_property
    def _counted(self) -> NgramCounts:
        return self.counts()

    def decide(self, epoch: int, model: PreTrainedModel) -> np.ndarray:
        """(k,) int64: the rows that an epoch trains on. Scores what the strategy asks for with the model as it is now,
        selects, and reports the record.

        An epoch that was decided before an interruption is not decided again: it was reported, and the model of
        its checkpoint would give the same. All processes score; the first one selects for all.
        """
        rows = self.group.from_rank0(lambda: self._to_score(epoch))
        if rows is None:
            return self.group.from_rank0(lambda: self._known(epoch).selection.rows)
        begun = time.monotonic()
        new, taken = self._score(epoch, model, rows)
        seconds = time.monotonic() - begun
        return self.group.from_rank0(lambda: self._settle(epoch, rows, new, seconds, taken).selection.rows)

    def _to_score(self, epoch: int) -> np.ndarray | None:
        """The rows to score before this epoch; None where there is nothing to decide."""
        known = epoch in self.records or (epoch > 0 and keeps_selection(self.config.strategy))
        if known:
            return None
        return rows_to_score(self._before(epoch), self.config, self.pool, held_out=self.held_out)

    def _known(self, epoch: int) -> EpochRecord:
        """The record of an epoch that was decided before, or with epoch 0."""
        if epoch not in self.records:
            nothing = np.zeros(len(self.pool), dtype=bool)
            self._keep(
                replace(
                    self.records[0], epoch=epoch, rescored=nothing, seconds={}, taken=None, scored_tokens=0
                )
            )
        return self.records[epoch]

    def _settle(
        self, epoch: int, rows: np.ndarray, new: Scores, seconds: float, taken: Taken | None
    ) -> EpochRecord:
        """Select from the new scores and those known before."""
        rescored = np.zeros(len(self.pool), dtype=bool)
        rescored[rows] = True
        scores = self._with_known(epoch, new, rescored)
        selected = self._select(epoch, scores, rescored, {"score": seconds})
        tokens = scoring_tokens(self.encoded, rows)
        return self._keep(self._reviewed(replace(selected, taken=taken, scored_tokens=tokens)))

    def _keep(self, record: EpochRecord) -> EpochRecord:
        self.records[record.epoch] = record
        self.report(record)
        return record

    def _select(
        self, epoch: int, scores: Scores, rescored: np.ndarray, seconds: dict[str, float]
    ) -> EpochRecord:
        begun = time.monotonic()
        # the steps are laid out for the first selection, so no later one is larger
        budget = len(self.records[0].selection) if epoch else self.budget
        self.report(Progress("select", epoch, 0, budget))
        round_, earlier = round_before(self._before(epoch), self.config, self.pool)
        if epoch and round_ > self.records[epoch - 1].round:
            logger.info(
                "epoch %d: fewer samples are left than an epoch takes, so a new round begins with all of them",
                epoch,
            )
        selection, diversity = select_epoch(
            self.pool,
            lambda: self._counted,
            scores,
            self.config,
            epoch=epoch,
            budget=budget,
            rescored=rescored,
            held_out=self.held_out,
            earlier=earlier,
        )
        self.report(Progress("select", epoch, len(selection), budget))
        seconds = {**seconds, "select": time.monotonic() - begun}
        return EpochRecord(
            epoch, scores, rescored, diversity, selection, seconds, round=round_, earlier=earlier
        )

    def _before(self, epoch: int) -> list[EpochRecord]:
        """What was decided for the epochs before this one, in order."""
        return [self.records[other] for other in range(epoch)]

    def _reviewed(self, proposal: EpochRecord) -> EpochRecord:
        """What somebody made of a selection, where somebody is asked."""
        if self.review is None:
            return proposal
        most = len(self.records[0].selection) if proposal.epoch else None
        refused = ""
        while True:
            self.report(Progress("review", proposal.epoch, 0, 0))
            changes = self.review(proposal, refused)
            try:
                return reviewed_record(
                    self.pool, lambda: self._counted, proposal, self.config, changes, most=most
                )
            except ConfigError as error:
                refused = str(error)

    def _score(self, epoch: int, model: PreTrainedModel, rows: np.ndarray) -> tuple[Scores, Taken | None]:
        """Scores of all n rows, unknown but for `rows`, and which of them were taken; the same in every process."""
        taken = None
        if len(rows):
            new, taken = score_unknown(
                model,
                self.encoded,
                rows,
                self.config,
                kept=self.kept() if epoch == 0 else None,
                group=self.group,
                epoch=epoch,
                on_progress=self.report,
            )
        else:
            new = Scores.unknown(len(self.pool), self.encoded.response_tokens)
            new.reason[self.encoded.reason != ""] = self.encoded.reason[self.encoded.reason != ""]
        new.reason[self.held_out] = self.aside
        return new, taken

    def _with_known(self, epoch: int, new: Scores, anew: np.ndarray) -> Scores:
        """Scores of all n rows: new where `anew`, else as they were known."""
        if epoch == 0:
            return new
        known = self.records[epoch - 1].scores
        return Scores(
            np.where(anew, new.loss_cond, known.loss_cond),
            np.where(anew, new.loss_prior, known.loss_prior),
            np.where(anew, new.complexity, known.complexity),
            new.response_tokens,
            np.where(anew, new.reason, known.reason),
        )
