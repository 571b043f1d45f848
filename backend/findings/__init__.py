"""What is worth a look in a pool: duplicates, near-duplicates, refusals, how responses begin, what is too long, and what
reading each sample finds (`content_rules`).

Texts and arrays in, arrays out; imports neither torch nor transformers, and reads no file.
"""

from backend.findings.contamination import OVERLAPS, Overlaps, contamination, same_samples, told_of_all
from backend.findings.content_rules import CONTENT, ContentFindings, content_findings
from backend.findings.credentials import masked
from backend.findings.lengths import NOT_SCORED, Lengths
from backend.findings.near import LOWEST, NearPairs, near_groups, near_pairs
from backend.findings.openings import Opening, beginnings, opening_of, opening_rows, openings
from backend.findings.refusals import is_refusal, refusal_rows
from backend.findings.report import (
    GROUPED,
    THRESHOLD,
    Finding,
    groups_of_finding,
    keep_one,
    mask_of_finding,
    reasons_of,
    report,
    rows_by_group,
    rows_of_finding,
)
from backend.findings.texts import prompt_texts, response_texts, spaced, words_of

__all__ = [
    "CONTENT",
    "GROUPED",
    "LOWEST",
    "NOT_SCORED",
    "OVERLAPS",
    "THRESHOLD",
    "ContentFindings",
    "Finding",
    "Lengths",
    "NearPairs",
    "Opening",
    "Overlaps",
    "beginnings",
    "contamination",
    "content_findings",
    "groups_of_finding",
    "is_refusal",
    "keep_one",
    "mask_of_finding",
    "masked",
    "near_groups",
    "near_pairs",
    "opening_of",
    "opening_rows",
    "openings",
    "prompt_texts",
    "reasons_of",
    "refusal_rows",
    "report",
    "response_texts",
    "rows_by_group",
    "rows_of_finding",
    "same_samples",
    "spaced",
    "told_of_all",
    "words_of",
]
