"""Personal data in a sample: e-mail addresses and phone numbers."""

from __future__ import annotations

import re

_EMAIL = re.compile(
    r"(?<![\w.+%/@:-])([A-Za-z0-9][\w.+%-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w@])"
)
# reserved for examples (RFC 2606), and what texts use like them
_MADE_UP_HOST = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|local)$|^(?:[\w-]+\.)*(?:example|domain|mydomain|yourdomain|email|mail|company|mycompany|yourcompany"
    r"|companyname|website|mywebsite|yourwebsite|test|sample|provider|server|host|abc|xyz|acme|business|organization|school|university|somewhere|site|foo|bar|abcd?|xxx+)\.\w+(?:\.\w+)?$",
    re.I,
)
_MADE_UP_NAME = re.compile(
    r"^(?:x+|user(?:name)?\d*|your[\w.-]*|my[\w.-]*|name|first[\w.-]*|some(?:one|body)|e?mail|address|example|test\w*|foo|bar|abc\w*|jo(?:hn|e)[._]?doe\d*|j\.?doe|jane\.?_?doe\d*|johnsmith|john|jane|git|user\.name|customer|recipient|sender)$",
    re.I,
)
_FILE = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|js|ts|py|java|cpp|json|css|html?|txt|md|length|value|click)$", re.I
)
_PHONE = re.compile(
    r"(?<![\w.,/=+*^$€£-])(?:(\+\d{1,3})[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4})(?![\w/]|[.,-]\d)"
)
_MAY_BE_PHONE = re.compile(r"[.-]\d{4}(?!\d)|\+\d")  # a quick look
_SAYS_PHONE = re.compile(
    r"phone|\btel\b|\btel[.:]|mobile|cell|whats ?app|\bfax|call|contact|text me|hotline|电话|手机|telefon",
    re.I,
)
_ORDERED = "01234567890123456789"


def email_address(prompt: str, response: str) -> str:
    """The first e-mail address of the response, else of the prompt; "" where there is none.

    Left out are addresses that are made up on purpose: at example.com, company.com and the like, of "your.name", "john.doe" or "user".
    """
    for text in (response, prompt):
        if "@" not in text:
            continue
        for found in _EMAIL.finditer(text):
            name, host = found[1], found[2]
            if not (_MADE_UP_HOST.search(host) or _MADE_UP_NAME.match(name) or _FILE.search(host)):
                return found[0]
    return ""


def phone_number(prompt: str, response: str) -> str:
    """The first phone number of the response, else of the prompt; "" where there is none.

    With a country's code (+44 20 7946 0018) and the word phone, call or the like in the same text, or as written in North America
    (212-736-5000). Left out are made-up numbers (555, 123-456-7890, 111-111-1111), free-call and emergency lines.
    """
    for text in (response, prompt):
        if not _MAY_BE_PHONE.search(text):
            continue
        for found in _PHONE.finditer(text):
            digits = "".join(mark for mark in found[0] if mark.isdigit())
            if found[1] and not _SAYS_PHONE.search(text):
                continue
            if not found[1] and not _SAYS_PHONE.search(text) and "(" not in found[0]:
                continue
            if 9 <= len(digits) <= 15 and not _is_made_up(digits):
                return found[0]
    return ""


def _is_made_up(digits: str) -> bool:
    """Whether a number is reserved for stories, runs up or down, is one figure again and again, or a free-call line."""
    local = digits[-10:]
    if len(set(digits)) <= 2 or len(set(local[-7:])) <= 1:
        return True
    if local[:3] in ("800", "888", "877", "866", "855", "844", "833", "822", "900") or digits.startswith(
        "1800"
    ):
        return True
    if local[3:6] == "555" or local[:3] in ("555", "000", "123") or "5550" in digits or "555-" in digits:
        return True
    tail = digits[-7:]
    return tail in _ORDERED or tail in _ORDERED[::-1] or "1234567" in digits or "123456" in digits
