"""What is known of a pool's texts, carried over to the pool with other edits: what an edit may have changed is left out.

Carried findings count as known until the work "findings" has looked at all texts again; see `findings.has_findings`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.findings import ContentFindings, NearPairs, prompt_texts, response_texts
from backend.findings.contamination import Overlaps
from backend.findings.content_rules import RULES, piece_of
from backend.records import Pool
from backend.store.findings import load_content, load_near, save_content, save_near
from backend.store.overlaps import load_overlaps, save_overlaps
from backend.store.pools import stored_edits
from backend.store.word_splitting import pool_words

MOST_READ = 2000  # about a second


def carry_findings(home: Path, pool: Pool, earlier: Sequence[str]) -> None:
    """Give an edited pool what is known of one with other edits. earlier : ids of such pools, the best first."""
    words = pool_words(home, pool.id)
    for then in earlier:
        content = load_content(home, then)
        if content is not None:
            save_content(
                home, pool.id, carried_content(pool, content, changed_rows(home, then, pool)), carried=True
            )
            break
    for then in earlier:
        near = load_near(home, then, words=words)
        if near is not None:
            save_near(
                home, pool.id, carried_pairs(near, changed_rows(home, then, pool)), words=words, carried=True
            )
            break
    for then in earlier:
        known = load_overlaps(home, then)
        if known:
            away = changed_rows(home, then, pool)
            for against, overlaps in known:
                save_overlaps(home, pool.id, against, carried_overlaps(overlaps, away), words=words)
            break


def changed_rows(home: Path, then: str, pool: Pool) -> np.ndarray:
    """(k,) int64: the rows whose responses are others than in a pool of the same root with other edits."""
    before = stored_edits(home, then)
    changed = [one for one in {*before, *pool.edits} if before.get(one) != pool.edits.get(one)]
    return np.array(sorted(pool.row_of[sample] for sample in changed), dtype=np.int64)


def carried_content(pool: Pool, content: ContentFindings, changed: np.ndarray) -> ContentFindings:
    """What the texts hold: of the changed rows by the rules that read one sample, until all are read again.

    Of very many changed rows nothing is said until then: somebody waits for this.
    """
    kept = ~np.isin(content.rows, changed)
    changed = changed if len(changed) <= MOST_READ else changed[:0]
    part = dataclasses.replace(pool, table=pool.take(changed, ["turns", "response"]))
    prompts, responses = prompt_texts(part, system=False), response_texts(part)
    lines = list(zip(content.rows[kept].tolist(), content.kinds[kept].tolist(), content.found[kept].tolist()))
    for row, prompt, response in zip(changed.tolist(), prompts, responses):
        for kind, rule in RULES.items():
            piece = rule(prompt, response)
            if piece:
                lines.append((row, kind, piece_of(piece)))
    order = list(dict.fromkeys(content.kinds.tolist()))
    lines.sort(key=lambda line: (order.index(line[1]) if line[1] in order else len(order), line[1], line[0]))
    return ContentFindings(
        np.array([line[0] for line in lines], dtype=np.int32),
        np.array([line[1] for line in lines], dtype=object),
        np.array([line[2] for line in lines], dtype=object),
    )


def carried_pairs(pairs: NearPairs, changed: np.ndarray) -> NearPairs:
    """The pairs of samples that stayed as they were."""
    kept = ~(np.isin(pairs.a, changed) | np.isin(pairs.b, changed))
    return NearPairs(pairs.a[kept], pairs.b[kept], pairs.similarity[kept], pairs.lowest)


def carried_overlaps(overlaps: Overlaps, changed: np.ndarray) -> Overlaps:
    """The overlaps of samples that stayed as they were, and those of prompts, which nobody edits."""
    kept = ~np.isin(overlaps.rows, changed) | (overlaps.parts == "prompt")
    names = ("rows", "kinds", "parts", "others", "similarity", "words", "beside")
    return dataclasses.replace(overlaps, **{name: getattr(overlaps, name)[kept] for name in names})
