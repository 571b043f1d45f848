"""Which samples of a pool overlap with evaluation data, and with what of it.

A model that was trained on what it is tested with looks better than it is. Three kinds are told apart: the same text, nearly
the same text, and long runs of words in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.config import Words
from backend.errors import ConfigError
from backend.findings.credentials import masked
from backend.findings.shared_runs import COMMON, RUN, shared_runs
from backend.findings.texts import words_of

ALIKE = 0.8  # the similarity from which near-duplicates are grouped, too
# a response of fewer words ("Yes, it is.") is the same by chance
LEAST_WORDS = 8
LONGEST = 300  # characters kept of what a sample overlaps with
OVERLAPS = {
    "overlap_exact": "Same as evaluation",
    "overlap_near": "Close to evaluation",
    "overlap_run": f"{RUN} words of evaluation",
}
OVERLAP_HINTS = {
    "overlap_exact": "The prompt or the response is the same as one of the evaluation data, but for capitals and spaces. "
    f"Responses of fewer than {LEAST_WORDS} words are the same by chance and left alone.",
    "overlap_near": f"The prompt or the response shares {ALIKE:.0%} of its runs of five characters with one of the evaluation data, as "
    f"near-duplicates do, and is not the same. Responses of fewer than {LEAST_WORDS} words are left alone.",
    "overlap_run": f"Prompt and response hold {RUN} words in a row that the evaluation data hold too, capitals and punctuation aside. "
    f"A run that more than {COMMON} different samples of the pool have is a set phrase or a template, and left alone.",
}


@dataclass(frozen=True)
class Overlaps:
    """What a pool has in common with evaluation data; a sample may overlap in several ways, in each with one row, the nearest.

    rows : (f,) int32, ascending within a kind. kinds : (f,) object of str, a key of `OVERLAPS`.
    parts : (f,) object of str, "prompt", "response", or "" for both together. others : (f,) int32, rows of the evaluation data.
    similarity : (f,) float32, of the shingles, 1 for the same text, NaN for runs. words : (f,) int32, of the shared run, 0 for others.
    beside : (f,) object of str, the evaluation's text, or the shared run; at most 300 characters, keys and passwords masked.
    common : (k,) int64, samples that share only runs of words which are too common to count.
    """

    rows: np.ndarray
    kinds: np.ndarray
    parts: np.ndarray
    others: np.ndarray
    similarity: np.ndarray
    words: np.ndarray
    beside: np.ndarray
    common: np.ndarray

    def rows_of(self, kind: str) -> np.ndarray:
        """(k,) int64: the samples that overlap in one way, ascending."""
        return np.unique(self.rows[self.kinds == kind]).astype(np.int64)

    @property
    def all_rows(self) -> np.ndarray:
        """(k,) int64: the samples that overlap in any way, ascending."""
        return np.unique(self.rows).astype(np.int64)

    def told(self, kind: str, name: str = "") -> dict[int, str]:
        """By row what each sample overlaps with, in words. kind : "overlap" for all. name : of the evaluation data."""
        found: dict[int, str] = {}
        of_kind = np.ones(len(self.rows), dtype=bool) if kind == "overlap" else self.kinds == kind
        for i in np.flatnonzero(of_kind).tolist():
            how = [str(self.parts[i])] if self.parts[i] else []
            if self.words[i]:
                how.append(f"{self.words[i]:,} words")
            elif self.kinds[i] == "overlap_near":
                how.append(f"{int(self.similarity[i] * 100)} % alike")
            where = f"{name} row {self.others[i]:,} ({', '.join(how)}): {self.beside[i]}".lstrip()
            row = int(self.rows[i])
            found[row] = f"{found[row]} | {where}" if row in found else where
        return found


def told_of_all(kind: str, named: Sequence[tuple[str, Overlaps]]) -> dict[int, str]:
    """By row what each sample overlaps with in all evaluation data, given with their names."""
    found: dict[int, str] = {}
    for name, overlaps in named:
        for row, words in overlaps.told(kind, name).items():
            found[row] = f"{found[row]} | {words}" if row in found else words
    return found


def contamination(
    prompts: Sequence[str],
    responses: Sequence[str],
    other_prompts: Sequence[str],
    other_responses: Sequence[str],
    *,
    words: Words = "paper",
    alike: float = ALIKE,
    on_progress: Callable[[int, int], None] | None = None,
) -> Overlaps:
    """Compare a pool with evaluation data.

    Parameters
    ----------
    prompts, responses : of the n samples, without system turns, which are the same before many.
    other_prompts, other_responses : of the evaluation rows; "" where there is no response.
    words : how shingles are cut, see `shingle_sets`. alike : similarity of shingles from which on texts are nearly the same.
    on_progress : called with steps done and in all, three a sample; may raise to stop.

    Raises
    ------
    ConfigError : `alike` is out of its range.
    """
    from backend.findings.near_between import nearest  # compiled code: loaded where it is needed
    from backend.findings.shingles import normal

    if not 0 < alike <= 1:
        raise ConfigError(f"alike is {alike}; expected more than 0 and at most 1")
    n = len(prompts)
    lines: dict[str, list[tuple[int, str, int, float, int, str]]] = {kind: [] for kind in OVERLAPS}
    plain = [[normal(text) for text in texts] for texts in (prompts, responses)]
    others = [[normal(text) for text in texts] for texts in (other_prompts, other_responses)]
    shown = {"prompt": other_prompts, "response": other_responses}
    for step, part in enumerate(("prompt", "response")):
        own, wanted = plain[step], others[step]
        if part == "response":
            own, wanted = _long_enough(own), _long_enough(wanted)
        same = same_texts(own, wanted)
        lines["overlap_exact"] += [
            (row, part, other, 1.0, 0, shown[part][other]) for row, other in same.items()
        ]
        # each text once; what is the same is found already
        firsts: dict[str, int] = {}
        for row, text in enumerate(own):
            if text and row not in same:
                firsts.setdefault(text, len(firsts))
        other, similarity = nearest(
            list(firsts),
            wanted,
            threshold=alike,
            words=words,
            on_progress=_counted(on_progress, step * n, 3 * n),
        )
        for row, text in enumerate(own):
            at = firsts.get(text, -1)
            if at >= 0 and other[at] >= 0:
                found = int(other[at])
                lines["overlap_near"].append((row, part, found, float(similarity[at]), 0, shown[part][found]))
    copies = _copies(list(zip(*plain, strict=True)))
    runs, common = shared_runs(
        _joined(prompts, responses),
        _joined(other_prompts, other_responses),
        copies=copies,
        on_progress=_counted(on_progress, 2 * n, 3 * n),
    )
    lines["overlap_run"] = [
        (row, "", run.other, float("nan"), len(run.words), " ".join(run.words)) for row, run in runs.items()
    ]
    if on_progress is not None:
        on_progress(3 * n, 3 * n)
    found_lines = [(kind, *line) for kind, of_kind in lines.items() for line in sorted(of_kind)]
    columns = list(zip(*found_lines, strict=True)) if found_lines else [()] * 7
    kinds, rows, parts, numbers, similar, many, beside = columns
    return Overlaps(
        np.array(rows, dtype=np.int32),
        np.array(kinds, dtype=object),
        np.array(parts, dtype=object),
        np.array(numbers, dtype=np.int32),
        np.array(similar, dtype=np.float32),
        np.array(many, dtype=np.int32),
        np.array([" ".join(masked(text).split())[:LONGEST] for text in beside], dtype=object),
        common,
    )


def same_texts(texts: Sequence[str], others: Sequence[str]) -> dict[int, int]:
    """By row the first other row with the same text; texts in normal form, empty ones are like none."""
    first: dict[str, int] = {}
    for row, text in enumerate(others):
        first.setdefault(text, row)
    first.pop("", None)
    return {row: first[text] for row, text in enumerate(texts) if text in first}


def same_samples(
    prompts: Sequence[str],
    responses: Sequence[str],
    other_prompts: Sequence[str],
    other_responses: Sequence[str],
) -> np.ndarray:
    """(k,) int64: the rows whose prompt or response is the same as another's; half a second for 52,000 samples."""
    from backend.findings.shingles import normal

    asked = same_texts([normal(text) for text in prompts], [normal(text) for text in other_prompts])
    given = same_texts(
        _long_enough([normal(text) for text in responses]),
        _long_enough([normal(text) for text in other_responses]),
    )
    return np.array(sorted({*asked, *given}), dtype=np.int64)


def _long_enough(texts: Sequence[str]) -> list[str]:
    """The texts, "" for those of too few words."""
    # most are long: no need to cut these into words
    return [text if len(text) > 400 or len(words_of(text)) >= LEAST_WORDS else "" for text in texts]


def _joined(prompts: Sequence[str], responses: Sequence[str]) -> list[str]:
    return [f"{prompt}\n{response}" for prompt, response in zip(prompts, responses, strict=True)]


def _copies(samples: Sequence[tuple[str, str]]) -> np.ndarray:
    """(n,) bool: whether a sample is a copy of an earlier one."""
    seen: set[tuple[str, str]] = set()
    found = np.zeros(len(samples), dtype=bool)
    for row, sample in enumerate(samples):
        found[row] = sample in seen
        seen.add(sample)
    return found


def _counted(
    on_progress: Callable[[int, int], None] | None, before: int, total: int
) -> Callable[[int], None] | None:
    """Progress of one step as that of all of them."""
    return None if on_progress is None else lambda done: on_progress(before + done, total)
