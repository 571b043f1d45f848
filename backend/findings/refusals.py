"""Responses that refuse to answer: patterns of our own, for English.

Looked for in the first words of a response only, so that a story in which somebody refuses is none.

No figure here is of texts that the patterns had not seen. On the demo's pool they find the 161 planted refusals and nothing
else: six sentences, known when the patterns were written and mended until all were found. On `sharegpt_tools` they found 41
of the 44 refusals among responses that say "sorry", "unable", "cannot" or the like in their first 60 characters, and 42 after
one word was added for it; other refusals there were not looked for. On `pool_52k` they find two, both of them refusals;
how many they miss was not counted, and some are missed ("Sorry, the task involves ...").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from backend.findings.texts import words_of

BEGINNING = 240  # characters of a response that are looked at
_NOT = r"(?:can't|cannot|can not|couldn't|could not|won't|will not|won't be able|will not be able|unable|not able|not allowed)"
_I = r"(?:i|we)"
_DO = (
    r"(?:help|assist|answer|respond|reply|comply|fulfil|fulfill|complete|provide|generate|create|produce|write|give|offer"
    r"|share|support|do that|do this|process|perform|engage|discuss|continue|translate|access|browse|see|view|tell)"
)
_THING = r"(?:ai|artificial|automatic|automated|virtual|language|digital|computer|machine|chat ?bot|bot|assistant|text based|large)"
_PATTERNS = (
    # sorry, but I cannot ...; I apologise, I'm not able to ...; unfortunately, I am unable to ...
    rf"^(?:[\w']+ ){{0,3}}(?:sorry|apologi[sz]e|apologies|afraid|unfortunately|regret)\b(?: [\w']+){{0,7}} {_NOT}(?: to)?(?: [\w']+)? {_DO}\b",
    # as an AI ...; as a language model ...; I am an AI and ...
    rf"^(?:[\w']+ ){{0,4}}(?:as|i'm|i am|being|just|only) (?:only |just )?(?:a|an) (?:[\w']+ )?{_THING}\b(?: [\w']+){{0,8}} (?:{_NOT}|don't|do not|not)\b",
    # I cannot help with that; I'm unable to assist ...
    rf"^(?:(?:sorry|well|no|oh|unfortunately) ){{0,2}}(?:(?:i|we)(?: am| are)?|i'm|we're) {_NOT}(?: to)? {_DO}\b(?: [\w']+){{0,3}} (?:that|this|your|you|any|the request|such|it|questions?|requests?)\b",
    # I don't have access to ..., I do not have the ability to ..., I don't have enough information to ...
    rf"^(?:[\w']+ ){{0,3}}{_I} (?:currently )?(?:don't|do not) have (?:[\w']+ ){{0,3}}(?:access|ability|abilities|capability|permission|personal (?:opinions?|experiences?|feelings?|preferences?|beliefs?)|enough information|sufficient information)\b",
    # that is beyond what I can do; this request is outside of my ...
    r"^(?:this|that|it|your|the)(?: [\w']+){0,3} (?:is|goes|falls) (?:outside|beyond|against)(?: of)? (?:what i (?:can|may|am)|my|our|the scope)\b",
    # I must decline ..., I have to refuse ...
    rf"^(?:[\w']+ ){{0,3}}{_I} (?:must|have to|need to|will have to) (?:[\w']+ )?(?:decline|refuse)\b",
    # what some generated sets write instead of an answer
    r"^nooutput\b",
)
# at once, from the beginning on: tens of thousands of responses are looked at before a page is drawn
_REFUSAL = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))


def is_refusal(response: str) -> bool:
    """Whether a response begins like a refusal to answer."""
    return _REFUSAL.match(" ".join(words_of(response[:BEGINNING]))) is not None


def refusal_rows(responses: Sequence[str]) -> np.ndarray:
    """(k,) int64: rows whose response begins like a refusal to answer, ascending."""
    return np.array([row for row, text in enumerate(responses) if is_refusal(text)], dtype=np.int64)
