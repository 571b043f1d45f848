"""Responses in another language than their prompt, or than the rest of the pool."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from backend.findings.code import is_code, unfenced

LETTERS = 40  # fewer of them, and nobody can tell
READ = 500  # characters from the beginning
SURE = 0.9  # py3langid's probability
RARE = 0.02  # of the pool's samples at most are in a rare language
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "in",
        "a",
        "is",
        "that",
        "for",
        "it",
        "as",
        "with",
        "was",
        "on",
        "are",
        "be",
        "this",
        "by",
        "an",
        "or",
        "from",
        "at",
        "not",
        "have",
        "has",
        "can",
        "you",
        "your",
        "their",
        "which",
        "will",
        "i",
        "we",
        "they",
        "but",
    ]
)
_WORDS = re.compile(r"[^\W\d_]+")
_NOISE = re.compile(r"https?://\S+|\S+@\S+|[\w/.-]+/[\w/.-]+|<[^<>]{1,80}>|\$[^$\n]*\$")
NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "ta": "Tamil", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_ASKS_FOR_LANGUAGE = re.compile(
    r"translat|\blanguages?\b|\blatin\b|bilingual|\bmandarin\b|\bcantonese\b|\b(?:hebrew|gaelic|welsh|irish|swahili|malay|tagalog|filipino|icelandic|albanian"
    r"|basque|galician|mongolian|zulu|esperanto|sanskrit|punjabi|gujarati|marathi|telugu|kannada|nepali|burmese|khmer|lao)\b"
    r"|übersetz|traduc|traduz|traduir|tradui|vertaal|перевед|перевод|翻译|翻譯|翻訳|번역|中文|英文|英语|日语|日本語|法语|德语|auf (?:englisch|deutsch)|en (?:anglais|français|inglés|español)|\b(?:"
    + "|".join(name.lower() for name in NAMES.values() if name != "English")
    + r"|english|espa[nñ]ol|fran[cç]ais|deutsch|italiano|português)\b",
    re.I,
)


@cache
def detector() -> Any:
    """py3langid's identifier, for the languages that are common enough to be told apart surely."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(set(NAMES) & set(identifier.nb_classes)))
    return identifier


def language_of(text: str) -> str:
    """The language of a text's beginning (ISO 639-1); "" where it is too short, or not sure, or code.

    A text of which an eighth of the words and more are the commonest of English is English; others are asked of py3langid.
    """
    first = _WORDS.findall(text[:READ].lower())
    if len(first) >= 12 and sum(word in _ENGLISH for word in first) * 6 >= len(first):
        return "en" if sum(map(len, first)) >= LETTERS else ""
    if is_code(text[:4000]):
        text = unfenced(text) if "```" in text else ""
    text = _NOISE.sub(" ", text[: 2 * READ])[:READ]
    words = _WORDS.findall(text.lower())
    letters = sum(map(len, words))
    if letters < LETTERS and not (letters >= LETTERS // 4 and not text.isascii() and _is_unspaced(words)):
        return ""
    if len(words) >= 6 and sum(word in _ENGLISH for word in words) * 8 >= len(words):
        return "en"
    language, sure = detector().classify(" ".join(_WORDS.findall(text)))
    return language if sure >= SURE else ""


def _is_unspaced(words: Sequence[str]) -> bool:
    """Whether words are of scripts in which one character says as much as a word."""
    return sum(mark >= "\u2e80" for word in words for mark in word) * 2 >= sum(map(len, words))


def other_languages(
    prompts: Sequence[str], responses: Sequence[str]
) -> tuple[dict[int, str], dict[int, str]]:
    """Responses in another language than their prompt, and those in one that is rare in the pool; what they are, by row.

    In neither are samples whose prompt speaks of a language or of translating. In the first are none whose prompt has a
    line in the response's language (a text to sum up, say). Rare is a language of at most 2 % of the responses whose
    language is known; where a sample is in the first, it is not in the second.
    """
    spoken = [language_of(response) for response in responses]
    counts = Counter(language for language in spoken if language)
    rare = {language for language, count in counts.items() if count <= RARE * counts.total()}
    differ: dict[int, str] = {}
    foreign: dict[int, str] = {}
    for row, language in enumerate(spoken):
        asked = language_of(prompts[row]) if language else ""
        differs = bool(asked) and asked != language
        if not (differs or language in rare) or _ASKS_FOR_LANGUAGE.search(prompts[row]):
            continue
        if differs:
            lines = {language_of(line) for line in prompts[row].split("\n") if len(line) >= LETTERS // 4}
            if language not in lines:
                differ[row] = f"{NAMES[language]}; the prompt is {NAMES[asked]}"
        else:
            foreign[row] = f"{NAMES[language]}; {_share(counts[language], counts.total())} of the pool"
    return differ, foreign


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if count * 1000 >= total else "less than 0.1 %"
