"""Responses without content: "n/a", "see above", punctuation alone."""

from __future__ import annotations

import re

from backend.findings.markup import asks_for_markup

LONGEST = 80
_SAID = frozenset(
    said.strip()
    for said in [
        "n/a",
        "n.a",
        "not applicable",
        "nan",
        "null",
        "undefined",
        "ok",
        "okay",
        "o.k",
        "ditto",
        "idem",
        "tbd",
        "tba",
        "todo",
        "to do",
        "to be done",
        "to be determined\n    ",
        "to be added",
        "to be filled in",
        "same here",
        "placeholder",
        "lorem ipsum",
        "no output",
        "nooutput",
        "no input",
        "noinput",
        "no response\n    ",
        "no answer",
        "no answer provided",
        "no answer given",
        "no content",
        "none provided",
        "not provided",
        "not available",
        "blank",
        "empty",
        "idk",
        "xxx\n    ",
        "asdf",
        "asdfasdf",
        "test test",
        "as above",
        "see above",
        "see below",
        "content",
        "insert text here",
        "insert answer here",
        "insert response here\n    ",
        "your answer here",
        "your text here",
        "同上",
        "见上",
        "如上",
        "如上所述",
        "略",
        "待定",
        "暂无",
        "siehe oben",
        "ver arriba",
        "voir ci-dessus\n    ",
        "idem que ci-dessus",
    ]
)
_REFERS = re.compile(
    r"(?:please )?(?:see|refer to|check|read|look at|as(?: stated| mentioned| described| noted| explained)?(?: in)?|same(?: answer| response"
    r"| thing| output)?(?: as)?|identical to|copy of)(?: the)?(?: (?:answer|response|output|solution|explanation|text|example|one|previous|first|last)"
    r"(?: (?:answer|response|output|question|one))?)?(?: (?:given|shown|provided|mentioned|stated))?"
    r" (?:above|below|before|previously|attached|attachment|earlier|previous (?:answer|response|output|question|one))(?: (?:for|answer|response|please)\b.*)?"
)
_LABEL = re.compile(
    r"(?:(?:the|your|here is the|here's the|this is the) )?(?:answer|output|response|result|solution|reply|text)(?: is)?:|here (?:it is|you go):?|sure[,.!]?(?: here (?:it is|you go))?:?"
)
_TAGS = re.compile(r"</?[A-Za-z][^<>]{0,60}>")
# a symbol may be an answer; these are not, unless the prompt asks for one
_PUNCTUATION = re.compile(r"[\s.,;:!?…\-–—_*'\"“”‘’()\[\]{}<>/\\|~`#。，、！？；：（）「」]+")
_ASKS_FOR_MARK = re.compile(
    r"punctuat|symbol|operator|character|\bmarks?\b|\bsign|emoji|bracket|parenthes|delimiter|separator|regex|标点|符号",
    re.I,
)


def no_content(prompt: str, response: str) -> str:
    """The whole response, where it says nothing; "" where it says something, and where it is empty (which is another finding).

    It is one of a list of set phrases ("n/a", "ok", "see above", "同上"), refers to what stands elsewhere, is only a label
    ("Answer:"), or has nothing but punctuation. Not where the prompt itself has the phrase ("If unsure, say n/a") or asks
    for a mark.
    """
    if len(response) > LONGEST:
        return ""
    bare = response.strip()
    if not bare:
        return ""
    if _PUNCTUATION.fullmatch(bare):
        return "" if _ASKS_FOR_MARK.search(prompt) or _is_asked(prompt, bare) else bare
    plain = " ".join(_TAGS.sub(" ", bare).lower().split())
    if not plain:
        return "" if asks_for_markup(prompt) else bare
    if _LABEL.fullmatch(plain):
        return bare
    said = plain.strip(" .,;:!?…-–—_*'\"“”()[]{}<>。！")
    if said in _SAID:
        return "" if _is_asked(prompt, said) else bare
    return bare if _REFERS.fullmatch(said) and not _is_asked(prompt, said) else ""


def _is_asked(prompt: str, said: str) -> bool:
    """Whether the prompt has the phrase as words of its own."""
    start = prompt.lower().find(said.lower())
    if start < 0:
        return False
    around = prompt[start - 1 : start] if start else " ", prompt[start + len(said) : start + len(said) + 1]
    return not any(mark.isalnum() for mark in around)
