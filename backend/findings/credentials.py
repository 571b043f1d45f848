"""Keys and passwords in a sample, which are never shown in full."""

from __future__ import annotations

import re

SHOWN = 4  # characters that stay when one is masked
_KEYS = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}"
    r"|AIza[\w-]{35}|sk-ant-[\w-]{20,}|sk-(?:proj-)?[A-Za-z0-9_-]{20,}|[sr]k_live_[A-Za-z0-9]{16,}|hf_[A-Za-z]{30,}|npm_[A-Za-z0-9]{36}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})(?![A-Za-z0-9])"
)
_BEGINNINGS = tuple(
    "AKIA ASIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox AIza sk- k_live_ hf_ npm_ SG. eyJ".split()
)
_NAMES = (
    *("password", "passwd", "passphrase", "pwd", "secret", "token", "bearer"),
    *(f"{kind}{between}key" for kind in ("api", "access", "private") for between in ("", " ", "_", "-")),
)
_BLOCK = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----([\sA-Za-z0-9+/=:,\\-]{40,}?)(?:-----END|$)")
_URL = re.compile(r"[a-z][a-z0-9+]{2,12}://[^\s:/@'\"<>{}$]{1,40}:([^\s:/@'\"<>{}$\[\]]{3,60})@[\w.-]+")
_NAMED = re.compile(
    r"(?:pass(?:word|wd|phrase)|\bpwd|secret(?:[_ -]?key)?|api[_ -]?key|access[_ -]?(?:token|key)|auth[_ -]?token|bearer|private[_ -]?key|client[_ -]?secret)"
    r"(?:[\"']?\s*(?::|=|=>|:=)\s*|\s+is:?\s+|\s+)(?:(?P<quote>[\"'])(?P<quoted>[^\"'\n]{6,80})(?P=quote)|(?P<plain>[^\s\"'<>{}()\[\],;|]{8,80}))",
    re.I,
)
_MADE_UP = re.compile(
    r"your|my[_-]|example|sample|placeholder|change|replace|insert|xxx|\*\*\*|\.\.\.|…|<|>|\$\{|%s|\{\{|todo|dummy|fake|test|secret|passw?o?r?d|passwd|pass123|qwerty|letmein|admin"
    r"|123456|abc123|abcdef|foobar|_here|key[_-]?here|hunter2|token|api[_-]?key|username|redacted|process\.|os\.|request|config|self\.|this\.|input|^\W|://",
    re.I,
)
_ASKS_FOR_ONE = re.compile(
    r"(?:generat|creat|suggest|random|make|strong|secure|invent|design|come up|check|valid|verif|strength|hash|encrypt|decrypt|encod|decod).{0,60}(?:password|passphrase|passcode|\bkey\b|token|string|secret)"
    r"|(?:password|passphrase|key|token|string).{0,40}(?:generat|creator|strength|strong|valid|secure|check|random)",
    re.I | re.S,
)


def key_or_password(prompt: str, response: str) -> str:
    """The first key or password of the response, else of the prompt, masked; "" where there is none.

    Keys by their makers' own beginnings (AWS, GitHub, GitLab, Slack, Google, OpenAI, Anthropic, Stripe, Hugging Face, npm, SendGrid), JSON web
    tokens, private key blocks, passwords in addresses, and what follows "password", "secret" or "api key" as a value with letters and
    figures. Left out are placeholders ("your-api-key", "password123", "AKIA...EXAMPLE") and, of named values, prompts that ask
    for a password or check one.
    """
    for text in (response, prompt):
        found = spans(text, named=True)
        if found and _ASKS_FOR_ONE.search(prompt):
            found = spans(text, named=False)
        if found:
            return masked_value(text[found[0][0] : found[0][1]])
    return ""


def masked(text: str) -> str:
    """The text with every key and password in it masked, as long as it was."""
    for start, end in reversed(spans(text, named=True)):
        text = text[:start] + masked_value(text[start:end], whole=True) + text[end:]
    return text


def masked_value(value: str, *, whole: bool = False) -> str:
    """Its first four characters, and dots for the others: eight, or with `whole` as many as there are."""
    shown = value[: SHOWN if len(value) >= 4 * SHOWN else 1]
    return shown + "•" * (len(value) - len(shown) if whole else 8)


def spans(text: str, *, named: bool) -> list[tuple[int, int]]:
    """Where keys and passwords are, ascending. named : also values that only their name tells."""
    found: list[tuple[int, int]] = []
    if len(text) < 8:
        return found
    begun = any(start in text for start in _BEGINNINGS)
    for key in _KEYS.finditer(text) if begun else ():
        if _is_random(key[0][4:]) and "EXAMPLE" not in key[0].upper():
            found.append(key.span())
    if "PRIVATE KEY" in text:
        found += [key.span(1) for key in _BLOCK.finditer(text) if len(set(key[1])) > 20]
    if "://" in text:
        found += [
            key.span(1) for key in _URL.finditer(text) if not _MADE_UP.search(key[1]) and _is_mixed(key[1])
        ]
    lower = text.lower() if named else ""
    if any(name in lower for name in _NAMES):
        for key in _NAMED.finditer(text):
            group = "quoted" if key["quoted"] is not None else "plain"
            value = key[group].rstrip(".,:!?")
            if not _MADE_UP.search(value) and _is_mixed(value):
                found.append((key.start(group), key.start(group) + len(value)))
    found.sort()
    return [span for i, span in enumerate(found) if not i or span[0] >= found[i - 1][1]]


def _is_random(value: str) -> bool:
    """Whether characters vary as in a real key; `xxxxxxxx` and `1234567890` do not."""
    return (
        len(set(value)) >= 8 and "1234567" not in value and not re.search(r"your|xxxx|abcdefg", value, re.I)
    )


def _is_mixed(value: str) -> bool:
    """Letters and figures, no spaces: not a word, not a number."""
    return (
        len(value) >= 6
        and " " not in value
        and any(mark.isdigit() for mark in value)
        and any(mark.isalpha() for mark in value)
        and not re.fullmatch(r"[A-Za-z]+\d{1,4}", value)
    )
