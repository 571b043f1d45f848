"""IterIT before every epoch of a training loop of your own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from torch import distributed
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend import analysis
from backend.config import selection_settings
from backend.errors import ConfigError, StudioError
from backend.iterate.before_epoch import Decisions
from backend.iterate.listener import Record
from backend.prompts import Encoded
from backend.records import EpochRecord, Pool, Progress
from iterit.model_input import as_it_was, encoded_for
from iterit.selected import READING, SELECTING, Selected, config_of, counts_of

ABSENT = "not in the trainer's dataset"


class Reselection:
    """Selects before each epoch with the model as it is then, exactly as a run of IterIT's own does.

    ::

        reselection = iterit.Reselection(pool, tokenizer, budget=0.05)
        for epoch in range(3):
            rows = reselection.before_epoch(epoch, model)     # rows of the pool, best first
            ...                                               # train one epoch on them

    Parameters
    ----------
    pool : n samples.
    tokenizer : with a chat template.
    among : (n,) bool, the samples that can be trained on; None for all. The others are neither scored nor selected.
    preset, settings : all that decide a selection (budget, decay, update_ratio, strategy, ...), and system_prompt,
        max_length (tokens), precision, batch_tokens (tokens); see docs/settings.md.
    on_progress : called while it scores; may raise to stop.

    Raises
    ------
    ConfigError : an unknown setting, one out of its range, or several processes.
    """

    def __init__(
        self,
        pool: Pool,
        tokenizer: PreTrainedTokenizerBase,
        *,
        among: np.ndarray | None = None,
        preset: str = "paper",
        on_progress: Callable[[Progress], None] | None = None,
        **settings: Any,
    ) -> None:
        refuse_several_processes()
        self.pool, self.tokenizer = pool, tokenizer
        self.config = config_of(settings, preset=preset, allowed=(*SELECTING, *READING))
        self.among = np.ones(len(pool), dtype=bool) if among is None else np.asarray(among, dtype=bool)
        self.on_progress = on_progress
        self.encoded: Encoded | None = None
        self._decisions: Decisions | None = None

    def before_epoch(self, epoch: int, model: PreTrainedModel) -> np.ndarray:
        """(k,) int64: the rows of the pool to train on in this epoch, best first.

        Before epoch 0 every sample is scored, before a later one the most promising (update_ratio x budget). Called again
        for an epoch that was decided, it returns the same. The model's training mode and all random states are left as
        they were.

        Raises
        ------
        ConfigError : an epoch before this one was left out, or nothing can be selected.
        """
        if epoch > len(self.records):
            raise ConfigError(
                f"epoch {epoch} comes before epoch {len(self.records)}: each is selected from what was known before it"
            )
        with as_it_was(model):
            return self._decided(model).decide(epoch, model)

    @property
    def records(self) -> list[EpochRecord]:
        """What was decided so far, by epoch: scores, what was rescored, the selection."""
        decided = self._decisions.records if self._decisions is not None else {}
        return [decided[epoch] for epoch in sorted(decided)]

    def selected(self, epoch: int = -1) -> Selected:
        """The selection of an epoch (the last where -1), for `why` and `export`.

        Raises
        ------
        ConfigError : it was not selected yet.
        """
        if not -len(self.records) <= epoch < len(self.records):
            raise ConfigError(f"epoch {epoch} was not selected yet (decided: {len(self.records)} epochs)")
        record = self.records[epoch]
        return Selected(self.pool, record.scores, selection_settings(self.config), record.selection)

    def table(self) -> pd.DataFrame:
        """A line for each epoch: selected, kept, added, dropped, overlap with the one before, rescored, mean complexity
        and tokens of the picks, distinct samples so far."""
        made = analysis.epoch_table(self.records, [], self.pool)
        return made.drop(columns=["noise", "noise_share", "held_out_before", "held_out_after"])

    def _decided(self, model: PreTrainedModel) -> Decisions:
        if self._decisions is None:
            self.encoded = encoded_for(
                self.pool, self.tokenizer, model, self.config, on_progress=self.on_progress
            )
            self._decisions = Decisions(
                self.config,
                self.pool,
                self.encoded,
                partial(counts_of, self.pool, self.config),
                ~self.among,
                self._report,
                aside=ABSENT,
            )
        return self._decisions

    def _report(self, record: Record) -> None:
        if self.on_progress is not None and isinstance(record, Progress):
            self.on_progress(record)


def refuse_several_processes(size: int = 1) -> None:
    """Raise where a training has several processes: each would select from its own share of the batches.

    Raises
    ------
    ConfigError : there are several.
    """
    there = distributed.is_available() and distributed.is_initialized()
    found = max(size, distributed.get_world_size() if there else 1)
    if found > 1:
        raise ConfigError(
            f"this training has {found} processes, and iterit selects in one; train in one, or let "
            "`iterit tune POOL --model MODEL --processes N` do it, which scores and trains in several"
        )


__all__ = ["ABSENT", "Reselection", "StudioError", "refuse_several_processes"]
