"""Score, select, say why, export: the functions behind the commands of the same names, on what is in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend import analysis, diversity, selection
from backend.analysis import Why, picks_export
from backend.config import RunConfig, SelectionSettings, budget_of, config_from, selection_settings
from backend.data.export import write_samples
from backend.errors import ConfigError, ModelError, PoolError
from backend.records import Pool, Progress, Scores, Selection

if TYPE_CHECKING:
    import pandas as pd

    from backend.diversity import NgramCounts

READING = ("system_prompt", "max_length", "precision", "batch_tokens")
"""Settings that decide how a model reads a pool."""
SELECTING = tuple(f.name for f in dataclasses.fields(SelectionSettings))
"""Settings that decide a selection."""

_COUNTED: dict[tuple[str, str, str], NgramCounts] = {}  # of the pools that were selected from last


@dataclass(frozen=True)
class Selected:
    """A selection with what it was made from.

    pool : n samples. scores : of all n. settings : with which it was made.
    selection : the picks in order with gains, and why every other row was not picked.
    """

    pool: Pool
    scores: Scores
    settings: SelectionSettings
    selection: Selection

    @property
    def rows(self) -> np.ndarray:
        """(k,) int64: rows of the pool, in the order in which they were picked."""
        return self.selection.rows

    @property
    def ids(self) -> np.ndarray:
        """(k,) object of str: the samples' ids, in the same order."""
        return self.pool.ids[self.selection.rows]

    def __len__(self) -> int:
        return len(self.selection)

    def table(self) -> pd.DataFrame:
        """A line for each pick: id, file, row, rank, gain, complexity, diversity, and why in words."""
        import pandas as pd

        lines = picks_export.columns_of(self.pool, self.scores, self.selection, self.settings)
        return pd.DataFrame(lines, columns=list(picks_export.COLUMNS))


def score(
    pool: Pool,
    model: Any,
    tokenizer: Any = None,
    *,
    rows: np.ndarray | None = None,
    preset: str = "paper",
    on_progress: Callable[[Progress], None] | None = None,
    **settings: Any,
) -> Scores:
    """Complexity of a pool's samples under a model: PPL(response | prompt) / PPL(response).

    Parameters
    ----------
    pool : n samples.
    model : a folder, a hub id or "demo"; or a model of transformers, and then its tokenizer.
    rows : (m,) int, the rows to score; None for all.
    preset, settings : system_prompt, max_length (tokens), precision, batch_tokens (tokens); see docs/settings.md.
    on_progress : called between batches; may raise to stop.

    Returns the scores of all n samples: `complexity` (n,) float32, no unit, NaN with a `reason` where it is undefined or
    was not asked for; `loss_cond` and `loss_prior` in nats per response token.

    Raises
    ------
    ModelError : the model cannot be loaded, or no tokenizer is given. ConfigError : an unknown setting.
    """
    # torch and transformers, and only here
    from backend import complexity
    from backend.model import load
    from iterit.model_input import encoded_for

    config = config_of(settings, preset=preset, allowed=READING)
    if isinstance(model, (str, Path)):
        model, tokenizer = load.load(str(model), precision=config.precision)
    elif tokenizer is None:
        raise ModelError(f"{type(model).__name__} needs its tokenizer: iterit.score(pool, model, tokenizer)")
    encoded = encoded_for(pool, tokenizer, model, config, rows=rows, on_progress=on_progress)
    return complexity.score(
        model,
        encoded,
        rows,
        batch_tokens=config.batch_tokens,
        precision=config.precision,
        on_progress=on_progress,
    )


def select(
    pool: Pool,
    scores: Scores | None = None,
    *,
    preset: str = "paper",
    **settings: Any,
) -> Selected:
    """The samples worth training on, best first: complexity x diversity, greedily (the paper's selection).

    Parameters
    ----------
    scores : of all n samples of the pool; None for strategies that need none (diversity, random, full).
    preset, settings : budget (a share up to 1, else a number of samples), decay, strategy, pinned, excluded, ...; all of
        `SelectionSettings`, see docs/settings.md.

    Raises
    ------
    ConfigError : an unknown setting, one out of its range, or nothing can be selected.
    PoolError : the scores are not of this pool.
    """
    config = config_of(settings, preset=preset, allowed=SELECTING)
    chosen = selection_settings(config)
    known = Scores.unknown(len(pool)) if scores is None else scores
    if len(known) != len(pool):
        raise PoolError(f"{len(known):,} scores do not belong to the {len(pool):,} samples of {pool.name}")
    budget = budget_of(chosen.budget, len(pool))
    made = selection.select_of_pool(pool, counts_of(pool, chosen), known, chosen, budget=budget)
    return Selected(pool, known, chosen, made)


def why(picks: Selected, sample: str | int) -> Why:
    """Why a sample is in a selection or not; `headline` says it in a sentence.

    Parameters
    ----------
    sample : an id, or a row of the pool.

    Returns its `status`, `rank` (from 1), `facts` (name, value, what it means), the n-grams (`terms`) that earned the
    pick, and those that earlier picks had `covered`.

    Raises
    ------
    PoolError : the pool has no such sample.
    """
    pool, settings = picks.pool, picks.settings
    row = pool.row_of.get(sample, -1) if isinstance(sample, str) else int(sample)
    if not 0 <= row < len(pool):
        raise PoolError(
            f"no sample {sample!r} in {pool.name}: expected an id, or a row from 0 to {len(pool) - 1:,}"
        )
    _, tfidf = analysis.weighed(
        pool, counts_of(pool, settings), picks.scores, settings, cache=analysis.TfidfCache()
    )
    return analysis.why(pool, picks.scores, picks.selection, row, settings=settings, tfidf=tfidf)


def export(
    picks: Selected | str,
    out: str | Path,
    *,
    format: Any = "messages",
    with_scores: bool = False,
    epoch: int | None = None,
    runs_dir: str | Path = "runs",
) -> Path:
    """Write selected samples to a file in a format that trainers read, as the command `export` does.

    Parameters
    ----------
    picks : a selection; or a run's id, its name, or "last".
    out : .json (one array), .jsonl (a record a line), or another ending that docs/formats.md names.
    format : "messages", "sharegpt", "alpaca", ...; see docs/formats.md.
    with_scores : also write with each sample its id, file, row, rank, gain, complexity, diversity and why, in words.
    epoch, runs_dir : of a run: which epoch's selection (the last where None), and the folder of the runs.

    Raises
    ------
    PoolError : the format or the ending is unknown. RunError : no such run, or it has selected nothing yet.
    """
    if isinstance(picks, str):
        from backend.cli.showing import find_run

        home = Path(runs_dir).resolve()
        chosen = picks_export.picks_of_run(home, find_run(home, picks), epoch)
        pool, rows, columns = chosen.pool, chosen.rows, chosen.columns
    else:
        made = picks
        pool, rows = made.pool, made.rows

        def columns() -> list[dict[str, Any]]:
            return picks_export.columns_of(pool, made.scores, made.selection, made.settings)

    write_samples(out, pool, rows, format, beside=columns() if with_scores else None)
    return Path(out)


def config_of(settings: dict[str, Any], *, preset: str, allowed: tuple[str, ...]) -> RunConfig:
    """The configuration that a preset and some settings make; `allowed` are those that mean something here.

    Raises
    ------
    ConfigError : another setting, or a value that does not fit.
    """
    for name in settings:
        if name not in allowed:
            raise ConfigError(f"setting {name!r} is unknown here (known: {', '.join(sorted(allowed))})")
    return config_from(settings, preset=preset)


def counts_of(pool: Pool, settings: SelectionSettings) -> NgramCounts:
    """The n-grams of a pool's responses; those of the last few pools are kept, for counting takes seconds."""
    key = (pool.id, settings.response_suffix, settings.words)
    if key not in _COUNTED:
        while len(_COUNTED) > 2:
            _COUNTED.pop(next(iter(_COUNTED)))
        _COUNTED[key] = diversity.count_ngrams(
            pool.responses(), suffix=settings.response_suffix, words=settings.words
        )
    return _COUNTED[key]
