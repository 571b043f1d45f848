"""Why a sample was picked or not, in words and with the numbers that decided it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.analysis.barriers import HELD_OUT_REASON, barrier
from backend.analysis.covered import Covered, Remains, remains
from backend.analysis.earlier_epochs import Earlier
from backend.analysis.outranked import outranked
from backend.analysis.quota_words import QuotaStory, let_in, quota_story
from backend.config import SelectionSettings
from backend.diversity import Tfidf
from backend.records import EDITED, Pool, Scores, Selection, Status
from backend.selection import covers, reads_column
from backend.selection.choose import exponents

STATUS_TEXT: dict[Status, str] = {
    Status.SELECTED: "selected",
    Status.PINNED: "pinned",
    Status.OUTRANKED: "candidate, outranked",
    Status.NOT_CANDIDATE: "not re-scored this epoch",
    Status.TOO_COMPLEX: "complexity too high",
    Status.UNSCORABLE: "unscorable",
    Status.TOO_SHORT: "response too short",
    Status.TOO_LONG: "response too long",
    Status.EXCLUDED: "excluded by a person",
    Status.SOURCE_OFF: "source left out",
    Status.HELD_OUT: "held out",
    Status.TRAINED: "trained on in an earlier epoch",
    Status.NO_VALUE: "no value in the factor's column",
}


MISMATCH = (
    " The prompt does not help the model to predict the response, which often means that the two do not belong "
    "together."
)


@dataclass(frozen=True)
class Why:
    """What decided about one sample.

    rank : from 1, None where it was not picked.
    facts : (name, value as text, what it means), in reading order.
    terms : (n-gram, contribution to diversity at the moment of the pick), the largest first.
    covered : of a candidate, its n-grams that earlier picks had covered, those that lost most first.
    """

    row: int
    id: str
    status: Status
    picked: bool
    rank: int | None
    headline: str
    facts: tuple[tuple[str, str, str], ...]
    terms: tuple[tuple[str, float], ...]
    covered: tuple[Covered, ...] = ()


def status_text(scores: Scores, selection: Selection, row: int) -> str:
    """A sample's status in a few words, with the reason where it cannot be scored."""
    status = Status(int(selection.status[row]))
    if status is Status.UNSCORABLE and scores.reason[row]:
        not_asked = scores.reason[row] in (HELD_OUT_REASON, EDITED)
        return f"{'not scored' if not_asked else 'unscorable'}: {scores.reason[row]}"
    return STATUS_TEXT[status]


def rank_of(selection: Selection, row: int) -> int | None:
    """A picked row's place in the order of picks, from 1; None where it was not picked."""
    places = np.flatnonzero(selection.rows == row)
    return int(places[0]) + 1 if len(places) else None


def why(
    pool: Pool,
    scores: Scores,
    selection: Selection,
    row: int,
    *,
    diversity: np.ndarray | None = None,
    settings: SelectionSettings | None = None,
    tfidf: Tfidf | None = None,
    excluded_by: str = "",
    earlier: Earlier | None = None,
) -> Why:
    """Why one sample of the pool is in a selection or not.

    diversity : (n,) float64, diversity before any pick, NaN where not a candidate.
    settings : those of the selection, for the limits and exponents that the words name.
    tfidf : of the selection's candidates (`weighed`), for what picks had covered; read with `settings` only.
    excluded_by : who excluded it, where that is known.
    earlier : what earlier epochs had trained on, where the strategy remembers it.
    """
    status, rank = Status(int(selection.status[row])), rank_of(selection, row)
    left = None
    if tfidf is not None and settings is not None and exponents(settings)[1] > 0:
        covering = earlier if covers(settings) else None
        left = remains(tfidf, selection, row, decay=settings.decay, earlier=covering)
    terms: tuple[tuple[str, float], ...] = ()
    if rank is not None:
        headline = picked_words(
            status, rank, selection, settings, story=quota_story(pool, selection, settings), pool=pool
        )
        pairs = zip(selection.terms[rank - 1], selection.parts[rank - 1])
        terms = tuple((str(term), float(part)) for term, part in pairs if term)
    elif status is Status.OUTRANKED:
        headline = outranked(pool, scores, selection, row, settings=settings, left=left)
    else:
        source = pool.sources[int(pool.source_codes[row])]
        against = barrier(scores, settings, row, status, source=source, excluded_by=excluded_by)
        headline = f"Not selected: {against}."
        if status is Status.TRAINED and earlier is not None:
            headline = f"Not selected: {_trained_on(earlier, row)}."
        if status is Status.TOO_COMPLEX and scores.complexity[row] >= 1:
            headline += MISMATCH
    return Why(
        row=row,
        id=str(pool.ids[row]),
        status=status,
        picked=rank is not None,
        rank=rank,
        headline=headline,
        facts=tuple(_facts(pool, scores, selection, row, rank, diversity, settings, left, earlier)),
        terms=terms,
        covered=() if left is None else left.covered,
    )


def _trained_on(earlier: Earlier, row: int) -> str:
    at = np.flatnonzero(earlier.rows == row)
    if not len(at):
        return "an earlier epoch trained on it"
    return (
        f"epoch {earlier.epochs[at[0]]} trained on it (as its pick {earlier.picks[at[0]]:,}), and this strategy trains on "
        "no sample twice before the pool is used up"
    )


def picked_words(
    status: Status,
    rank: int,
    selection: Selection,
    settings: SelectionSettings | None,
    *,
    pool: Pool,
    story: QuotaStory | None,
) -> str:
    """Why a sample is a pick, as a sentence. rank : from 1. story : what bounds on sources' shares did, if any are set."""
    if status is Status.PINNED:
        return f"Selected because a person pinned it (pick {rank:,} of {len(selection):,})."
    gain = selection.gain[rank - 1]
    if story is not None:
        words = let_in(story, int(pool.source_codes[selection.rows[rank - 1]]), rank, float(gain))
        if words:
            return words
    if np.isfinite(gain):
        return (
            f"Selected as pick {rank:,} of {len(selection):,}: at that moment no other candidate had a larger "
            f"gain than its {gain:.3g}."
        )
    strategy = f" by the strategy {settings.strategy}" if settings is not None else ""
    return f"Selected{strategy} (pick {rank:,} of {len(selection):,}); this strategy computes no gain."


def _facts(
    pool: Pool,
    scores: Scores,
    selection: Selection,
    row: int,
    rank: int | None,
    diversity: np.ndarray | None,
    settings: SelectionSettings | None,
    left: Remains | None,
    earlier: Earlier | None,
) -> list[tuple[str, str, str]]:
    """The numbers behind a decision; a number that nobody measured is left out or said to be unknown."""
    facts: list[tuple[str, str, str]] = []
    complexity, tokens = float(scores.complexity[row]), int(scores.response_tokens[row])
    if np.isfinite(complexity):
        ceiling = f"; the limit is {settings.max_complexity:g}" if settings is not None else ""
        facts.append(
            (
                "complexity",
                f"{complexity:.3f}",
                "perplexity of the response with its prompt over without it: below 1 the prompt helps"
                + ceiling,
            )
        )
        facts.append(
            (
                "loss with / without prompt",
                f"{scores.loss_cond[row]:.3f} / {scores.loss_prior[row]:.3f}",
                "nats per token; complexity is exp of their difference",
            )
        )
    else:
        facts.append(("complexity", "unknown", str(scores.reason[row] or "not scored")))
    if diversity is not None and np.isfinite(diversity[row]):
        facts.append(
            (
                "diversity before any pick",
                f"{diversity[row]:.3f}",
                "sum of the TF-IDF of its response's n-grams among the candidates"
                + ("; those that earlier epochs covered count less" if earlier is not None else ""),
            )
        )
    if rank is not None and np.isfinite(selection.diversity[rank - 1]):
        facts.append(
            (
                "diversity when picked",
                f"{selection.diversity[rank - 1]:.3f}",
                "reduced by earlier picks: n-grams already covered count less",
            )
        )
    if rank is None and left is not None:
        facts.append(
            (
                "diversity at the end",
                f"{left.after:.3f}",
                "reduced by the picks: n-grams already covered count less",
            )
        )
    if rank is not None and np.isfinite(selection.gain[rank - 1]):
        formula = "complexity x diversity"
        if settings is not None:
            formula = (
                f"complexity^{settings.complexity_weight:g} x diversity^{settings.diversity_weight:g}"
                f"{' x source weight' if settings.source_weights else ''}"
            )
            if reads_column(settings):
                formula += f" x {settings.factor_column}^{settings.factor_weight:g}"
        facts.append(("gain", f"{selection.gain[rank - 1]:.4g}", formula))
    facts.append(("response length", f"{tokens:,} tokens" if tokens >= 0 else "not measured yet", ""))
    if settings is not None and reads_column(settings) and settings.factor_column in pool.own_columns:
        value = pool.own(settings.factor_column)[row]
        facts.append(
            (
                settings.factor_column,
                "no value" if np.isnan(value) else f"{value:.6g}",
                f"a column of the data; its value to the power of {settings.factor_weight:g} is a factor of the gain",
            )
        )
    code = int(pool.source_codes[row])
    facts.append(("source", pool.sources[code], ""))
    story = quota_story(pool, selection, settings)
    if story is not None and pool.sources[code] in story.shares:
        facts.append(
            (
                "share of its source",
                f"{story.counts[code]:,} of {story.budget:,} samples",
                f"{story.least(code)}, {story.most(code)}",
            )
        )
    return facts
