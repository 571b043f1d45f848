"""Text whose encoding broke: "cafÃ©" for "café", and characters that were replaced by �."""

from __future__ import annotations

AROUND = 24


def broken_encoding(prompt: str, response: str) -> str:
    """The words around the first broken character, of the response; "" where none is.

    `ftfy` tells: it knows the sequences that arise when UTF-8 is read as another encoding, and repairs a text only where
    that leaves fewer unlikely ones. Also � (what could not be decoded at all), where the prompt has none.
    """
    if response.isascii():
        return ""
    from ftfy import TextFixerConfig, fix_encoding
    from ftfy.badness import BADNESS_RE

    at = response.find("\ufffd")
    if at >= 0 and "\ufffd" not in prompt:
        return _around(response, at)
    # two broken characters at least where ftfy can only suspect them; what it can repair is broken for certain
    config = TextFixerConfig(restore_byte_a0=False, replace_lossy_sequences=False)
    fixed = fix_encoding(response, config)
    if fixed != response and not _same_in(prompt, response, fixed):
        at = next((i for i, (a, b) in enumerate(zip(response, fixed)) if a != b), len(fixed))
        return _around(response, at)
    found = list(BADNESS_RE.finditer(response))
    return _around(response, found[0].start()) if len(found) >= 2 and found[0][0] not in prompt else ""


def _same_in(prompt: str, response: str, fixed: str) -> bool:
    """Whether what would be repaired stands in the prompt as it is: a question about it, or a quotation."""
    words = {word for word, other in zip(response.split(), fixed.split()) if word != other}
    return bool(words) and all(word in prompt for word in words)


def _around(text: str, at: int) -> str:
    return text[max(0, at - AROUND) : at + AROUND].strip()
