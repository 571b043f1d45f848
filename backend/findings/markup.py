"""Markup that was left over in a response: HTML tags and entities, and the special tokens of chat templates."""

from __future__ import annotations

import re

from backend.findings.code import is_code, unfenced

_TAG = re.compile(
    r"</?(?:p|div|span|br|b|i|u|em|strong|a|ul|ol|li|dl|dt|dd|table|tbody|thead|tr|td|th|h[1-6]|img|font|center|html|body|head"
    r"|blockquote|hr|pre|nobr|small|big|section|article|sup|sub|noinput|nooutput)(?:\s[^<>]{0,200})?/?>",
    re.I,
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|copy|mdash|ndash|hellip|[lr][sd]quo|#\d{2,5}|#x[0-9a-f]{2,5});", re.I
)
_TOKEN = re.compile(
    r"<\|[a-z][a-z0-9_ ]{1,30}\|>|\[/?INST\]|<</?SYS>>|</s>|<s>|<(?:start|end)_of_turn>|</?(?:bos|eos|pad|unk)>|\[(?:UNK|PAD|CLS|SEP|EOS|BOS)\]"
    r"|<｜[^｜<>]{1,30}｜>|^###? ?(?:Instruction|Response|Input):|\b(?:Human|Assistant):\s*$",
    re.I | re.M,
)
_ASKS_FOR_MARKUP = re.compile(
    r"\b(?:x?html5?|xml|css|svg|markup|tags?|web ?(?:site|page)s?|java ?script|js|jsx|react|vue|angular|php|jsp|code|coding|script|program\w*"
    r"|functions?|template|regex|regular expression|pars(?:e|er|ing)|hyperlink|dom|jinja|django|flask|snippet|element|entit(?:y|ies)|wiki|latex|markdown|escape[ds]?"
    r"|rss|browser|url|encod\w+|method|class|query|algorithm|implement\w*|代码|网页)\b",
    re.I,
)
_TALKS_OF_MARKUP = re.compile(
    r"\b(?:x?html5?|xml|css|markup|tags?|svg|dom|hyperlink)\b|<(?:!doctype|script|style|\?xml|\?php)|xmlns",
    re.I,
)
_ASKS_FOR_TOKEN = re.compile(
    r"\btokeni[sz]|special tokens?|chat template|\btokens?\b|placeholder|prompt format|strike", re.I
)


def left_over_markup(prompt: str, response: str) -> str:
    """The first piece of markup that does not belong; "" where there is none.

    HTML tags and entities outside code; not where the prompt asks for HTML or code or has such a tag itself, and not
    where the response is code or speaks of HTML. Special tokens of chat templates (<|im_end|>, [/INST], </s>) likewise,
    not where the prompt has them or asks about tokens.
    """
    if not (
        "<" in response or "&" in response or "[" in response or "###" in response or ":" in response[-12:]
    ):
        return ""
    outside = unfenced(response)
    token = _TOKEN.search(outside)
    if token and token[0].lower() not in prompt.lower() and not _ASKS_FOR_TOKEN.search(prompt):
        html = token[0].lower() in ("<s>", "</s>")
        if not (html and (_ASKS_FOR_MARKUP.search(prompt) or _TALKS_OF_MARKUP.search(response))):
            return token[0].strip()
    for pattern in (_TAG, _ENTITY):
        found = pattern.search(outside)
        if found and not (
            asks_for_markup(prompt)
            or pattern.search(prompt)
            or _TALKS_OF_MARKUP.search(response)
            or is_code(response)
        ):
            return found[0]
    return ""


def asks_for_markup(prompt: str) -> bool:
    """Whether a prompt asks for HTML, code or the like, or has tags itself."""
    return _TAG.search(prompt) is not None or _ASKS_FOR_MARKUP.search(prompt) is not None
