"""What reading every sample's text finds, beside duplicates: a rule for each kind, and all of them over a pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.findings.broken_text import broken_encoding
from backend.findings.credentials import key_or_password
from backend.findings.cut_off import cut_rows
from backend.findings.fences import open_fence
from backend.findings.hollow import no_content
from backend.findings.languages import other_languages
from backend.findings.loops import repeated_loop
from backend.findings.markup import left_over_markup
from backend.findings.personal import email_address, phone_number

# (prompt, response) -> what was found, "" for nothing
RULES: dict[str, Callable[[str, str], str]] = {
    "no_content": no_content,
    "markup": left_over_markup,
    "encoding": broken_encoding,
    "loop": repeated_loop,
    "open_fence": open_fence,
    "email": email_address,
    "phone": phone_number,
    "secret": key_or_password,
}
# every kind with its label; "cut_off" and the languages need the whole pool
CONTENT = {
    "no_content": "No content",
    "cut_off": "Cut off",
    "loop": "Repeats itself",
    "markup": "Markup left over",
    "encoding": "Broken characters",
    "open_fence": "Open code block",
    "language": "Not the prompt's language",
    "rare_language": "Rare language",
    "email": "E-mail addresses",
    "phone": "Phone numbers",
    "secret": "Keys and passwords",
}
# what is looked for, and what is left alone, in words for those who read the report
HINTS = {
    "no_content": "The response is a set phrase (n/a, ok, see above, same as above), a label (“Answer:”) or punctuation only. Not where the prompt has that phrase or asks for a mark.",
    "cut_off": "The response ends at a comma, a hyphen, an open bracket or list number, a word that ends no sentence (“the”), or a piece of a word. Code, lists and titles are left alone. Finds about three of ten.",
    "loop": "The same words follow one another four times or more, or one sentence makes up 30 % of the response. Code, songs, poems and prompts that ask to repeat are left alone.",
    "markup": "HTML tags or entities, or special tokens of chat templates (<|im_end|>, [/INST], </s>), outside code. Not where the prompt asks for HTML or code, or the response speaks of it.",
    "encoding": "The text was read in the wrong encoding (“naÃ¯ve” for “naïve”), or has � where a character was lost. The library ftfy tells.",
    "open_fence": "A code block opens with ``` and never closes.",
    "language": "Prompt and response are in different languages, as py3langid tells for texts of 40 letters or more. Not where the prompt speaks of a language or of translating, or quotes the response's language.",
    "rare_language": "A language of at most 2 % of the pool. Not where the prompt speaks of a language or of translating.",
    "email": "An e-mail address in prompt or response. Made-up ones (example.com, your.name, john.doe) are left alone.",
    "phone": "A phone number in prompt or response. Made-up numbers (555, 123-456-7890) and free-call lines are left alone.",
    "secret": "A key, token or password in prompt or response, by its form or by what stands before it; shown masked, exported as it is. Placeholders are left alone.",
}
LONGEST = 160  # characters kept of what was found
_REPORT_EVERY = 512


@dataclass(frozen=True)
class ContentFindings:
    """What was found in which sample; a sample may be found for several kinds, for each once.

    rows : (f,) int32, ascending within a kind. kinds : (f,) object of str, a key of `CONTENT`.
    found : (f,) object of str, the piece of text that was found, at most 160 characters; keys and passwords masked.
    """

    rows: np.ndarray
    kinds: np.ndarray
    found: np.ndarray

    def rows_of(self, kind: str) -> np.ndarray:
        """(k,) int64: the samples found for a kind, ascending."""
        return self.rows[self.kinds == kind].astype(np.int64)

    def found_of(self, kind: str) -> dict[int, str]:
        """What was found, by row."""
        of_kind = self.kinds == kind
        return dict(zip(self.rows[of_kind].tolist(), self.found[of_kind].tolist()))


def content_findings(
    prompts: Sequence[str],
    responses: Sequence[str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ContentFindings:
    """Read every sample by every rule; each rule's docstring says what it finds and what it leaves.

    prompts, responses : the n samples' texts, the prompts without system turns.
    on_progress : called with samples done and in all; may raise to stop.
    """
    found: dict[str, dict[int, str]] = {kind: {} for kind in CONTENT}
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        if on_progress is not None and row % _REPORT_EVERY == 0:
            on_progress(row, len(prompts))
        for kind, rule in RULES.items():
            piece = rule(prompt, response)
            if piece:
                found[kind][row] = piece
    found["cut_off"] = cut_rows(prompts, responses)
    found["language"], found["rare_language"] = other_languages(prompts, responses)
    if on_progress is not None:
        on_progress(len(prompts), len(prompts))
    lines = [
        (row, kind, piece_of(piece))
        for kind, by_row in found.items()
        for row, piece in sorted(by_row.items())
    ]
    return ContentFindings(
        np.array([line[0] for line in lines], dtype=np.int32),
        np.array([line[1] for line in lines], dtype=object),
        np.array([line[2] for line in lines], dtype=object),
    )


def piece_of(found: str) -> str:
    """What was found as it is kept: on one line, cut after `LONGEST` characters."""
    return " ".join(found.split())[:LONGEST]
