"""What is worth a look in a pool: each finding counted, with the rows behind the count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend import data
from backend.config import Words
from backend.errors import PoolError
from backend.findings.contamination import OVERLAP_HINTS, OVERLAPS, Overlaps
from backend.findings.content_rules import CONTENT, HINTS, ContentFindings
from backend.findings.lengths import CHANGES, Lengths
from backend.findings.near import NearPairs, near_groups, numbered
from backend.findings.openings import opening_rows, openings
from backend.findings.refusals import refusal_rows
from backend.findings.texts import response_texts
from backend.records import NOT_ASKED_FOR, Pool, Scores

THRESHOLD = 0.8
GROUPED = ("exact", "near", "same_response")
KEYS = (
    *("empty", *GROUPED, "refusal", "opening:<text>", "too_long", *CHANGES),
    *("unscorable", "unscorable:<reason>", *CONTENT, *OVERLAPS, "overlap"),
)
CHANGE_LABELS = {
    "reasoning_dropped": "Reasoning dropped by the template",
    "response_changed": "Response changed by the template",
    "tools_as_text": "Tools given as text",
}
_NO_NEAR = "Not searched for yet: it takes about a minute for 50,000 samples, in the background."
_NO_CONTENT = "Not read yet: it takes about half a minute for 50,000 samples, in the background."
_NO_EVALUATION = "Not compared yet: name a file of evaluation data to compare the pool with."
_NO_TOKENS = "Not counted yet: choose a model, and its tokenizer counts the tokens."


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    key : what `rows_of_finding` takes.
    count : rows behind it, exactly those of `rows_of_finding`; None where that is not known yet. ("rejected" counts
        rows of files, which are no samples.)
    groups : groups that the rows form, where they form groups.
    extra : rows beyond the first of each group: what `keep_one` takes out.
    hint : a sentence about it.
    why_unknown : why the count is not known, and what would make it known; "" where it is.
    """

    key: str
    label: str
    count: int | None
    groups: int | None = None
    extra: int | None = None
    hint: str = ""
    why_unknown: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a count."""
        return self.count is not None


def report(
    pool: Pool,
    *,
    near: NearPairs | None = None,
    lengths: Lengths | None = None,
    scores: Scores | None = None,
    content: ContentFindings | None = None,
    overlaps: Sequence[Overlaps] = (),
    threshold: float = THRESHOLD,
    top: int = 12,
    words: Words = "paper",
    refused: np.ndarray | None = None,
) -> list[Finding]:
    """What is worth a look: half a second for 52,000 samples, nearly all of it for refusals and openings.

    Parameters
    ----------
    near : pairs of near-duplicates, where they have been looked for; grouped from `threshold` on.
    lengths, scores : what is known from a tokenizer or a model, where there is any.
    content : what reading the texts has found, where that was done.
    overlaps : what the pool has in common with evaluation data, for each that it was compared with.
    top : openings listed at most. words : how they are cut into words.
    refused : (k,) int, the rows of refusals, where they are known.
    """
    empty = rows_of_finding(pool, "empty")
    refused = rows_of_finding(pool, "refusal") if refused is None else refused
    found = [
        Finding("empty", "Empty responses", len(empty), hint="Unscorable, so never selected."),
        _grouped(
            pool, "exact", "Exact duplicates", "Prompt and response are the same, character for character."
        ),
    ]
    if near is None:
        found.append(Finding("near", "Near-duplicates", None, why_unknown=_NO_NEAR))
    else:
        hint = (
            f"Prompt and response alike from a similarity of {threshold:g}; exact duplicates are among them."
        )
        found.append(_grouped(pool, "near", "Near-duplicates", hint, near=near, threshold=threshold))
    found += [
        _grouped(pool, "same_response", "Same response", "The same response to other prompts, or again."),
        Finding("refusal", "Refusals", len(refused), hint="Begins like a refusal to answer (English only)."),
    ]
    for kind, label in CONTENT.items():
        if content is None:
            found.append(Finding(kind, label, None, hint=HINTS[kind], why_unknown=_NO_CONTENT))
        else:
            found.append(Finding(kind, label, len(content.rows_of(kind)), hint=HINTS[kind]))
    for kind, label in OVERLAPS.items():
        count = len(_overlapping(overlaps, kind)) if overlaps else None
        why = "" if overlaps else _NO_EVALUATION
        found.append(Finding(kind, label, count, hint=OVERLAP_HINTS[kind], why_unknown=why))
    if lengths is None:
        found.append(Finding("too_long", "Over length", None, why_unknown=_NO_TOKENS))
    else:
        hint = f"More than {lengths.limit:,} tokens for {lengths.model}: the end is cut."
        found.append(Finding("too_long", "Over length", int(lengths.too_long.sum()), hint=hint))
        found += _changed(lengths)
    found += _unscorable(pool, lengths, scores)
    if pool.rejected:
        hint = "Not in the pool; the list of them says why."
        found.append(Finding("rejected", "Rows that could not be read", pool.left_out, hint=hint))
    for opening in openings(response_texts(pool), top=top, cut=words) if top else ():
        hint = "Most of them refuse to answer." if opening.refusal else "Responses begin so."
        found.append(Finding(f"opening:{opening.text}", f"“{opening.text} …”", opening.count, hint=hint))
    return found


def rows_of_finding(
    pool: Pool,
    key: str,
    *,
    near: NearPairs | None = None,
    lengths: Lengths | None = None,
    scores: Scores | None = None,
    content: ContentFindings | None = None,
    overlaps: Sequence[Overlaps] = (),
    threshold: float = THRESHOLD,
    words: Words = "paper",
) -> np.ndarray:
    """(k,) int64: the rows behind a finding, ascending. words : how openings were cut into words.

    Refusals and openings read every response (a third of a second for 52,000 samples): worth keeping by pool and key.

    Raises
    ------
    PoolError : the key is unknown, or what it needs is not known yet.
    ConfigError : the threshold is below what pairs were looked for.
    """
    kind, _, detail = key.partition(":")
    if kind in GROUPED and not detail:
        mask = groups_of_finding(pool, key, near=near, threshold=threshold) >= 0
    elif key == "empty":
        return data.rows_of(pool, "empty_responses")
    elif key == "refusal":
        return refusal_rows(response_texts(pool))
    elif kind == "opening" and detail:
        return opening_rows(response_texts(pool), detail, cut=words)
    elif key in CONTENT:
        if content is None:
            raise PoolError(f"{CONTENT[key].lower()}: {_NO_CONTENT}")
        return content.rows_of(key)
    elif key in (*OVERLAPS, "overlap"):
        if not overlaps:
            raise PoolError(f"overlap with evaluation data: {_NO_EVALUATION}")
        return _overlapping(overlaps, key)
    elif key == "too_long":
        if lengths is None:
            raise PoolError(f"over length: {_NO_TOKENS}")
        mask = lengths.too_long
    elif key in CHANGES:
        if lengths is None or lengths.changes is None:
            raise PoolError(f"{key}: {_NO_TOKENS}")
        mask = (lengths.changes & CHANGES[key][0]) > 0
    elif kind == "unscorable":
        reasons = reasons_of(len(pool), lengths, scores)
        if reasons is None:
            raise PoolError(f"unscorable: {_NO_TOKENS}")
        mask = reasons == detail if detail else reasons != ""
    elif key == "rejected":
        raise PoolError("rows that could not be read are not samples of the pool; Pool.rejected lists them")
    else:
        raise PoolError(f"finding {key!r} is unknown (known: {', '.join(KEYS)})")
    return np.flatnonzero(mask).astype(np.int64)


def mask_of_finding(pool: Pool, key: str, **known: object) -> np.ndarray:
    """(n,) bool: is behind the finding; arguments as for `rows_of_finding`."""
    mask = np.zeros(len(pool), dtype=bool)
    mask[rows_of_finding(pool, key, **known)] = True  # type: ignore[arg-type]
    return mask


def groups_of_finding(
    pool: Pool, key: str, *, near: NearPairs | None = None, threshold: float = THRESHOLD
) -> np.ndarray:
    """(n,) int32: groups of duplicates, numbered from 0 in the order of their first rows; -1 for rows in none.

    Raises
    ------
    PoolError : the finding has no groups, or near-duplicates have not been looked for.
    ConfigError : the threshold is below what pairs were looked for.
    """
    if key == "exact":
        return _same(pc.list_element(pc.split_pattern(pool.table["id"], "-"), 0))  # an id says what is equal
    if key == "same_response":
        groups = _same(pool.responses())
        groups[data.rows_of(pool, "empty_responses")] = -1
        return numbered(np.where(groups < 0, len(pool) + np.arange(len(pool)), groups))
    if key == "near":
        if near is None:
            raise PoolError(f"near-duplicates: {_NO_NEAR}")
        return near_groups(near, len(pool), threshold=threshold)
    raise PoolError(f"finding {key!r} has no groups (those that have: {', '.join(GROUPED)})")


def keep_one(groups: np.ndarray) -> np.ndarray:
    """(k,) int64: the rows to exclude so that the first of each group stays.

    groups : (n,) int, -1 for rows in none.
    """
    grouped = np.flatnonzero(groups >= 0)
    first = np.unique(groups[grouped], return_index=True)[1]
    return np.delete(grouped, first).astype(np.int64)


def rows_by_group(groups: np.ndarray) -> np.ndarray:
    """(k,) int64: the rows in groups, the largest group first, those of one group one after another."""
    grouped = np.flatnonzero(groups >= 0)
    mine = groups[grouped]
    size = np.bincount(mine)[mine] if len(mine) else mine
    return grouped[np.lexsort((grouped, mine, -size))].astype(np.int64)


def reasons_of(n: int, lengths: Lengths | None, scores: Scores | None) -> np.ndarray | None:
    """(n,) object of str: why a sample is unscorable, "" where it is not or nobody has looked; None where nothing is
    known. Scores know more than lengths (a loss that is no number), where they know a row at all: those of a run say
    nothing of samples that it held out."""
    if scores is None:
        return None if lengths is None else lengths.reason
    if lengths is None:
        return np.where(np.isin(scores.reason.astype(str), NOT_ASKED_FOR), "", scores.reason)
    return np.where(np.isin(scores.reason.astype(str), NOT_ASKED_FOR), lengths.reason, scores.reason)


def _overlapping(overlaps: Sequence[Overlaps], kind: str) -> np.ndarray:
    """(k,) int64: the rows that overlap with any of the evaluation data in one way ("overlap": in any), ascending."""
    return np.unique(
        np.concatenate([one.all_rows if kind == "overlap" else one.rows_of(kind) for one in overlaps])
    )


def _same(values: pa.ChunkedArray) -> np.ndarray:
    """Groups of rows with the same text; large strings, because a column may hold more than 2 GiB of them."""
    codes = values.cast(pa.large_string()).combine_chunks().dictionary_encode().indices
    return numbered(codes.to_numpy(zero_copy_only=False))


def _grouped(
    pool: Pool,
    key: str,
    label: str,
    hint: str,
    *,
    near: NearPairs | None = None,
    threshold: float = THRESHOLD,
) -> Finding:
    groups = groups_of_finding(pool, key, near=near, threshold=threshold)
    rows, number = int((groups >= 0).sum()), int(groups.max(initial=-1)) + 1
    return Finding(key, label, rows, number, rows - number, hint)


def _changed(lengths: Lengths) -> list[Finding]:
    """What the chat template does to samples; nothing where it does nothing."""
    if lengths.changes is None:
        return []
    counted = {key: int(((lengths.changes & bit) > 0).sum()) for key, (bit, _) in CHANGES.items()}
    hints = {
        "reasoning_dropped": f"The chat template of {lengths.model} does not write it: it is neither scored nor trained on.",
        "response_changed": f"What the chat template of {lengths.model} writes (trimmed, say) is scored and trained on.",
        "tools_as_text": f"The chat template of {lengths.model} has no place for tools or calls.",
    }
    return [
        Finding(key, CHANGE_LABELS[key], count, hint=hints[key]) for key, count in counted.items() if count
    ]


def _unscorable(pool: Pool, lengths: Lengths | None, scores: Scores | None) -> list[Finding]:
    """All unscorable samples, then by reason, the most frequent first."""
    reasons = reasons_of(len(pool), lengths, scores)
    if reasons is None:
        return [Finding("unscorable", "Unscorable", None, why_unknown=_NO_TOKENS)]
    counts = Counter(reason for reason in reasons.tolist() if reason)
    hint = "No complexity can be computed, so they are never selected."
    total = Finding("unscorable", "Unscorable", sum(counts.values()), hint=hint)
    return [total] + [
        Finding(f"unscorable:{reason}", f"Unscorable: {reason}", count, hint=hint)
        for reason, count in counts.most_common()
    ]
