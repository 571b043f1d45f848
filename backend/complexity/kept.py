"""Scores of an untouched model that somebody has computed before, and what they depend on.

What a loss depends on is the tokens that are read, where among them the response begins, and the model that reads them.
So a sequence of tokens is what a loss is kept for: another pool with the same samples finds it too, and whatever
changes a sample's tokens, a template or a line of code, finds nothing. What the model is, and how it is read, names the
folder. Left out, because it only rounds: the device, its kernels, the number of processes and threads, the tokens of
a batch, and whether weights that compute in 16 bits are stored in 32.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend import store
from backend.complexity.score import SCORING_VERSION, same_tokens, score
from backend.config import RunConfig
from backend.distributed.process_group import ProcessGroup
from backend.model.content import content_files
from backend.model.load import arithmetic_of, usable_length
from backend.prompts import Encoded, Sequences
from backend.records import Progress, Scores, Taken
from backend.store.score_shards import check_same_scoring

# takes sequences, (k,) rows of them and their (k,) float64 losses
Keep = Callable[[Sequences, np.ndarray, np.ndarray], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """Losses that need not be computed, of g groups of sequences and all n samples.

    losses : (g, n) float64, 0 where unknown. there : (g, n) bool, where it is known.
    at : seconds since 1970 (UTC), when the newest of them was read; NaN where there is none.
    """

    losses: np.ndarray
    there: np.ndarray
    at: float

    def taken(self, encoded: Encoded, rows: np.ndarray) -> Taken | None:
        """How many of these rows need not be read at all; None where that is none."""
        scorable = rows[encoded.reason[rows] == ""]
        count = int(self.there[:, scorable].all(axis=0).sum())
        return Taken(count, self.at) if count else None

    def filled_from(self, other: Known, rows: np.ndarray) -> Known:
        """The same, and of these rows ((m,) int64) what only the other knows."""
        new = np.zeros_like(self.there)
        new[:, rows] = other.there[:, rows] & ~self.there[:, rows]
        at = float(np.fmax(self.at, other.at)) if new.any() else self.at
        return Known(np.where(new, other.losses, self.losses), self.there | new, at)


@dataclass(frozen=True)
class Kept:
    """The kept losses of one untouched model. since : losses whose scoring began earlier are ignored.

    given : losses that the run was given beside those, see `store/given_losses`; None where there are none.
    """

    folder: Path
    since: float = 0.0
    given: Known | None = None

    def known_scores(self, encoded: Encoded, rows: np.ndarray) -> Known:
        """What `score` need not compute of these rows."""
        found = self.known(same_tokens(encoded), rows)
        return found if self.given is None else found.filled_from(self.given, rows)

    def known(self, groups: tuple[Sequences, ...], rows: np.ndarray) -> Known:
        """What is kept of these rows ((m,) int64) in each group."""
        n = len(groups[0].first)
        losses, there = np.zeros((len(groups), n)), np.zeros((len(groups), n), dtype=bool)
        at = np.nan
        for group, of in enumerate(groups):
            found = store.find_losses(self.folder, _keys(of, rows), since=self.since)
            losses[group, rows], there[group, rows] = found.losses, found.there
            at = np.fmax(at, np.fmax.reduce(found.at, initial=np.nan))
        return Known(losses, there, float(at))

    @contextlib.contextmanager
    def keeping(self) -> Iterator[Keep]:
        """Within the block, what is read is kept, from time to time and at the block's end, however that comes."""
        with store.LossWriter(self.folder) as writer:
            yield lambda of, rows, losses: writer.add(_keys(of, rows), losses)
            if self.since:
                writer.replace_older()


def kept_losses(
    home: Path,
    config: RunConfig,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    since: float = 0.0,
    given: store.GivenLosses | None = None,
) -> Kept | None:
    """The losses in a runs folder that were computed by this very model, read in this very way; None where its files
    are not found, so that nothing tells whether it is the same.

    given : losses that a run was given.

    The first time that a model is seen all of its files are read; see `store.content_hashes`.

    Raises
    ------
    ScoresError : what was given says that it was made with something else.
    """
    depends_on = scores_depend_on(home, config, model, tokenizer)
    if given is not None and given.depends_on is not None:
        check_same_scoring(given.depends_on, depends_on)
    if not depends_on["files"]:
        logger.info(
            "scores are not kept: the files that model %s was loaded from are not found", config.model
        )
        return None
    known = None
    if given is not None:
        there = np.isfinite(given.losses)
        known = Known(np.where(there, given.losses, 0.0), there, given.at)
    return Kept(store.kept_folder(home, depends_on), since, known)


def scores_depend_on(
    home: Path, config: RunConfig, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> dict[str, Any]:
    """What scores depend on beside the samples: hashes of the model's files (none where they are not found), of the chat
    template, and how texts are read. As JSON values; the same wherever the same model lies."""
    files = content_files(config.model)
    hashes = store.content_hashes(store.known_files(home), files)
    return {
        "files": sorted([path.name, hashes[str(path)]] for path in files),
        "chat_template": _digest(str(tokenizer.chat_template)),
        "system_prompt": config.system_prompt,
        "max_length": usable_length(model, config.max_length),
        "precision": arithmetic_of(config.precision, model.device),
        "scoring_version": SCORING_VERSION,
        "transformers": transformers.__version__,
    }


def score_unknown(
    model: PreTrainedModel,
    encoded: Encoded,
    rows: np.ndarray,
    config: RunConfig,
    *,
    kept: Kept | None,
    group: ProcessGroup,
    epoch: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Scores, Taken | None]:
    """As `score`, but for the rows whose losses are kept: these are taken from there, and what is read is kept.

    kept : the same in every process; None where nothing is kept of this model.
    group : the processes that score; each calls this, and each gets everything.
    """
    known = group.from_rank0(lambda: kept.known_scores(encoded, rows)) if kept else None
    taken = known.taken(encoded, rows) if known else None
    if taken is not None:
        logger.info("scores of epoch %d %s", epoch, taken.words)
    with kept.keeping() if kept else contextlib.nullcontext() as keep:
        scores = score(
            model,
            encoded,
            rows,
            batch_tokens=config.batch_tokens,
            precision=config.precision,
            epoch=epoch,
            on_progress=on_progress,
            known=known,
            keep=keep,
        )
    return scores, taken


def _keys(of: Sequences, rows: np.ndarray) -> np.ndarray:
    """(m,) S16: what each sequence is known by."""
    if not len(rows):
        return np.zeros(0, dtype="S16")
    digests = [
        hashlib.blake2b(
            of.tokens(row).tobytes(), digest_size=16, key=int(of.first[row]).to_bytes(4, "little")
        ).digest()
        for row in np.asarray(rows).tolist()
    ]
    return np.frombuffer(b"".join(digests), dtype="S16")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
