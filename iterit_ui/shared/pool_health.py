"""What is known about a pool's health, from what was computed once and stored beside it.

A finding is named by its key: "empty", "near", "opening:<words>", ...; near-duplicates may carry their threshold,
"near:0.85". `finding_rows`, `finding_groups` and `finding_label` answer for every screen.
"""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np

from backend import analysis, findings, store
from backend.config import Words
from backend.errors import PoolError
from backend.findings import (
    CONTENT,
    GROUPED,
    LOWEST,
    OVERLAPS,
    THRESHOLD,
    ContentFindings,
    Finding,
    Lengths,
    NearPairs,
    Opening,
    Overlaps,
    told_of_all,
)
from backend.findings.openings import WORDS
from backend.records import NOT_ASKED_FOR, Scores
from backend.store.shelf import keep_last
from iterit_ui.shared import theme
from iterit_ui.shared.selections import scores_key
from iterit_ui.shared.session import content_id, get_pool, get_scores

Stamp = tuple[tuple[str, int], ...]
# what each finding is computed from, beside the samples themselves
FILES = {
    "near": "near*.parquet",
    "too_long": "lengths-*.parquet",
    "unscorable": "lengths-*.parquet",
    **dict.fromkeys(CONTENT, "content.parquet"),
    **dict.fromkeys(OVERLAPS, "overlaps-*.parquet"),
}

# what several callbacks of a page that opens a pool ask for at once is computed by the first
_computing = threading.RLock()
OF_ROOT = ("words.json", "search.sqlite")  # an edited pool has those of the pool that was read


def stamp(home: Path, pool_id: str, name: str = "*") -> Stamp:
    """What lies beside a pool and when it was written: the key of what is computed from it.

    name : pattern of the files that count.
    """
    pool_id, root = content_id(home, pool_id), store.root_of(home, pool_id)
    folders = [store.pool_folder(home, pool_id)]
    if root != pool_id and name in OF_ROOT:
        folders.append(store.pool_folder(home, root))
    times = sorted((file.name, file.stat().st_mtime_ns) for folder in folders for file in folder.glob(name))
    return ((pool_id, 0), *times) if root != pool_id else tuple(times)


def near_of(home: Path, pool_id: str) -> NearPairs | None:
    """Pairs of near-duplicates, where they have been looked for."""
    pool_id = content_id(home, pool_id)
    return _near(home, pool_id, store.pool_words(home, pool_id), stamp(home, pool_id, FILES["near"]))


@keep_last(4)
def _near(home: Path, pool_id: str, words: Words, at: Stamp) -> NearPairs | None:
    return store.load_near(home, pool_id, words=words)


def content_of(home: Path, pool_id: str) -> ContentFindings | None:
    """What reading the texts has found, where that was done."""
    pool_id = content_id(home, pool_id)
    return _content(home, pool_id, stamp(home, pool_id, FILES["no_content"]))


@keep_last(4)
def _content(home: Path, pool_id: str, at: Stamp) -> ContentFindings | None:
    return store.load_content(home, pool_id)


def pieces_of(home: Path, pool_id: str, key: str) -> dict[int, str] | None:
    """What was found in each sample of a finding, or what it overlaps with, by row, keys and passwords masked; None for findings without pieces."""
    pool_id = content_id(home, pool_id)
    if key in OVERLAPS:
        return told_of_all(
            key, [(against.name, found) for against, found in store.load_overlaps(home, pool_id)]
        )
    content = content_of(home, pool_id) if key in CONTENT else None
    return None if content is None else content.found_of(key)


def overlaps_of(home: Path, pool_id: str) -> list[Overlaps]:
    """What a pool has in common with evaluation data, for each that it was compared with."""
    pool_id = content_id(home, pool_id)
    return [found for _, found in store.load_overlaps(home, pool_id)]


def lengths_of(home: Path, pool_id: str) -> Lengths | None:
    """Token counts under the tokenizer that was asked last, where one was."""
    pool_id = content_id(home, pool_id)
    return _lengths(home, pool_id, stamp(home, pool_id, FILES["too_long"]))


@keep_last(4)
def _lengths(home: Path, pool_id: str, at: Stamp) -> Lengths | None:
    keys = store.stored_lengths(home, pool_id)
    return store.load_lengths(home, pool_id, **dataclasses.asdict(keys[0])) if keys else None


def report(home: Path, pool_id: str, threshold: float = THRESHOLD) -> dict[str, Finding]:
    """Every finding of a pool by its key, near-duplicates at this threshold."""
    pool_id = content_id(home, pool_id)
    words = store.pool_words(home, pool_id)
    with _computing:
        found = _report(
            home, pool_id, words, stamp(home, pool_id, "*.parquet"), scores_key(home, pool_id, "")
        )
    if threshold == THRESHOLD or not found["near"].known:
        return found
    groups = finding_groups(home, pool_id, f"near:{threshold:g}")
    assert groups is not None
    rows, number = int((groups >= 0).sum()), int(groups.max(initial=-1)) + 1
    near = dataclasses.replace(found["near"], count=rows, groups=number, extra=rows - number)
    return {**found, "near": near}


@keep_last(4)
def _report(home: Path, pool_id: str, words: Words, at: Stamp, scores: str) -> dict[str, Finding]:
    pool, near, lengths = get_pool(home, pool_id), near_of(home, pool_id), lengths_of(home, pool_id)
    known = scores_of(home, pool_id, scores)
    found = findings.report(
        pool,
        near=near,
        lengths=lengths,
        scores=known,
        content=content_of(home, pool_id),
        overlaps=overlaps_of(home, pool_id),
        top=0,
        refused=finding_rows(home, pool_id, "refusal"),
    )
    return {one.key: one for one in found}


def unscorable_from(home: Path, pool_id: str) -> tuple[str, str]:
    """What the unscorable are known from, in two words and as a sentence; two empty texts where they are not known."""
    pool_id = content_id(home, pool_id)
    pool, lengths = get_pool(home, pool_id), lengths_of(home, pool_id)
    counted = f"token counts of {Path(lengths.model).name}" if lengths is not None else ""
    key = scores_key(home, pool_id, "")
    if not key:
        return ("from token counts", f"Known from the {counted}.") if counted else ("", "")
    label = next(one.label for one in analysis.score_sets(home, pool) if one.key == key)
    unread = int(np.isin(get_scores(home, pool_id, key).reason.astype(str), NOT_ASKED_FOR).sum())
    words = f"Known from scores ({label})."
    if unread:
        rest = f"known from the {counted}" if counted else "not known"
        words += f" {theme.counted(unread, 'sample')} {'was' if unread == 1 else 'were'} not scored: {rest}."
    return "from scores", words


def scores_of(home: Path, pool_id: str, key: str) -> Scores | None:
    """What a model has said of the pool, for what cannot be scored; None where none has read it."""
    return get_scores(home, pool_id, key) if key else None


def openings(home: Path, pool_id: str) -> list[Opening]:
    """The most frequent beginnings of a pool's responses, under the cutting that was chosen for it."""
    pool_id = content_id(home, pool_id)
    with _computing:
        return _openings(home, pool_id, store.pool_words(home, pool_id))


@keep_last(4)
def _openings(home: Path, pool_id: str, words: Words) -> list[Opening]:
    texts = findings.response_texts(get_pool(home, pool_id))
    return findings.openings(texts, cut=words, begun=_begun(home, pool_id, words))


def finding_label(home: Path, pool_id: str, key: str) -> str:
    """A finding in words, for chips and headings."""
    kind, _, detail = key.partition(":")
    if kind == "opening":
        return f"begins “{detail}”"
    if kind == "near":
        return f"near-duplicates from {near_key(key)[1]:.2f}"
    found = report(home, pool_id).get(key)
    return key if found is None else f"{found.label[:1].lower()}{found.label[1:]}"


def finding_rows(home: Path, pool_id: str, key: str) -> np.ndarray:
    """(k,) int64: the samples of a finding, in order.

    Raises
    ------
    StudioError : the finding is unknown, or has not been computed.
    """
    pool_id = content_id(home, pool_id)
    kind = key.partition(":")[0]
    scores = scores_key(home, pool_id, "") if kind == "unscorable" else ""
    words = store.pool_words(home, pool_id)
    at = stamp(home, pool_id, FILES[kind]) if kind in FILES else ()
    with _computing:
        return _rows(home, pool_id, words, key, at, scores)


@keep_last(64)
def _rows(home: Path, pool_id: str, words: Words, key: str, at: Stamp, scores: str) -> np.ndarray:
    pool = get_pool(home, pool_id)
    name, threshold = near_key(key)
    begun = name.removeprefix("opening:")
    if begun != name and len(begun.split()) == WORDS:
        rows = np.flatnonzero([one == begun for one in _begun(home, pool_id, words)]).astype(np.int64)
    else:
        rows = findings.rows_of_finding(
            pool,
            name,
            near=near_of(home, pool_id),
            lengths=lengths_of(home, pool_id),
            scores=scores_of(home, pool_id, scores),
            content=content_of(home, pool_id),
            overlaps=overlaps_of(home, pool_id) if name in OVERLAPS else (),
            threshold=threshold,
            words=words,
        )
    rows.setflags(write=False)
    return rows


@keep_last(2)
def _begun(home: Path, pool_id: str, words: Words) -> list[str]:
    """The first words of every response, cached because the list of openings asks for them again and again."""
    texts = findings.response_texts(get_pool(home, pool_id))
    return findings.beginnings(texts, cut=words)


def warm(home: Path, pool_id: str) -> None:
    """Find out beforehand what takes a moment at the first click."""
    pool_id = content_id(home, pool_id)
    finding_rows(home, pool_id, "refusal")
    _begun(home, pool_id, store.pool_words(home, pool_id))


def finding_groups(home: Path, pool_id: str, key: str) -> np.ndarray | None:
    """(n,) int32: the group of each sample in a finding of groups, -1 for those in none; None for other findings.

    Raises
    ------
    StudioError : near-duplicates have not been looked for, or not at this threshold.
    """
    pool_id = content_id(home, pool_id)
    if near_key(key)[0] not in GROUPED:
        return None
    words = store.pool_words(home, pool_id)
    return _groups(
        home, pool_id, words, key, stamp(home, pool_id, FILES["near"]) if key.startswith("near") else ()
    )


@keep_last(64)
def _groups(home: Path, pool_id: str, words: Words, key: str, at: Stamp) -> np.ndarray:
    name, threshold = near_key(key)
    groups = findings.groups_of_finding(
        get_pool(home, pool_id), name, near=near_of(home, pool_id), threshold=threshold
    )
    groups.setflags(write=False)
    return groups


def near_key(key: str) -> tuple[str, float]:
    """A finding's key without the threshold, and the threshold: "near:0.85" is ("near", 0.85).

    Raises
    ------
    PoolError : the threshold is none.
    """
    name, _, detail = key.partition(":")
    if name != "near":
        return key, THRESHOLD
    try:
        threshold = float(detail) if detail else THRESHOLD
    except ValueError:
        threshold = -1.0
    if not LOWEST <= threshold <= 1:
        raise PoolError(
            f"finding {key!r}: the threshold for near-duplicates is a number from {LOWEST:g} to 1"
        )
    return name, threshold
