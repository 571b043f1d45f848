"""Finding known texts inside other text, whatever the case, spacing and punctuation.

The rules that pool, held-out rows and pre-training text keep (`pool` and `corpus` enforce them while they
draw, and the tests check them):

1. No held-out prompt is the prompt of a pool row, and no held-out response is a pool row's response.
2. No pre-training document contains a held-out response of `MIN_RESPONSE_WORDS` words or more, nor a held-out
   prompt together with its response.
3. No pre-training document contains the prompt of a pool row together with its response.
"""

import re
from collections.abc import Iterable

MIN_RESPONSE_WORDS = 5
KEY_WORDS = 3
WORD = re.compile(r"[a-z0-9]+")


def normalise(text: str) -> str:
    """The lower-case words and numbers of `text`, separated by single spaces."""
    return " ".join(WORD.findall(text.lower()))


class PhraseIndex:
    """Finds which of many phrases a text contains, as whole words after `normalise`.

    Phrases are looked up by their first `KEY_WORDS` words, so a search costs about as much as reading the
    text.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self.candidates: dict[tuple[str, ...], list[str]] = {}
        for phrase in dict.fromkeys(normalise(phrase) for phrase in phrases):
            self.candidates.setdefault(tuple(phrase.split()[:KEY_WORDS]), []).append(phrase)
        self.key_lengths = sorted({len(key) for key in self.candidates})

    def find(self, text: str) -> list[str]:
        """The phrases, normalised and each once, that `text` contains."""
        normalised = normalise(text)
        words = normalised.split()
        padded = f" {normalised} "
        keys = {
            tuple(words[start : start + length]) for start in range(len(words)) for length in self.key_lengths
        }
        return [
            phrase
            for key in keys & self.candidates.keys()
            for phrase in self.candidates[key]
            if f" {phrase} " in padded
        ]


class LeakageGuard:
    """Tells whether a pre-training document repeats pool or held-out rows (rules 2 and 3 above).

    pool_pairs, heldout_pairs : (prompt, response) of each row
    """

    def __init__(
        self, pool_pairs: Iterable[tuple[str, str]], heldout_pairs: Iterable[tuple[str, str]]
    ) -> None:
        heldout_pairs = list(heldout_pairs)
        self.forbidden = PhraseIndex(
            response
            for _, response in heldout_pairs
            if len(normalise(response).split()) >= MIN_RESPONSE_WORDS
        )
        self.responses: dict[str, list[str]] = {}
        for prompt, response in [*pool_pairs, *heldout_pairs]:
            self.responses.setdefault(normalise(prompt), []).append(f" {normalise(response)} ")
        self.prompts = PhraseIndex(self.responses)

    def leaks(self, document: str) -> bool:
        """Whether the document holds a held-out response, or a prompt together with its response."""
        if self.forbidden.find(document):
            return True
        padded = f" {normalise(document)} "
        return any(
            response in padded
            for prompt in self.prompts.find(document)
            for response in self.responses[prompt]
        )
