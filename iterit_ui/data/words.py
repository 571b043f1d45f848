"""What a person reads on the Data tab."""

from __future__ import annotations

from backend.findings.contamination import OVERLAP_HINTS
from backend.findings.content_rules import HINTS

LINE = "Choose the pool of samples to pick from. Below is what was read from it, and what could not be."
SOURCE = {
    "files": "JSON, JSONL, CSV, Parquet or Arrow, also compressed. Several files make one pool.",
    "no_roots": "Start the app with --data-root FOLDER to list a folder's files here.",
    "hub": "Needs a network; press Enter to preview it.",
}
HUB_ID = "Expected owner/name, owner/name:split or owner/name@revision."
CHART = {
    "sources": ("Which sources?", "Samples by source. Click a bar to list its samples."),
    "lengths": ("How long are the responses?", "In characters, until tokens are counted."),
}
NO_POOL_YET = "Choose files on the left, or upload some, to make a pool: the samples that you can pick from."
NO_SAMPLE = "Click a row to read the whole sample."
# label, help, and whether a mapping by hand mostly needs it
ROLE = {
    "prompt": ("Prompt", "what is asked", True),
    "response": ("Response", "the answer that is scored and trained on", True),
    "input": ("Input", "text that belongs to the prompt and follows it", True),
    "source": ("Source", "where a sample comes from; the file's name where no column says so", True),
    "messages": (
        "Conversation",
        "a list of turns with role and content; the last one is the response unless another column holds it",
        False,
    ),
    "rejected": ("Rejected answer", "the answer the response was preferred to; left out", False),
    "better": (
        "Which is better",
        "says which of the two answers, response or rejected, was preferred",
        False,
    ),
    "reasoning": ("Reasoning", "what the model thinks before it answers; part of the response", False),
    "system": ("System prompt", "said before the conversation", False),
    "history": ("History", "earlier rounds, as pairs of user and assistant", False),
    "tools": ("Tools", "descriptions of the functions a conversation may call", False),
    "good": ("Good or bad", "true or false: rows marked as bad are left out", False),
    "label": ("Label", "a note that comes with the data; the method does not use it", False),
}
WHOSE_TURNS = "Whose turns are these?"
PREFERENCE = "Preference data: the chosen answer is the response, the rejected one is left out."
KEEP_BAD = "Also read rows that are marked as bad"
NOT_RECOGNISED = (
    "The format is not recognised. Choose which column holds the prompt and which the response, "
    "or the one that holds the whole conversation."
)
# the lists of the Data tab: title and what they are
LISTS = {
    "all": ("All samples", ""),
    "sources": ("Samples by source", "One source after the other."),
    "rejected": ("Rejected rows", "They could not be read, so they are not in the pool."),
    "edited": (
        "Edited responses",
        "Corrected here; the originals are kept, and export, scoring and new runs use the corrected ones.",
    ),
}
FINDINGS = {
    "empty": "These responses are empty: there is nothing to score or to learn from, so they are never selected.",
    "too_long": "Longer than the model reads: the end is cut off.",
    "unscorable": "Complexity cannot be computed for these, so they are never selected.",
    "exact": "The same prompt and response, word for word, more than once.",
    "near": "Prompt and response are nearly the same: they share most of their runs of five characters (of three, where each character is a word).",
    "same_response": "The same response to several prompts, word for word.",
    "refusal": "The response begins as refusals do. Some may be right to refuse: look before you exclude.",
    **HINTS,
    **OVERLAP_HINTS,
    "opening": "Responses that begin with these words. Boilerplate teaches a model to say it too.",
}
AGAINST = (
    "Compare with evaluation data",
    "A file of the prompts, or prompts and answers, that you will test with. Samples that overlap with them are listed above.",
)
NOT_COMPARED = "Choose a file under “Compare with evaluation data”, or upload one: prompts alone will do."
NOT_KNOWN = "Not known yet."
NEAR_SLIDER = "share of runs of five characters (three, where each is a word) that two samples must have in common (Jaccard similarity)"
KEEP_ONE = "keeps the pinned ones, else the first of each group that nobody excluded"
EXCLUDE_ALL = "they stay in the pool, but are never selected; pinned ones are left alone"
OPENINGS = ("How do responses begin?", "The most frequent first words. Click one to list its samples.")
CARD_NOTES = {
    "empty": "never selected",
    "unscorable": "never selected",
    "too_long": "their end is cut",
    "refusal": "begin like one (English)",
}
